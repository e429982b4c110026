// Access keys in the service's form, from random bytes that are handed in.
import type { RandomBytes } from './host-key.ts';

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** `AKIA` (long-lived) or `ASIA` (with a session token), then 16 characters of A-Z2-7. */
export function makeAccessKeyId(prefix: 'AKIA' | 'ASIA', random: RandomBytes): string {
  const characters = Array.from(random(16), (byte) => base32.charAt(byte % base32.length));
  return `${prefix}${characters.join('')}`;
}

/** 40 characters of the base64 alphabet. */
export function makeSecretAccessKey(random: RandomBytes): string {
  return Buffer.from(random(30)).toString('base64');
}

/** 43 characters that need no encoding anywhere. */
export function makeBearerToken(random: RandomBytes): string {
  return Buffer.from(random(32)).toString('base64url');
}
