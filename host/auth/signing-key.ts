// Signing keys, derived from a secret and a scope, and remembered: a client uses one for a whole day.
import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Credential } from './carrier.ts';

const rememberedKeys = 1_000;

interface RememberedKey {
  readonly secretAccessKey: string;
  readonly signingKey: KeyObject;
}

/** Signing keys by credential. A key whose secret has been replaced is derived anew. */
export class SigningKeys {
  readonly #remembered = new LRUCache<string, RememberedKey>({ max: rememberedKeys });

  get(credential: Credential, secretAccessKey: string): KeyObject {
    const known = this.#remembered.get(credential.text);
    if (known !== undefined && known.secretAccessKey === secretAccessKey) return known.signingKey;
    const signingKey = deriveSigningKey(credential, secretAccessKey);
    this.#remembered.set(credential.text, { secretAccessKey, signingKey });
    return signingKey;
  }
}

/** A KeyObject, because an HMAC on one costs a tenth of that on a buffer. */
function deriveSigningKey(credential: Credential, secretAccessKey: string): KeyObject {
  let key: Buffer | string = `AWS4${secretAccessKey}`;
  for (const part of [credential.date, credential.region, credential.service, 'aws4_request']) {
    key = createHmac('sha256', key).update(part).digest();
  }
  return createSecretKey(Buffer.from(key));
}

/** SHA-256 in lower-case hex of bytes, or of text whose characters are bytes. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', typeof data === 'string' ? Buffer.from(data, 'latin1') : data, 'hex');
}

/** HMAC-SHA256 in lower-case hex of text whose characters are bytes. */
export function hmacHex(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text, 'latin1').digest('hex');
}

/** Compares secrets in a time that depends on their lengths only. */
export function equalSecrets(a: string, b: string): boolean {
  const bytesA = Buffer.from(a);
  const bytesB = Buffer.from(b);
  return bytesA.length === bytesB.length && timingSafeEqual(bytesA, bytesB);
}
