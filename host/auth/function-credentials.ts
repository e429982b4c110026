// Credentials of a function's environment. Nothing of them is stored: the session token says whose they are and is
// authenticated, the secret follows from the access key id, and both from the host's key.
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AccessKey, Caller, KeyRefusal } from './caller.ts';
import type { HostKey, RandomBytes } from './host-key.ts';
import { makeAccessKeyId } from './key-material.ts';

/** How long an environment's credentials hold. */
const functionCredentialsLifeMs = 12 * 3_600_000;

const macBytes = 32;
const secretLength = 40;
const rememberedTokens = 5_000;
const maxTokenLength = 4_096;

/** Whose credentials they are. */
export interface FunctionIdentity {
  /** ARN of the function's role. */
  readonly role: string;
  /** 12 digits. */
  readonly account: string;
  readonly functionName: string;
}

export interface IssuedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** What a token says, in the order in which it is written. */
type TokenContent = readonly [
  accessKeyId: string,
  account: string,
  role: string,
  functionName: string,
  expiresAtSeconds: number,
];

interface KnownToken {
  readonly key: AccessKey;
  readonly expiresAt: number;
}

/** Issues and accepts the credentials of one host's environments; they outlive a restart of the host. */
export class FunctionCredentials {
  readonly #tokenKey: KeyObject;
  readonly #secretKey: KeyObject;
  readonly #now: () => number;
  readonly #random: RandomBytes;
  /** By token: an environment uses one for hours. */
  readonly #verified = new LRUCache<string, KnownToken>({ max: rememberedTokens });

  constructor(options: {
    readonly hostKey: HostKey;
    /** Epoch milliseconds. */
    readonly now: () => number;
    readonly random: RandomBytes;
  }) {
    this.#tokenKey = options.hostKey.derive('function session token');
    this.#secretKey = options.hostKey.derive('function secret access key');
    this.#now = options.now;
    this.#random = options.random;
  }

  /** Fresh credentials for {@link functionCredentialsLifeMs}. */
  issue(identity: FunctionIdentity): IssuedCredentials {
    const accessKeyId = makeAccessKeyId('ASIA', this.#random);
    const expiresAtSeconds = Math.floor((this.#now() + functionCredentialsLifeMs) / 1000);
    const { account, role, functionName } = identity;
    const content: TokenContent = [accessKeyId, account, role, functionName, expiresAtSeconds];
    const bytes = Buffer.from(JSON.stringify(content));
    return {
      accessKeyId,
      secretAccessKey: this.#secretOf(accessKeyId),
      sessionToken: Buffer.concat([this.#macOf(bytes), bytes]).toString('base64url'),
      expiresAt: expiresAtSeconds * 1000,
    };
  }

  /** The key of an environment, if its token is ours, belongs to that id and has not expired. */
  lookup(accessKeyId: string, sessionToken: string): AccessKey | KeyRefusal {
    const known = this.#verified.get(sessionToken) ?? this.#verify(sessionToken);
    if (known === undefined || known.key.accessKeyId !== accessKeyId) return 'unknown';
    return this.#now() < known.expiresAt ? known.key : 'expired';
  }

  #verify(sessionToken: string): KnownToken | undefined {
    const bytes = this.#authenticated(sessionToken);
    if (bytes === undefined) return undefined;
    const content = JSON.parse(bytes.toString()) as TokenContent; // our own writing: the MAC has just said so
    const [accessKeyId, account, role, functionName, expiresAtSeconds] = content;
    const key: AccessKey = {
      kind: 'function',
      accessKeyId,
      secretAccessKey: this.#secretOf(accessKeyId),
      account,
      principal: assumedRoleArn({ account, role, functionName }),
      rights: 'invoke',
      attributes: { role },
    };
    const known = { key, expiresAt: expiresAtSeconds * 1000 };
    this.#verified.set(sessionToken, known);
    return known;
  }

  /** The content of a token whose every character is as we wrote it. */
  #authenticated(sessionToken: string): Buffer | undefined {
    if (sessionToken.length > maxTokenLength) return undefined;
    const bytes = Buffer.from(sessionToken, 'base64url');
    // The decoder skips what it does not know, so that other texts would mean the same bytes.
    if (bytes.length <= macBytes || bytes.toString('base64url') !== sessionToken) return undefined;
    const content = bytes.subarray(macBytes);
    return timingSafeEqual(bytes.subarray(0, macBytes), this.#macOf(content)) ? content : undefined;
  }

  #macOf(content: Uint8Array): Buffer {
    return createHmac('sha256', this.#tokenKey).update(content).digest();
  }

  #secretOf(accessKeyId: string): string {
    const mac = createHmac('sha256', this.#secretKey).update(accessKeyId).digest('base64');
    return mac.slice(0, secretLength);
  }
}

/** The function itself as a caller, for what the host does in its name. */
export function functionCaller(identity: FunctionIdentity, region: string): Caller {
  const { account, role } = identity;
  const principal = assumedRoleArn(identity);
  const attributes = { role };
  return {
    kind: 'function',
    accessKeyId: '',
    account,
    principal,
    rights: 'invoke',
    attributes,
    region,
  };
}

/** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/FUNCTION`; of the role's path only its name remains, as with the service. */
function assumedRoleArn({ role, account, functionName }: FunctionIdentity): string {
  const [, partition = 'aws'] = role.split(':');
  const roleName = role.slice(role.lastIndexOf('/') + 1);
  return `arn:${partition}:sts::${account}:assumed-role/${roleName}/${functionName}`;
}
