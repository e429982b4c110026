// Who a request comes from, whatever the mode of the host: verified by its signature, or anonymous where that is allowed.
import type { BrowserGuard } from '../http/browser-guard.ts';
import { type AccessKey, type Caller, type KeyLookup, rootCaller } from './caller.ts';
import { hasQuerySignature, type SignedRequest } from './carrier.ts';
import { SigV4Verifier } from './sigv4.ts';
import type { PendingSignature } from './verification.ts';

/** `none`: unsigned requests are the administrator's, if the guard lets them pass. Signed ones are checked all the same. */
export type AuthMode =
  | { readonly kind: 'sigv4' }
  | {
      readonly kind: 'none';
      readonly guard: BrowserGuard;
      readonly account: string;
      readonly region: string;
    };

export interface AuthenticatorOptions {
  readonly mode: AuthMode;
  readonly lookup: KeyLookup;
  /** Services a scope may name: `lambda`, and `logs` or others where they are served. Errors name the first. */
  readonly services: readonly string[];
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly trustedHosts?: readonly string[] | undefined;
  /** Tell a caller whose signature does not match what was hashed. */
  readonly debug?: boolean | undefined;
}

/** A caller whose headers are in order. Nothing may be done for it before one of the two finishing methods has returned. */
export interface PendingAuthentication {
  /** The service of the signature's scope; undefined for an unsigned request. */
  readonly service: string | undefined;
  /** The caller, if it is who it says it is. */
  readonly claimed: Caller;
  /** The caller, when its headers alone prove who it is; the body may still be another than was signed. */
  readonly proven: Caller | undefined;
  /** False when the body need not be hashed. */
  readonly coversBody: boolean;
  /** Throws InvalidSignatureException. */
  finish(body: Uint8Array): Caller;
  /** The same for a body that was hashed as it came in (SHA-256, lower-case hex). */
  finishDigest(bodySha256: string): Caller;
}

export interface Authenticator {
  /** Decides all that the headers tell. Throws what {@link SigV4Verifier.begin} throws, or AccessDeniedException. */
  begin(request: SignedRequest): PendingAuthentication;
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const verifier = new SigV4Verifier(options);
  const beginSigned = (request: SignedRequest): PendingAuthentication =>
    new SignedAuthentication(verifier.begin(request));
  const { mode } = options;
  if (mode.kind === 'sigv4') return { begin: beginSigned };
  const anonymous = anonymousAuthentication(mode.account, mode.region);
  return {
    begin(request) {
      mode.guard.check(request.rawHeaders);
      return isUnsigned(request) ? anonymous : beginSigned(request);
    },
  };
}

/** Looks for a key among the listed ones, then among those issued to functions. */
export function lookupIn(
  listed: { lookup: KeyLookup },
  issued: { lookup(accessKeyId: string, sessionToken: string): ReturnType<KeyLookup> },
): KeyLookup {
  return (accessKeyId, sessionToken) => {
    const key = listed.lookup(accessKeyId, sessionToken);
    if (key !== 'unknown' || sessionToken === undefined) return key;
    return accessKeyId.startsWith('ASIA') ? issued.lookup(accessKeyId, sessionToken) : key;
  };
}

class SignedAuthentication implements PendingAuthentication {
  readonly #pending: PendingSignature;
  readonly claimed: Caller;

  constructor(pending: PendingSignature) {
    this.#pending = pending;
    this.claimed = callerOf(pending.key, pending.region);
  }

  get proven(): Caller | undefined {
    return this.#pending.isProven ? this.claimed : undefined;
  }

  get service(): string {
    return this.#pending.service;
  }

  get coversBody(): boolean {
    return this.#pending.coversBody;
  }

  finish(body: Uint8Array): Caller {
    this.#pending.finish(body);
    return this.claimed;
  }

  finishDigest(bodySha256: string): Caller {
    this.#pending.finishDigest(bodySha256);
    return this.claimed;
  }
}

/** Field by field, so that no secret travels on. */
function callerOf(key: AccessKey, region: string): Caller {
  const { kind, accessKeyId, account, principal, rights, attributes } = key;
  const caller = { kind, accessKeyId, account, principal, rights, region };
  return attributes === undefined ? caller : { ...caller, attributes };
}

/** One object for all unsigned requests: they cost a look at their headers. */
function anonymousAuthentication(account: string, region: string): PendingAuthentication {
  const caller = rootCaller('anonymous', account, region);
  const finish = (): Caller => caller;
  return {
    service: undefined,
    claimed: caller,
    proven: caller,
    coversBody: false,
    finish,
    finishDigest: finish,
  };
}

function isUnsigned({ target, rawHeaders }: SignedRequest): boolean {
  if (hasQuerySignature(target)) return false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 13 && name.toLowerCase() === 'authorization') return false;
  }
  return true;
}
