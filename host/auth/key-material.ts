// Access keys in the service's form, from random bytes that are handed in.
import type { RandomBytes } from './host-key.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** One character of A-Z2-7 for each byte, as ids of keys and identities have them. */
export function idCharacters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => BASE32.charAt(byte % BASE32.length)).join('');
}

/** `AKIA` (long-lived) or `ASIA` (with a session token), then 16 characters of A-Z2-7. */
export function makeAccessKeyId(prefix: 'AKIA' | 'ASIA', random: RandomBytes): string {
  return `${prefix}${idCharacters(random(16))}`;
}

/** 40 characters of the base64 alphabet. */
export function makeSecretAccessKey(random: RandomBytes): string {
  return Buffer.from(random(30)).toString('base64');
}

/** 43 characters that need no encoding anywhere. */
export function makeBearerToken(random: RandomBytes): string {
  return Buffer.from(random(32)).toString('base64url');
}
