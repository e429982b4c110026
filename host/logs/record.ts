// One log event as one line of JSON: {"i":sequence,"t":epoch ms,"s":stream,"m":message}. Written (encode.ts) in exactly this order
// without blanks, so that a reader can pass over a line by looking at its first bytes.
import type { Message } from './encode.ts';

/** A longer message is split; the service's own limit for one event until 2025. In bytes of UTF-8. */
export const MAX_EVENT_BYTES = 262_144;

const LATEST_TIMESTAMP = 8_640_000_000_000_000;
const TIMESTAMP_DIGITS = 16;
const SEQUENCE_DIGITS = 40;
const SEQUENCE_MARK = Buffer.from('{"i":');
const TIMESTAMP_MARK = Buffer.from(',"t":');
const ZERO = 0x30;
const COMMA = 0x2c;

export interface LogEvent {
  /** 56 digits: stable, unique in its group, growing by timestamp and then by arrival. */
  readonly eventId: string;
  /** Epoch milliseconds, whole. */
  readonly timestamp: number;
  readonly stream: string;
  readonly message: string;
}

/** The place of an event among all events of its group. */
export interface EventPosition {
  readonly timestamp: number;
  /** Rises by one with each event of the group, in the order of arrival. */
  readonly sequence: number;
}

/** What a line says before its stream and message; `rest` is the offset behind it. */
export interface RecordHead extends EventPosition {
  readonly rest: number;
}

/** Undefined for a line that encode.ts has not written: torn, or damaged. */
export function readHead(bytes: Buffer, start: number, end: number): RecordHead | undefined {
  if (!startsWith(bytes, start, end, SEQUENCE_MARK)) return undefined;
  const sequence = readDigits(bytes, start + SEQUENCE_MARK.length, end);
  if (sequence === undefined || !startsWith(bytes, sequence.end, end, TIMESTAMP_MARK))
    return undefined;
  const timestamp = readDigits(bytes, sequence.end + TIMESTAMP_MARK.length, end);
  if (timestamp === undefined || timestamp.end >= end || bytes[timestamp.end] !== COMMA)
    return undefined;
  return { sequence: sequence.value, timestamp: timestamp.value, rest: timestamp.end };
}

/** The whole event, or undefined for a line that is not one. */
export function decodeRecord(bytes: Buffer, start: number, end: number): LogEvent | undefined {
  const head = readHead(bytes, start, end);
  const record = head && parseJson(bytes.toString('utf8', start, end));
  if (head === undefined || !isBody(record)) return undefined;
  return {
    eventId: eventIdOf(head),
    timestamp: head.timestamp,
    stream: record.s,
    message: record.m,
  };
}

function eventIdOf(position: EventPosition): string {
  const timestamp = String(position.timestamp).padStart(TIMESTAMP_DIGITS, '0');
  return timestamp + String(position.sequence).padStart(SEQUENCE_DIGITS, '0');
}

/** The reverse of {@link eventIdOf}. Throws RangeError for text that is no event id. */
export function positionOf(eventId: string): EventPosition {
  if (!/^\d{56}$/.test(eventId)) throw new RangeError(`not an event id: ${eventId}`);
  return {
    timestamp: Number(eventId.slice(0, TIMESTAMP_DIGITS)),
    sequence: Number(eventId.slice(TIMESTAMP_DIGITS)),
  };
}

export function comparePositions(a: EventPosition, b: EventPosition): number {
  return a.timestamp - b.timestamp || a.sequence - b.sequence;
}

/** A timestamp that can be stored: whole, and within what a Date can hold. Undefined when there is no such thing. */
export function storableTimestamp(epochMs: number): number | undefined {
  return epochMs >= 0 && epochMs <= LATEST_TIMESTAMP ? Math.trunc(epochMs) : undefined;
}

/** Tells without counting bytes; most messages are far from the limit. */
export function isSurelyWhole(message: Message): boolean {
  return message.length * (typeof message === 'string' ? 3 : 1) <= MAX_EVENT_BYTES;
}

/** Pieces of at most {@link MAX_EVENT_BYTES}, cut between characters; the message itself when that is short enough. */
export function splitMessage(message: Message): readonly Message[] {
  const bytes = typeof message === 'string' ? Buffer.from(message) : message;
  if (bytes.length <= MAX_EVENT_BYTES) return [message];
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + MAX_EVENT_BYTES, bytes.length);
    while (end < bytes.length && isContinuation(bytes[end] ?? 0)) end -= 1;
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function startsWith(bytes: Buffer, start: number, end: number, mark: Buffer): boolean {
  const stop = start + mark.length;
  return stop <= end && bytes.compare(mark, 0, mark.length, start, stop) === 0;
}

function readDigits(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let offset = start;
  for (; offset < end; offset += 1) {
    const digit = bytes.readUInt8(offset) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return offset === start ? undefined : { value, end: offset };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isBody(value: unknown): value is { readonly s: string; readonly m: string } {
  if (typeof value !== 'object' || value === null) return false;
  return 's' in value && typeof value.s === 'string' && 'm' in value && typeof value.m === 'string';
}
