// Writes one event as one line of JSON into a buffer. What is bytes stays bytes: a function that prints a gigabyte would otherwise
// make several of strings on its way to the file.

/** Bytes are UTF-8. A string may hold lone surrogates, which bytes cannot. */
export type Message = string | Uint8Array;

const SEQUENCE = bytesOf('{"i":');
const TIMESTAMP = bytesOf(',"t":');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const U = 0x75;
const END = bytesOf('}\n');
const HEX = bytesOf('0123456789abcdef');
/** Of a whole number that a double holds exactly. */
const MOST_DIGITS = 16;
const GROUP_DIGITS = 8;
const GROUP = 10 ** GROUP_DIGITS;
/** `\u001f` for one byte, or for one UTF-16 unit. */
const MOST_ESCAPED = 6;

/** For each byte what stands behind the backslash in JSON text, or 0 when it needs none. */
const ESCAPES = escapeTable();

/** The part of a line that is the same for all events of a stream. */
export function streamPart(stream: string): Uint8Array {
  return bytesOf(`,"s":${JSON.stringify(stream)},"m":`);
}

/** Bytes that the line cannot exceed; told without looking at the message. */
export function lineBytesLimit(part: Uint8Array, message: Message): number {
  return frameBytes(part) + MOST_ESCAPED * message.length;
}

/** The same, but for the digits of two numbers exact; looks at the whole message. */
export function lineBytes(part: Uint8Array, message: Message): number {
  if (typeof message === 'string')
    return frameBytes(part) + Buffer.byteLength(JSON.stringify(message));
  let bytes = frameBytes(part) + message.length;
  for (let i = 0; i < message.length; i += 1) {
    const escape = ESCAPES[message[i] ?? 0];
    if (escape !== 0) bytes += escape === U ? MOST_ESCAPED - 1 : 1;
  }
  return bytes;
}

/** Writes `{"i":sequence,"t":timestamp,"s":stream,"m":message}` and LF where there is room for it; returns the end. */
export function writeLine(
  target: Buffer,
  start: number,
  position: { readonly sequence: number; readonly timestamp: number },
  part: Uint8Array,
  message: Message,
): number {
  let at = put(target, start, SEQUENCE);
  at = putNumber(target, at, position.sequence);
  at = put(target, at, TIMESTAMP);
  at = putNumber(target, at, position.timestamp);
  at = put(target, at, part);
  at =
    typeof message === 'string'
      ? at + target.write(JSON.stringify(message), at)
      : putQuoted(target, at, message);
  return put(target, at, END);
}

/** All but the message between its quotes. */
function frameBytes(part: Uint8Array): number {
  return SEQUENCE.length + TIMESTAMP.length + 2 * MOST_DIGITS + part.length + 2 + END.length;
}

/** As JSON.stringify writes the same text. */
function putQuoted(target: Buffer, start: number, message: Uint8Array): number {
  let at = start;
  target[at++] = QUOTE;
  for (let i = 0; i < message.length; i += 1) {
    const byte = message[i] ?? 0;
    const escape = ESCAPES[byte] ?? 0;
    if (escape === 0) target[at++] = byte;
    else {
      target[at++] = BACKSLASH;
      target[at++] = escape;
      if (escape === U) at = putHex(target, at, byte);
    }
  }
  target[at++] = QUOTE;
  return at;
}

function putHex(target: Buffer, at: number, byte: number): number {
  target[at] = ZERO;
  target[at + 1] = ZERO;
  target[at + 2] = HEX[byte >> 4] ?? ZERO;
  target[at + 3] = HEX[byte & 15] ?? ZERO;
  return at + 4;
}

function put(target: Buffer, start: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i += 1) target[start + i] = bytes[i] ?? 0;
  return start + bytes.length;
}

/** A whole number that is not negative. Digits in groups, since arithmetic on small integers is several times as fast. */
function putNumber(target: Buffer, start: number, value: number): number {
  if (value < GROUP) return putDigits(target, start, value, digitsOf(value));
  const high = Math.floor(value / GROUP);
  return putDigits(target, putNumber(target, start, high), value - high * GROUP, GROUP_DIGITS);
}

function putDigits(target: Buffer, start: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let at = start + digits - 1; at >= start; at -= 1) {
    const next = (rest / 10) | 0;
    target[at] = ZERO + rest - 10 * next;
    rest = next;
  }
  return start + digits;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; limit <= value; limit *= 10) digits += 1;
  return digits;
}

function escapeTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 128; byte += 1) {
    const [, first, second] = JSON.stringify(String.fromCharCode(byte));
    if (first === '\\') table[byte] = second?.charCodeAt(0) ?? 0;
  }
  return table;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
