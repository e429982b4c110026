// Who calls: the words that verification, credentials and authorization share.
import { partitionOf } from '../functions/names.ts';

/** What an access key may do. `read`: operations that change nothing; `invoke`: run functions; `admin`: everything. */
export const allRights = ['admin', 'invoke', 'read'] as const;
export type Rights = (typeof allRights)[number];

/** What conditions of a resource policy may ask about a principal that its name does not tell. */
export interface PrincipalAttributes {
  /** ARN of the role that a session is one of, with its path. */
  readonly role?: string | undefined;
  /** `o-…`: the organization of an identity. */
  readonly organization?: string | undefined;
  /** What a service acts for: ARN of the resource that raised the event. */
  readonly sourceArn?: string | undefined;
  /** The account of that resource, 12 digits. */
  readonly sourceAccount?: string | undefined;
}

/** An access key as the verifier needs it. `function`: derived for a function's environment; `key`: listed in a file. */
export interface AccessKey {
  readonly kind: 'key' | 'function';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** 12 digits. */
  readonly account: string;
  /** ARN or service name. */
  readonly principal: string;
  readonly rights: Rights;
  readonly attributes?: PrincipalAttributes | undefined;
}

/** An authenticated caller. `anonymous` exists only with `--auth none`. */
export interface Caller {
  readonly kind: AccessKey['kind'] | 'anonymous';
  /** Empty for a caller without an access key. */
  readonly accessKeyId: string;
  readonly account: string;
  readonly principal: string;
  readonly rights: Rights;
  readonly attributes?: PrincipalAttributes | undefined;
  /** From the signature's scope, else the host's own. */
  readonly region: string;
}

/** The root of an account, for requests that no access key has signed. */
export function rootCaller(kind: 'key' | 'anonymous', account: string, region: string): Caller {
  const principal = `arn:${partitionOf(region)}:iam::${account}:root`;
  return { kind, accessKeyId: '', account, principal, rights: 'admin', region };
}

/** Why a key is not accepted: not known or its token is not right, or its token was right once. */
export type KeyRefusal = 'unknown' | 'expired';

/** Finds the key of a request; the token is the one the request carries. Must not block: it stands on the path of every call. */
export type KeyLookup = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => AccessKey | KeyRefusal;
