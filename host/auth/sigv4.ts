// Verification of Signature Version 4, in two steps so that a bad request is refused before its body is read: `begin` decides
// all that headers tell, the signature too if they declare the payload hash; `finish` decides what takes the body.
import { LRUCache } from 'lru-cache';
import { ServiceError } from '../service-error.ts';
import type { AccessKey, KeyLookup } from './caller.ts';
import {
  hasQuerySignature,
  headerTime,
  parseAuthorization,
  parsePresignedQuery,
  readSignatureHeaders,
  type SignatureHeaders,
  type SignatureTerms,
  type SignedRequest,
  type SigningTime,
} from './carrier.ts';
import { requireCurrent, requireSameDay, requireTerms, requireUnexpired } from './scope.ts';
import { SigningKeys } from './signing-key.ts';
import {
  type PendingSignature,
  queryOf,
  requireKnownHash,
  type Signature,
  Verification,
} from './verification.ts';

export type { SignedRequest } from './carrier.ts';
export type { PendingSignature, VerifiedSignature } from './verification.ts';

const rememberedPrefixes = 500;
const signatureLength = 64;

export interface SigV4Options {
  readonly lookup: KeyLookup;
  /** Names accepted as the service of a scope; errors name the first. */
  readonly services: readonly string[];
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Names that a proxy may have replaced in `Host`; believed from X-Forwarded-Host. Lower-case, without port. */
  readonly trustedHosts?: readonly string[] | undefined;
  /** Tell a caller whose signature does not match what was hashed. */
  readonly debug?: boolean | undefined;
}

/** Verifies requests of one host. Remembers what clients repeat: the head of their Authorization and their signing key. */
export class SigV4Verifier {
  readonly #options: SigV4Options;
  readonly #signingKeys = new SigningKeys();
  /** Filled by signatures that held only, so that nobody without a key can push entries out. */
  readonly #terms = new LRUCache<string, SignatureTerms>({ max: rememberedPrefixes });
  /** The latest X-Amz-Date and what it means: requests of one second share it. */
  #latestTime: SigningTime | undefined;

  constructor(options: SigV4Options) {
    this.#options = options;
  }

  /**
   * Decides everything that the headers tell, in the service's order: carrier, form, key, token, scope, time, signature. Throws
   * MissingAuthenticationToken-, IncompleteSignature-, UnrecognizedClient-, ExpiredToken- or InvalidSignatureException.
   */
  begin(request: SignedRequest): PendingSignature {
    const headers = readSignatureHeaders(request.rawHeaders);
    const presigned = hasQuerySignature(request.target);
    if (!presigned && headers.authorization === undefined) {
      throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
    }
    if (presigned && headers.authorization !== undefined) {
      throw new ServiceError(
        'IncompleteSignatureException',
        "A request may carry its signature in the 'Authorization' header or in the query string, not in both.",
      );
    }
    return presigned
      ? this.#beginPresigned(request, headers)
      : this.#beginSigned(request, headers, headers.authorization ?? '');
  }

  #beginPresigned(request: SignedRequest, headers: SignatureHeaders): PendingSignature {
    const query = parsePresignedQuery(queryOf(request.target));
    const { terms, time } = query;
    const key = this.#keyOf(terms, query.securityToken ?? headers.securityToken);
    requireTerms(terms, this.#options.services);
    requireSameDay(terms.credential.date, time);
    requireUnexpired(time, query.expiresSeconds, this.#options.now());
    const declaredHash = query.contentSha256 ?? headers.contentSha256;
    const { signature } = query;
    return this.#pending(request, headers, key, {
      terms,
      time,
      signature,
      declaredHash,
      presigned: true,
      prefix: '',
    });
  }

  #beginSigned(
    request: SignedRequest,
    headers: SignatureHeaders,
    authorization: string,
  ): PendingSignature {
    const hasDate = headers.amzDate !== undefined || headers.date !== undefined;
    const prefix = prefixOf(authorization);
    const known = hasDate && prefix !== '' ? this.#terms.get(prefix) : undefined;
    const { terms, signature } =
      known === undefined
        ? parseAuthorization(authorization, hasDate)
        : { terms: known, signature: authorization.slice(prefix.length) };
    const time = this.#timeOf(headers);
    const key = this.#keyOf(terms, headers.securityToken);
    if (known === undefined) requireTerms(terms, this.#options.services);
    requireSameDay(terms.credential.date, time);
    requireCurrent(time, this.#options.now());
    const declaredHash = headers.contentSha256;
    return this.#pending(request, headers, key, {
      terms,
      time,
      signature,
      declaredHash,
      presigned: false,
      prefix: known === undefined ? prefix : '',
    });
  }

  #timeOf(headers: SignatureHeaders): SigningTime {
    const latest = this.#latestTime;
    if (latest !== undefined && headers.amzDate === latest.text) return latest;
    const time = headerTime(headers);
    if (headers.amzDate !== undefined) this.#latestTime = time;
    return time;
  }

  #keyOf(terms: SignatureTerms, securityToken: string | undefined): AccessKey {
    const key = this.#options.lookup(terms.credential.accessKeyId, securityToken);
    switch (key) {
      case 'unknown':
        throw new ServiceError(
          'UnrecognizedClientException',
          'The security token included in the request is invalid.',
        );
      case 'expired':
        throw new ServiceError(
          'ExpiredTokenException',
          'The security token included in the request is expired',
        );
      default:
        return key;
    }
  }

  #pending(
    request: SignedRequest,
    headers: SignatureHeaders,
    key: AccessKey,
    signature: Signature,
  ): PendingSignature {
    requireKnownHash(signature);
    const { prefix, terms } = signature;
    return new Verification({
      request,
      key,
      signature,
      signingKeys: this.#signingKeys,
      forwardedHost: this.#trustedForwardedHost(headers.forwardedHost),
      debug: this.#options.debug === true,
      remember: prefix === '' ? undefined : () => void this.#terms.set(prefix, terms),
    });
  }

  #trustedForwardedHost(host: string | undefined): string | undefined {
    if (host === undefined) return undefined;
    const name = host.toLowerCase().replace(/:\d+$/, '');
    return this.#options.trustedHosts?.includes(name) === true ? host : undefined;
  }
}

/** The header up to its signature, where the signature stands last, as every SDK writes it; else empty. */
function prefixOf(authorization: string): string {
  const length = authorization.length - signatureLength;
  if (length <= 0 || !authorization.endsWith('Signature=', length)) return '';
  return authorization.includes(',', length) ? '' : authorization.slice(0, length);
}
