// One request, its key, its body; does the signature hold? Checked before the body is there if its hash is declared. Where the
// standard leaves room for two readings of a request, both are tried.
import { ServiceError } from '../service-error.ts';
import type { AccessKey } from './caller.ts';
import {
  canonicalHeaders,
  canonicalQuery,
  canonicalUri,
  type PlusMeaning,
} from './canonical-request.ts';
import {
  type SignatureTerms,
  type SignedRequest,
  type SigningTime,
  signatureAlgorithm,
} from './carrier.ts';
import { equalSecrets, hmacHex, type SigningKeys, sha256Hex } from './signing-key.ts';

const unsignedPayload = 'UNSIGNED-PAYLOAD';
/** Bodies in signed chunks: only S3 has them, and whoever serves S3 must check the chunks. */
const streamingPayloads = new Set([
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
]);
const sha256Form = /^[0-9a-f]{64}$/i;
const mismatchText =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/** A signature that holds. */
export interface VerifiedSignature {
  readonly key: AccessKey;
  readonly region: string;
  readonly service: string;
}

/** A request whose headers are in order. Its signature holds already if the headers alone could prove it. */
export interface PendingSignature {
  readonly key: AccessKey;
  readonly region: string;
  readonly service: string;
  /** True when the signature has been checked, and only the body is still to be held against its declared hash. */
  readonly isProven: boolean;
  /** False when the signature says nothing about the body, which then need not be hashed. */
  readonly coversBody: boolean;
  /** Checks payload hash and signature. Throws InvalidSignatureException. */
  finish(body: Uint8Array): VerifiedSignature;
  /** The same for a body that was hashed as it came in (SHA-256, lower-case hex). */
  finishDigest(bodySha256: string): VerifiedSignature;
}

/** What both carriers come down to. */
export interface Signature {
  readonly terms: SignatureTerms;
  readonly signature: string;
  readonly time: SigningTime;
  /** The payload hash that the client declared, if it did. */
  readonly declaredHash: string | undefined;
  readonly presigned: boolean;
  /** The Authorization header up to the signature, when it is worth remembering. */
  readonly prefix: string;
}

export interface VerificationParts {
  readonly request: SignedRequest;
  readonly key: AccessKey;
  readonly signature: Signature;
  readonly signingKeys: SigningKeys;
  readonly forwardedHost: string | undefined;
  readonly debug: boolean;
  /** Called once the signature has held. */
  readonly remember: (() => void) | undefined;
}

/** One reading of a request where the standard leaves room for two. */
interface Reading {
  readonly payloadHash: string;
  readonly plus: PlusMeaning;
  readonly host: string | undefined;
}

export class Verification implements PendingSignature {
  readonly #parts: VerificationParts;

  /** Throws InvalidSignatureException when the payload hash is declared and the signature does not hold with it. */
  constructor(parts: VerificationParts) {
    this.#parts = parts;
    const { declaredHash } = parts.signature;
    if (declaredHash !== undefined) this.#requireSignature(declaredHash);
  }

  get key(): AccessKey {
    return this.#parts.key;
  }

  get region(): string {
    return this.#parts.signature.terms.credential.region;
  }

  get service(): string {
    return this.#parts.signature.terms.credential.service;
  }

  get isProven(): boolean {
    return this.#parts.signature.declaredHash !== undefined;
  }

  get coversBody(): boolean {
    const { declaredHash } = this.#parts.signature;
    return declaredHash === undefined || sha256Form.test(declaredHash);
  }

  finish(body: Uint8Array): VerifiedSignature {
    return this.finishDigest(this.coversBody ? sha256Hex(body) : '');
  }

  finishDigest(bodySha256: string): VerifiedSignature {
    const { declaredHash, presigned } = this.#parts.signature;
    if (declaredHash !== undefined) {
      if (this.coversBody && declaredHash.toLowerCase() !== bodySha256)
        throw this.#mismatch(usualReading(bodySha256));
    } else if (presigned) this.#requireSignature(unsignedPayload, bodySha256);
    else this.#requireSignature(bodySha256);
    return { key: this.key, region: this.region, service: this.service };
  }

  /** Throws unless the signature holds for one reading of the request; `otherHash` is tried for a payload hash as well. */
  #requireSignature(payloadHash: string, otherHash?: string): void {
    const usual = usualReading(payloadHash);
    if (!this.#holds(usual)) {
      const others = this.#otherReadings(payloadHash, otherHash);
      if (!others.some((reading) => this.#holds(reading))) throw this.#mismatch(usual);
    }
    this.#parts.remember?.();
  }

  #holds(reading: Reading): boolean {
    const { signature, signingKeys, key } = this.#parts;
    const signingKey = signingKeys.get(signature.terms.credential, key.secretAccessKey);
    const expected = hmacHex(signingKey, this.#stringToSign(this.#canonicalRequest(reading)));
    return equalSecrets(expected, signature.signature);
  }

  /** Behind a proxy the client may have signed another host; some clients write a space as `+`; some presign a body hash. */
  #otherReadings(payloadHash: string, otherHash: string | undefined): readonly Reading[] {
    const { request, forwardedHost } = this.#parts;
    const hashes = otherHash === undefined ? [payloadHash] : [payloadHash, otherHash];
    const meanings: PlusMeaning[] = ['plus'];
    if (queryOf(request.target).includes('+')) meanings.push('space');
    const hosts = forwardedHost === undefined ? [undefined] : [undefined, forwardedHost];
    return hosts
      .flatMap((host) => meanings.map((plus) => ({ host, plus })))
      .flatMap((reading) => hashes.map((hash) => ({ ...reading, payloadHash: hash })))
      .slice(1);
  }

  #canonicalRequest({ payloadHash, plus, host }: Reading): string {
    const { request, signature } = this.#parts;
    const { signedHeaders } = signature.terms;
    const question = request.target.indexOf('?');
    const path = question === -1 ? request.target : request.target.slice(0, question);
    const query = question === -1 ? '' : request.target.slice(question + 1);
    const own = signature.presigned ? 'X-Amz-Signature' : '';
    return `${request.method.toUpperCase()}\n${canonicalUri(path)}\n${canonicalQuery(query, plus, own)}\n${canonicalHeaders(request.rawHeaders, signedHeaders, host)}\n${signedHeaders.join(';')}\n${payloadHash}`;
  }

  #stringToSign(canonicalRequest: string): string {
    const { terms, time } = this.#parts.signature;
    return `${signatureAlgorithm}\n${time.text}\n${terms.credential.scope}\n${sha256Hex(canonicalRequest)}`;
  }

  #mismatch(reading: Reading): ServiceError {
    if (!this.#parts.debug) return new ServiceError('InvalidSignatureException', mismatchText);
    const canonicalRequest = this.#canonicalRequest(reading);
    return new ServiceError(
      'InvalidSignatureException',
      `${mismatchText}\n\nThe Canonical String for this request should have been\n'${canonicalRequest}'\n\nThe String-to-Sign should have been\n'${this.#stringToSign(canonicalRequest)}'`,
    );
  }
}

function usualReading(payloadHash: string): Reading {
  return { payloadHash, plus: 'plus', host: undefined };
}

/** Throws InvalidSignatureException for a declared payload hash that is none. */
export function requireKnownHash({ declaredHash, terms }: Signature): void {
  if (declaredHash === undefined || declaredHash === unsignedPayload) return;
  if (sha256Form.test(declaredHash)) return;
  if (streamingPayloads.has(declaredHash) && terms.credential.service === 's3') return;
  throw new ServiceError(
    'InvalidSignatureException',
    `'X-Amz-Content-Sha256' must be UNSIGNED-PAYLOAD or a SHA-256 in hex, got '${declaredHash}'.`,
  );
}

/** The query of a target, without `?`. */
export function queryOf(target: string): string {
  const question = target.indexOf('?');
  return question === -1 ? '' : target.slice(question + 1);
}
