// What a signed request says about its signature, whether in the Authorization header or in a presigned query. Refused in
// the service's words and order. Nothing here knows a key or computes a hash.
import { ServiceError } from '../service-error.ts';
import { formatBasicTime, parseBasicTime, parseDateHeader } from './timestamp.ts';

export const signatureAlgorithm = 'AWS4-HMAC-SHA256';

/** A request as Node receives it: the target undecoded, header names and values alternating. */
export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/** The headers that say something about the signature; undefined where absent. */
export interface SignatureHeaders {
  authorization: string | undefined;
  amzDate: string | undefined;
  date: string | undefined;
  securityToken: string | undefined;
  contentSha256: string | undefined;
  forwardedHost: string | undefined;
}

/** `keyid/date/region/service/term`, taken apart. */
export interface Credential {
  /** All five, as received. */
  readonly text: string;
  /** The last four: the scope of the string to sign. */
  readonly scope: string;
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
}

/** The part of a signature that a client repeats over its requests of one day; worth remembering. */
export interface SignatureTerms {
  readonly credential: Credential;
  /** Lower-case, sorted. */
  readonly signedHeaders: readonly string[];
}

/** The moment a request was signed for, as signed and in epoch milliseconds. */
export interface SigningTime {
  readonly text: string;
  readonly atMs: number;
}

/** What a presigned query says. */
export interface PresignedQuery {
  readonly terms: SignatureTerms;
  readonly signature: string;
  readonly time: SigningTime;
  readonly expiresSeconds: number;
  readonly securityToken: string | undefined;
  readonly contentSha256: string | undefined;
}

const oneWeekSeconds = 604_800;

/** One pass over the headers. A header that may stand once and stands twice keeps its first value. */
export function readSignatureHeaders(rawHeaders: readonly string[]): SignatureHeaders {
  const found: SignatureHeaders = {
    authorization: undefined,
    amzDate: undefined,
    date: undefined,
    securityToken: undefined,
    contentSha256: undefined,
    forwardedHost: undefined,
  };
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const member = memberOf(name);
    if (member !== undefined) found[member] ??= rawHeaders[index + 1];
  }
  return found;
}

/** The length tells most headers apart, so that few are ever lower-cased. */
function memberOf(name: string): keyof SignatureHeaders | undefined {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'date' ? 'date' : undefined;
    case 10:
      return name.toLowerCase() === 'x-amz-date' ? 'amzDate' : undefined;
    case 13:
      return name.toLowerCase() === 'authorization' ? 'authorization' : undefined;
    case 16:
      return name.toLowerCase() === 'x-forwarded-host' ? 'forwardedHost' : undefined;
    case 20: {
      const lower = name.toLowerCase();
      if (lower === 'x-amz-security-token') return 'securityToken';
      return lower === 'x-amz-content-sha256' ? 'contentSha256' : undefined;
    }
    default:
      return undefined;
  }
}

/**
 * Takes an Authorization header apart. Parts may stand in any order, with or without spaces after their commas.
 * Throws IncompleteSignatureException.
 */
export function parseAuthorization(
  header: string,
  hasDate: boolean,
): { readonly terms: SignatureTerms; readonly signature: string } {
  const space = header.indexOf(' ');
  const algorithm = space === -1 ? header : header.slice(0, space);
  const parts = parametersOf(header, space === -1 ? '' : header.slice(space + 1).trim());
  const { credential = '', signature = '', signedHeaders = '' } = parts;
  const missing = [
    credential === '' && "Authorization header requires 'Credential' parameter. ",
    signature === '' && "Authorization header requires 'Signature' parameter. ",
    signedHeaders === '' && "Authorization header requires 'SignedHeaders' parameter. ",
    !hasDate &&
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
  ].filter((text) => text !== false);
  if (missing.length > 0) throw incomplete(`${missing.join('')}Authorization=${algorithm}`);
  const terms = { credential: parseCredential(credential), signedHeaders: namesOf(signedHeaders) };
  requireAlgorithm(algorithm);
  return { terms, signature };
}

function parametersOf(header: string, rest: string): Partial<Record<string, string>> {
  const parts: Partial<Record<string, string>> = {};
  if (rest === '') return parts;
  for (const untrimmed of rest.split(',')) {
    const part = untrimmed.trim();
    const equals = part.indexOf('=');
    if (equals === -1) {
      throw incomplete(
        `'${part}' not a valid key=value pair (missing equal-sign) in Authorization header: '${header}'.`,
      );
    }
    const name = part.slice(0, equals);
    const value = part.slice(equals + 1);
    if (name === 'Credential') parts.credential = value;
    else if (name === 'Signature') parts.signature = value;
    else if (name === 'SignedHeaders') parts.signedHeaders = value;
  }
  return parts;
}

/** The moment of a request signed in its header: X-Amz-Date, else Date. Throws IncompleteSignatureException. */
export function headerTime(headers: SignatureHeaders): SigningTime {
  const text = headers.amzDate ?? headers.date ?? '';
  const atMs = headers.amzDate === undefined ? parseDateHeader(text) : parseBasicTime(text);
  if (atMs === undefined) throw badDate(text);
  return { text: formatBasicTime(atMs), atMs };
}

/** Whether a target carries a signature, or part of one, in its query. */
export function hasQuerySignature(target: string): boolean {
  return target.includes('X-Amz-') && /[?&]X-Amz-(?:Algorithm|Credential|Signature)=/.test(target);
}

/** Takes a presigned query (without `?`) apart. Throws IncompleteSignatureException. */
export function parsePresignedQuery(query: string): PresignedQuery {
  const parameters = new Map(query.split('&').map(decodedPair));
  const required = (name: string): string => parameters.get(name) ?? '';
  const missing = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-SignedHeaders',
    'X-Amz-Date',
    'X-Amz-Expires',
  ].filter((name) => required(name) === '');
  if (missing.length > 0) {
    const texts = missing.map((name) => `AWS query-string parameters must include '${name}'. `);
    throw incomplete(`${texts.join('')}Re-examine the query-string parameters.`);
  }
  const credential = parseCredential(required('X-Amz-Credential'));
  requireAlgorithm(required('X-Amz-Algorithm'));
  const text = required('X-Amz-Date');
  const atMs = parseBasicTime(text);
  if (atMs === undefined) throw badDate(text);
  return {
    terms: { credential, signedHeaders: namesOf(required('X-Amz-SignedHeaders')) },
    signature: required('X-Amz-Signature'),
    time: { text, atMs },
    expiresSeconds: parseExpires(required('X-Amz-Expires')),
    securityToken: parameters.get('X-Amz-Security-Token'),
    contentSha256: parameters.get('X-Amz-Content-Sha256'),
  };
}

function decodedPair(item: string): [name: string, value: string] {
  const equals = item.indexOf('=');
  if (equals === -1) return [item, ''];
  return [item.slice(0, equals), decoded(item.slice(equals + 1))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    // Only malformed escapes end here; as they stand they match no signature.
    if (error instanceof URIError) return text;
    throw error;
  }
}

function parseExpires(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= oneWeekSeconds) return seconds;
  throw incomplete(`'X-Amz-Expires' must be a number of seconds from 1 to 604800, got '${text}'.`);
}

function parseCredential(text: string): Credential {
  const elements = text.split('/');
  if (elements.length !== 5) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${text}'`,
    );
  }
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = elements;
  const scope = text.slice(accessKeyId.length + 1);
  return { text, scope, accessKeyId, date, region, service, terminator };
}

function namesOf(signedHeaders: string): readonly string[] {
  return signedHeaders.toLowerCase().split(';').sort();
}

function requireAlgorithm(algorithm: string): void {
  if (algorithm !== signatureAlgorithm) {
    throw incomplete(`Unsupported AWS 'algorithm': '${algorithm}'`);
  }
}

function badDate(text: string): ServiceError {
  return incomplete(`Date must be in ISO-8601 'basic format'. Got '${text}'.`);
}

function incomplete(message: string): ServiceError {
  return new ServiceError('IncompleteSignatureException', message);
}
