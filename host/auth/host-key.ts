// The host's own key, from which the keys of stateless secrets are derived: whoever holds the data directory holds them all.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { ensureSecret, openSecretsDir, SecretFileError } from './secret-files.ts';

/** A source of random bytes. */
export type RandomBytes = (size: number) => Uint8Array;

const keyBytes = 32;

/** Gives each purpose a key of its own; equal over restarts. */
export interface HostKey {
  derive(purpose: string): KeyObject;
}

/** Reads `secrets/host-key`, made on first use. Throws {@link SecretFileError}. */
export async function openHostKey(options: {
  readonly secretsDir: string;
  readonly random: RandomBytes;
}): Promise<HostKey> {
  await openSecretsDir(options.secretsDir);
  const path = join(options.secretsDir, 'host-key');
  const text = await ensureSecret(path, () =>
    Buffer.from(options.random(keyBytes)).toString('hex'),
  );
  const bytes = Buffer.from(text, 'hex');
  if (bytes.length !== keyBytes) throw new SecretFileError(`${path}: must hold 64 hex digits`);
  return {
    derive: (purpose) =>
      createSecretKey(Buffer.from(hkdfSync('sha256', bytes, '', purpose, keyBytes))),
  };
}
