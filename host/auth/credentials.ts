// The access keys of a host: those of `secrets/credentials.json`, reread when it changes, and the operator's own admin pair.
import { join } from 'node:path';
import { isServiceName } from '../policies/statement.ts';
import type { AccessKey, KeyRefusal, PrincipalAttributes } from './caller.ts';
import { type CredentialEntry, checkCredentials, formatCredentials } from './credential-file.ts';
import type { RandomBytes } from './host-key.ts';
import { makeAccessKeyId, makeBearerToken, makeSecretAccessKey } from './key-material.ts';
import {
  ensureSecret,
  openSecretsDir,
  parseJsonSecret,
  readSecret,
  SecretFileError,
  WatchedFile,
  writeSecret,
} from './secret-files.ts';
import { equalSecrets } from './signing-key.ts';

export interface AccessKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface CredentialsOptions {
  /** Created 0700. Holds `credentials.json` and `token`. */
  readonly secretsDir: string;
  /** 12 digits; the account of the admin pair. */
  readonly accountId: string;
  /** Milliseconds. */
  readonly now: () => number;
  readonly random: RandomBytes;
  /** The operator's admin pair: stands in for the generated one, and is never written down. */
  readonly admin?: AccessKeyPair | undefined;
  /** The operator's bearer token: stands in for the generated one. */
  readonly bearerToken?: string | undefined;
  /** Gets one sentence when an edited file cannot be used. */
  readonly onProblem: (problem: string) => void;
}

export interface Credentials {
  /** The key of that id, if the request carries the token that belongs to it, or none where none does. */
  lookup(accessKeyId: string, sessionToken?: string): AccessKey | KeyRefusal;
  /** An admin key of the host's account; undefined once an edited file holds none. */
  readonly adminPair: AccessKeyPair | undefined;
  /** What `Authorization: Bearer` must say under `/_lambkin/`. */
  readonly bearerToken: string;
  /** Whether that is what was said; takes equally long for every wrong token of its length. */
  isBearerToken(token: string): boolean;
}

/**
 * Opens the secrets of a host. Generates a bearer token, and an admin pair when neither the file nor the operator has one.
 * Throws {@link SecretFileError} when the file cannot be used.
 */
export async function openCredentials(options: CredentialsOptions): Promise<Credentials> {
  const path = credentialsPath(options.secretsDir);
  await openSecretsDir(options.secretsDir);
  checkOperatorsPair(options);
  const stored = await readCredentials(path);
  if (options.admin === undefined && !stored.some((entry) => isAdminOf(options.accountId, entry))) {
    await writeCredentials(path, [...stored, generateAdmin(options)]);
  } else if ((await readSecret(path)) === undefined) {
    await writeCredentials(path, stored);
  }
  const bearerToken =
    options.bearerToken ??
    (await ensureSecret(join(options.secretsDir, 'token'), () => makeBearerToken(options.random)));
  return new FileCredentials(options, path, bearerToken);
}

/** Where a secrets folder keeps its access keys. */
export function credentialsPath(secretsDir: string): string {
  return join(secretsDir, 'credentials.json');
}

/** The entries of a file; none when there is no file. Throws {@link SecretFileError}. */
export async function readCredentials(path: string): Promise<readonly CredentialEntry[]> {
  const text = await readSecret(path);
  return text === undefined ? [] : parseJsonSecret(path, text, checkCredentials);
}

/** Replaces the file after checking what goes into it; a running host takes it up within a second of its next call. */
export async function writeCredentials(
  path: string,
  entries: readonly CredentialEntry[],
): Promise<void> {
  await writeSecret(path, formatCredentials(checkCredentials(entries)));
}

interface KeySet {
  readonly byId: ReadonlyMap<string, KnownKey>;
  readonly adminPair: AccessKeyPair | undefined;
}

interface KnownKey {
  readonly key: AccessKey;
  readonly sessionToken: string | undefined;
}

class FileCredentials implements Credentials {
  readonly bearerToken: string;
  readonly #keys: WatchedFile<KeySet>;

  constructor(options: CredentialsOptions, path: string, bearerToken: string) {
    this.bearerToken = bearerToken;
    this.#keys = new WatchedFile({
      path,
      parse: (text) => keySetOf(parseJsonSecret(path, text, checkCredentials), options),
      absent: keySetOf([], options),
      now: options.now,
      onProblem: options.onProblem,
    });
  }

  get adminPair(): AccessKeyPair | undefined {
    return this.#keys.current.adminPair;
  }

  lookup(accessKeyId: string, sessionToken?: string): AccessKey | KeyRefusal {
    const known = this.#keys.current.byId.get(accessKeyId);
    if (known === undefined) return 'unknown';
    if (known.sessionToken === undefined && sessionToken === undefined) return known.key;
    return equalSecrets(known.sessionToken ?? '', sessionToken ?? '') ? known.key : 'unknown';
  }

  isBearerToken(token: string): boolean {
    return equalSecrets(token, this.bearerToken);
  }
}

function keySetOf(stored: readonly CredentialEntry[], options: CredentialsOptions): KeySet {
  const entries =
    options.admin === undefined ? stored : operatorsEntries(stored, options.admin, options);
  const byId = new Map(
    entries.map((entry) => [
      entry.accessKeyId,
      { key: keyOf(entry), sessionToken: entry.sessionToken },
    ]),
  );
  const admin = entries.find((entry) => isAdminOf(options.accountId, entry));
  return { byId, adminPair: admin && pairOf(admin) };
}

function keyOf(entry: CredentialEntry): AccessKey {
  const { accessKeyId, secretAccessKey, account, principal, rights } = entry;
  const attributes = attributesOf(entry);
  const key = { kind: 'key', accessKeyId, secretAccessKey, account, principal, rights } as const;
  return attributes === undefined ? key : { ...key, attributes };
}

/** A service acts for its own entry's account unless another one is named. */
function attributesOf(entry: CredentialEntry): PrincipalAttributes | undefined {
  const { principal, account, organization, sourceArn, sourceAccount = account } = entry;
  if (isServiceName(principal)) return { sourceArn, sourceAccount };
  return organization === undefined ? undefined : { organization };
}

/** The operator's pair first; neither the generated pair nor another entry of that id beside it. */
function operatorsEntries(
  stored: readonly CredentialEntry[],
  admin: AccessKeyPair,
  options: CredentialsOptions,
): readonly CredentialEntry[] {
  const others = stored.filter(
    (entry) => entry.generated !== true && entry.accessKeyId !== admin.accessKeyId,
  );
  return [adminEntry(admin, options), ...others];
}

function checkOperatorsPair(options: CredentialsOptions): void {
  if (options.admin === undefined) return;
  try {
    checkCredentials([adminEntry(options.admin, options)]);
  } catch (error) {
    throw new SecretFileError('the configured admin key pair cannot be used', { cause: error });
  }
}

function adminEntry(pair: AccessKeyPair, { accountId }: CredentialsOptions): CredentialEntry {
  return {
    ...pairOf(pair),
    account: accountId,
    principal: `arn:aws:iam::${accountId}:user/admin`,
    rights: 'admin',
  };
}

function generateAdmin(options: CredentialsOptions): CredentialEntry {
  const accessKeyId = makeAccessKeyId('AKIA', options.random);
  const secretAccessKey = makeSecretAccessKey(options.random);
  return { ...adminEntry({ accessKeyId, secretAccessKey }, options), generated: true };
}

function isAdminOf(accountId: string, entry: CredentialEntry): boolean {
  const isLongLived = entry.sessionToken === undefined;
  return entry.rights === 'admin' && entry.account === accountId && isLongLived;
}

function pairOf({ accessKeyId, secretAccessKey }: AccessKeyPair): AccessKeyPair {
  return { accessKeyId, secretAccessKey };
}
