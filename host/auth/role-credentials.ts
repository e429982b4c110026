// Which credentials a function's environment gets: real ones where `secrets/roles.json` maps its role, else the host's own.
import { join } from 'node:path';
import type { FunctionCredentials, FunctionIdentity } from './function-credentials.ts';
import { parseJsonSecret, WatchedFile } from './secret-files.ts';

/** Credentials to put into an environment. */
export interface EnvironmentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Epoch milliseconds; ask again before. Undefined: they do not expire. */
  readonly expiresAt?: number | undefined;
}

interface FixedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Credentials in the form in which clients of the AWS SDK take them. */
export interface ExpiringCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration: Date;
}

/** Whose credentials are wanted. */
export type RoleIdentity = Pick<FunctionIdentity, 'role' | 'account'>;

/** How long a client of the SDK goes on with what it was given. */
const HELD_MS = 60_000;
/** The SDK asks again that long before credentials expire. */
const SDK_REFRESH_AHEAD_MS = 300_000;

/** What a role is mapped to. */
type RoleMapping = FixedCredentials | { readonly profile: string };

export interface RoleCredentialsOptions {
  readonly secretsDir: string;
  readonly functionCredentials: FunctionCredentials;
  /** Milliseconds. */
  readonly now: () => number;
  /** Gets one sentence when an edited file cannot be used. */
  readonly onProblem: (problem: string) => void;
  /** Where profiles are looked for, if not where the AWS tools look. */
  readonly profileFiles?: { readonly credentials: string; readonly config: string } | undefined;
}

/** Credentials by role. Construction throws SecretFileError when `roles.json` cannot be used. */
export class RoleCredentials {
  readonly #options: RoleCredentialsOptions;
  readonly #roles: WatchedFile<ReadonlyMap<string, RoleMapping>>;

  constructor(options: RoleCredentialsOptions) {
    const path = join(options.secretsDir, 'roles.json');
    this.#options = options;
    this.#roles = new WatchedFile<ReadonlyMap<string, RoleMapping>>({
      path,
      parse: (text) => parseJsonSecret(path, text, checkRoles),
      absent: new Map(),
      now: options.now,
      onProblem: options.onProblem,
    });
  }

  /** Throws an Error when the role is mapped to a profile that cannot be resolved. */
  async credentialsFor(identity: FunctionIdentity): Promise<EnvironmentCredentials> {
    return (await this.#mapped(identity)) ?? this.#options.functionCredentials.issue(identity);
  }

  /**
   * What a client of the AWS SDK asks for credentials that signs on behalf of a function; undefined when its role is not mapped, since
   * what this host issues means nothing to AWS. Asked again after a minute, so that an edited mapping counts for it too.
   */
  providerFor(identity: RoleIdentity): (() => Promise<ExpiringCredentials>) | undefined {
    if (this.#mappingOf(identity) === undefined) return undefined;
    return async () => {
      const found = await this.#mapped(identity);
      if (found === undefined) throw new Error(`role ${identity.role} is not mapped any more`);
      const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = found;
      const askedAgainAt = this.#options.now() + HELD_MS + SDK_REFRESH_AHEAD_MS;
      return {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        expiration: new Date(Math.min(expiresAt ?? askedAgainAt, askedAgainAt)),
      };
    };
  }

  /** Nothing for a function with a role of another account: what that role is mapped to is not its account's to use. */
  #mappingOf({ role, account }: RoleIdentity): RoleMapping | undefined {
    return role.split(':')[4] === account ? this.#roles.current.get(role) : undefined;
  }

  async #mapped(identity: RoleIdentity): Promise<EnvironmentCredentials | undefined> {
    const mapping = this.#mappingOf(identity);
    if (mapping === undefined) return undefined;
    return 'profile' in mapping ? this.#ofProfile(identity.role, mapping.profile) : mapping;
  }

  async #ofProfile(role: string, profile: string): Promise<EnvironmentCredentials> {
    const files = this.#options.profileFiles;
    const places = files && { filepath: files.credentials, configFilepath: files.config };
    try {
      const { fromIni } = await import('@aws-sdk/credential-provider-ini');
      const found = await fromIni({ profile, ignoreCache: true, ...places })();
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = found;
      return { accessKeyId, secretAccessKey, sessionToken, expiresAt: expiration?.getTime() };
    } catch (error) {
      throw new Error(`role ${role} is mapped to profile ${profile}, which gives no credentials`, {
        cause: error,
      });
    }
  }
}

function checkRoles(value: unknown): ReadonlyMap<string, RoleMapping> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('must be an object from role ARN to credentials');
  }
  const roles = new Map<string, RoleMapping>();
  for (const [role, mapping] of Object.entries(value)) {
    if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(role)) {
      throw new Error(`${role} is not the ARN of a role`);
    }
    roles.set(role, checkMapping(role, mapping));
  }
  return roles;
}

function checkMapping(role: string, mapping: unknown): RoleMapping {
  if (typeof mapping === 'object' && mapping !== null) {
    const members = new Map<string, unknown>(Object.entries(mapping));
    const names = [...members.keys()].sort().join(' ');
    const hasTexts = members.values().every((value) => typeof value === 'string' && value !== '');
    const isKnown = ['profile', fixedMembers, `${fixedMembers} sessionToken`].includes(names);
    if (hasTexts && isKnown) return mapping as RoleMapping; // names and types have just been compared
  }
  throw new Error(
    `${role} must have accessKeyId, secretAccessKey and perhaps sessionToken, or profile alone`,
  );
}

const fixedMembers = 'accessKeyId secretAccessKey';
