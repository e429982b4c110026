// The canonical form of a request, as Signature Version 4 hashes it. Text is bytes here: each character stands for one byte,
// which is how Node hands out targets and header values.

const encodedByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9\-_.~]/.test(character)
    ? character
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

const plainPath = /^[A-Za-z0-9\-_.~/]+$/;
const beyondByte = /[^\0-\xff]/;
const hexPair = /^[0-9A-Fa-f]{2}$/;

/** How a `+` in a query is read: as itself, or as the space that form encoding writes so. */
export type PlusMeaning = 'plus' | 'space';

/**
 * The raw path, normalised and percent-encoded once more (`%3A` becomes `%253A`), as the clients of every service but S3 sign it.
 */
export function canonicalUri(path: string): string {
  if (plainPath.test(path) && !path.includes('//') && !path.includes('/.')) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encodeBytes(segment));
  }
  if (kept.length === 0) return '/';
  return `/${kept.join('/')}${path.endsWith('/') ? '/' : ''}`;
}

/**
 * The raw query (without `?`): every key and value decoded, encoded once, sorted by key, then by value. `without` is a key to
 * leave out, which a presigned request needs for its own signature.
 */
export function canonicalQuery(query: string, plus: PlusMeaning, without = ''): string {
  if (query === '') return '';
  const pairs: (readonly [key: string, value: string])[] = [];
  for (const item of query.split('&')) {
    if (item === '') continue;
    const equals = item.indexOf('=');
    const key = recode(equals === -1 ? item : item.slice(0, equals), plus);
    if (key === without) continue;
    pairs.push([key, equals === -1 ? '' : recode(item.slice(equals + 1), plus)]);
  }
  pairs.sort(([keyA, valueA], [keyB, valueB]) => compare(keyA, keyB) || compare(valueA, valueB));
  return pairs.map(([key, value]) => `${key}=${value}`).join('&');
}

/**
 * One line for each name (lower-case, sorted): values trimmed, runs of spaces made one, repeated headers joined by a comma.
 * `rawHeaders` alternates name and value. A `host` that is given stands in for the one received.
 */
export function canonicalHeaders(
  rawHeaders: readonly string[],
  names: readonly string[],
  host?: string,
): string {
  let lines = '';
  for (const name of names) {
    const value = name === 'host' && host !== undefined ? host : headerValue(rawHeaders, name);
    lines += `${name}:${value}\n`;
  }
  return lines;
}

function headerValue(rawHeaders: readonly string[], name: string): string {
  let joined: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const received = rawHeaders[index] ?? '';
    if (received.length !== name.length) continue;
    if (received !== name && received.toLowerCase() !== name) continue;
    const value = collapse(rawHeaders[index + 1] ?? '');
    joined = joined === undefined ? value : `${joined},${value}`;
  }
  return joined ?? '';
}

/** Only space and tab are white here: 0xA0 may be the second byte of a letter. */
function collapse(value: string): string {
  if (!value.includes('  ') && !value.includes('\t') && !value.startsWith(' ')) {
    if (!value.endsWith(' ')) return value;
  }
  return value.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Decodes and encodes in one pass; a `%` that no two hex digits follow stands for itself. */
function recode(text: string, plus: PlusMeaning): string {
  if (!text.includes('%') && !text.includes('+')) return encodeBytes(text);
  let recoded = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    const pair = character === '%' ? text.slice(index + 1, index + 3) : '';
    if (hexPair.test(pair)) {
      recoded += encodedByte[Number.parseInt(pair, 16)];
      index += 2;
    } else if (character === '+' && plus === 'space') {
      recoded += '%20';
    } else {
      recoded += encodeBytes(character);
    }
  }
  return recoded;
}

function encodeBytes(text: string): string {
  const bytes = beyondByte.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
  let encoded = '';
  for (let index = 0; index < bytes.length; index += 1) {
    encoded += encodedByte[bytes.charCodeAt(index)];
  }
  return encoded;
}
