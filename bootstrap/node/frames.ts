// The frames of runtime/protocol.ts over one descriptor: a reader that blocks the thread, a writer that returns when all is out.
import type { FrameKind, LogLevelByte } from '../../runtime/protocol.ts';
import {
  allocUnsafeSlow,
  byteLength,
  charCodeAt,
  copyWithin,
  latin1Slice,
  latin1Write,
  readSync,
  setBytes,
  stringSlice,
  subarray,
  utf8Slice,
  utf8Write,
  wait,
  writeSync,
} from './primordials.ts';

/** The kinds as they stand on the wire. */
export const FrameByte = {
  S: 0x53,
  I: 0x49,
  P: 0x50,
  Q: 0x51,
  T: 0x54,
  U: 0x55,
  R: 0x52,
  F: 0x46,
  O: 0x4f,
  E: 0x45,
  X: 0x58,
  J: 0x4a,
  N: 0x4e,
  L: 0x4c,
} as const satisfies Record<FrameKind, number>;

/** What {@link FrameReader.next} returns when the host has closed its end. */
const END_OF_FRAMES = 0;

/** Both buffers begin so; nearly every frame fits. */
const BUFFER_BYTES = 64 * 1024;
/** An empty read buffer above this is given back, so that one large event does not stay in idle memory. */
const RETAINED_BYTES = 1024 * 1024;
/** The longest piece of raw output in one frame. */
const MAX_RAW_LOG_BYTES = 256 * 1024;
/** The longest log event in one frame, its LF included; a longer one becomes several, as it would in the log itself. */
const MAX_EVENT_CHARS = 256 * 1024;
/** Longest error type in UTF-16 units; three bytes each still fit the u16 length. */
const MAX_ERROR_TYPE_LENGTH = 4096;
const ID_BYTES = 36;
const HEAD_BYTES = ID_BYTES + 8;

/** What every answer begins with. */
export interface AnswerHead {
  readonly id: string;
  readonly maxRssKib: number;
  /** From taking the event up to its answer. */
  readonly durationUs: number;
}

/** Reads frames and walks through the fields of the current one. Fields are read in order, straight from the buffer. */
export class FrameReader {
  readonly #fd: number;
  #buffer: Buffer = allocUnsafeSlow(BUFFER_BYTES);
  #start = 0;
  #end = 0;
  #cursor = 0;
  #frameEnd = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Drops the current frame, blocks until the next one is whole; its kind, or {@link END_OF_FRAMES}. */
  next(): number {
    this.#start = this.#frameEnd;
    if (this.#start === this.#end) this.#rewind();
    if (!this.#require(4)) return END_OF_FRAMES;
    const length = u32At(this.#buffer, this.#start);
    if (!this.#require(4 + length)) return END_OF_FRAMES;
    this.#cursor = this.#start + 5;
    this.#frameEnd = this.#start + 4 + length;
    return this.#buffer[this.#start + 4] ?? END_OF_FRAMES;
  }

  id(): string {
    const at = this.#cursor;
    this.#cursor = at + ID_BYTES;
    return latin1Slice(this.#buffer, at, this.#cursor);
  }

  u32(): number {
    const at = this.#cursor;
    this.#cursor = at + 4;
    return u32At(this.#buffer, at);
  }

  u64(): number {
    return this.u32() + this.u32() * 2 ** 32;
  }

  /** `undefined` when empty: the protocol's word for absent. */
  text16(): string | undefined {
    const at = this.#cursor + 2;
    const length = (this.#buffer[at - 2] ?? 0) | ((this.#buffer[at - 1] ?? 0) << 8);
    this.#cursor = at + length;
    return length === 0 ? undefined : utf8Slice(this.#buffer, at, this.#cursor);
  }

  rest(): string {
    const text = utf8Slice(this.#buffer, this.#cursor, this.#frameEnd);
    this.#cursor = this.#frameEnd;
    return text;
  }

  #rewind(): void {
    this.#start = this.#end = this.#frameEnd = 0;
    if (this.#buffer.length > RETAINED_BYTES) this.#buffer = allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Reads until `size` bytes from the frame's start are there; false at the end of the stream. */
  #require(size: number): boolean {
    if (this.#buffer.length - this.#start < size) this.#makeRoom(size);
    while (this.#end - this.#start < size) {
      const count = readSome(this.#fd, this.#buffer, this.#end);
      if (count === 0) return false;
      this.#end += count;
    }
    return true;
  }

  #makeRoom(size: number): void {
    if (size <= this.#buffer.length) {
      copyWithin(this.#buffer, 0, this.#start, this.#end);
    } else {
      const larger = allocUnsafeSlow(size);
      setBytes(larger, subarray(this.#buffer, this.#start, this.#end), 0);
      this.#buffer = larger;
    }
    this.#end -= this.#start;
    this.#start = 0;
  }
}

/** Writes whole frames; each call returns when the kernel has all of it. Calls `hostGone` when nobody reads any more. */
export class FrameWriter {
  readonly #fd: number;
  readonly #hostGone: () => never;
  readonly #buffer: Buffer = allocUnsafeSlow(BUFFER_BYTES);
  readonly #double = new Float64Array(1);
  readonly #doubleBytes = new Uint8Array(this.#double.buffer);

  constructor(fd: number, hostGone: () => never) {
    this.#fd = fd;
    this.#hostGone = hostGone;
  }

  /** `U`: booted, waiting for `S`. */
  up(maxRssKib: number): void {
    const frame = this.#begin(FrameByte.U, 4);
    this.#send(frame, putU32(frame, 5, maxRssKib));
  }

  /** `R`: init has succeeded. */
  ready(maxRssKib: number): void {
    const frame = this.#begin(FrameByte.R, 4);
    this.#send(frame, putU32(frame, 5, maxRssKib));
  }

  /** `F`: init has failed; `body` is the error as JSON. */
  initFailed(maxRssKib: number, errorType: string, body: string): void {
    const frame = this.#begin(FrameByte.F, 4 + errorBytes(errorType, body));
    const at = putText16(frame, putU32(frame, 5, maxRssKib), errorType);
    this.#send(frame, putText(frame, at, body));
  }

  /** `O`: the invocation's result, JSON text or the bytes of a buffered stream. */
  result(head: AnswerHead, payload: string | Uint8Array): void {
    const frame = this.#begin(FrameByte.O, HEAD_BYTES + room(payload));
    const at = putHead(frame, head);
    this.#send(
      frame,
      typeof payload === 'string' ? putText(frame, at, payload) : putBytes(frame, at, payload),
    );
  }

  /** `E`: the function failed; `body` is the error as JSON. With `isFatal` it is `X`: the process ends after it. */
  functionError(head: AnswerHead, errorType: string, body: string, isFatal: boolean): void {
    const kind = isFatal ? FrameByte.X : FrameByte.E;
    const frame = this.#begin(kind, HEAD_BYTES + errorBytes(errorType, body));
    const at = putText16(frame, putHead(frame, head), errorType);
    this.#send(frame, putText(frame, at, body));
  }

  /** `J`: the payload is not JSON, so the handler was not called. */
  notJson(head: AnswerHead, reason: string): void {
    const frame = this.#begin(FrameByte.J, HEAD_BYTES + room(reason));
    this.#send(frame, putText(frame, putHead(frame, head), reason));
  }

  /** `N`: the event was withdrawn before it began. */
  notBegun(id: string): void {
    const frame = this.#begin(FrameByte.N, ID_BYTES);
    latin1Write(frame, id, 5, ID_BYTES);
    this.#send(frame, 5 + ID_BYTES);
  }

  /** `L` of a console method: whole events, each ending in LF; one unless it is very long. `timestampMs` is epoch time. */
  logEvent(level: LogLevelByte, timestampMs: number, text: string): void {
    let from = 0;
    while (text.length - from > MAX_EVENT_CHARS) {
      const to = pieceEnd(text, from + MAX_EVENT_CHARS - 1);
      this.#logPiece(level, timestampMs, `${stringSlice(text, from, to)}\n`);
      from = to;
    }
    this.#logPiece(level, timestampMs, from === 0 ? text : stringSlice(text, from));
  }

  #logPiece(level: LogLevelByte, timestampMs: number, text: string): void {
    const frame = this.#begin(FrameByte.L, 9 + room(text));
    this.#send(frame, putText(frame, this.#putLogHead(frame, level, timestampMs), text));
  }

  /** `L` of level 0: a piece of what went to process.stdout or process.stderr, split where it is very long. */
  rawLog(timestampMs: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += MAX_RAW_LOG_BYTES) {
      const piece = subarray(bytes, from, from + MAX_RAW_LOG_BYTES);
      const frame = this.#begin(FrameByte.L, 9 + piece.length);
      this.#send(frame, putBytes(frame, this.#putLogHead(frame, 0, timestampMs), piece));
    }
  }

  #putLogHead(frame: Buffer, level: LogLevelByte, timestampMs: number): number {
    frame[5] = level;
    this.#double[0] = timestampMs;
    setBytes(frame, this.#doubleBytes, 6);
    return 14;
  }

  /** The shared buffer where `bodyBytes` fit into it, else one of its own. */
  #begin(kind: number, bodyBytes: number): Buffer {
    const frame = bodyBytes + 5 <= BUFFER_BYTES ? this.#buffer : allocUnsafeSlow(bodyBytes + 5);
    frame[4] = kind;
    return frame;
  }

  #send(frame: Buffer, end: number): void {
    putU32(frame, 0, end - 4);
    for (let sent = 0; sent < end; ) sent += this.#writeSome(frame, sent, end);
  }

  #writeSome(frame: Buffer, from: number, end: number): number {
    for (;;) {
      try {
        return writeSync(this.#fd, frame, from, end - from);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException; // what fs throws
        if (code === 'EPIPE' || code === 'ECONNRESET') this.#hostGone();
        if (code !== 'EAGAIN') throw error;
        nap();
      }
    }
  }
}

/** A blocking read; 0 when the host is gone. */
function readSome(fd: number, buffer: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(fd, buffer, at, buffer.length - at, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException; // what fs throws
      if (code === 'ECONNRESET') return 0;
      if (code !== 'EAGAIN') throw error;
      nap();
    }
  }
}

/** Where to cut so that no character of two units falls apart. */
function pieceEnd(text: string, at: number): number {
  const unit = charCodeAt(text, at - 1);
  return unit >= 0xd800 && unit < 0xdc00 ? at - 1 : at;
}

/** One millisecond. Only where somebody made the socket non-blocking. */
function nap(): void {
  wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

/** An upper bound of the bytes of `payload`: cheap for what fits the shared buffer, exact above. */
function room(payload: string | Uint8Array): number {
  if (typeof payload !== 'string') return payload.length;
  const most = payload.length * 3;
  return most <= BUFFER_BYTES / 2 ? most : byteLength(payload);
}

function errorBytes(errorType: string, body: string): number {
  return 2 + Math.min(errorType.length, MAX_ERROR_TYPE_LENGTH) * 3 + room(body);
}

function u32At(buffer: Buffer, at: number): number {
  const low = (buffer[at] ?? 0) | ((buffer[at + 1] ?? 0) << 8);
  return (low | ((buffer[at + 2] ?? 0) << 16) | ((buffer[at + 3] ?? 0) << 24)) >>> 0;
}

function putU32(frame: Buffer, at: number, value: number): number {
  frame[at] = value;
  frame[at + 1] = value >>> 8;
  frame[at + 2] = value >>> 16;
  frame[at + 3] = value >>> 24;
  return at + 4;
}

function putHead(frame: Buffer, { id, maxRssKib, durationUs }: AnswerHead): number {
  latin1Write(frame, id, 5, ID_BYTES);
  return putU32(frame, putU32(frame, 5 + ID_BYTES, maxRssKib), durationUs);
}

function putText(frame: Buffer, at: number, text: string): number {
  return at + utf8Write(frame, text, at, frame.length - at);
}

function putBytes(frame: Buffer, at: number, bytes: Uint8Array): number {
  setBytes(frame, bytes, at);
  return at + bytes.length;
}

function putText16(frame: Buffer, at: number, text: string): number {
  const short = text.length > MAX_ERROR_TYPE_LENGTH ? text.slice(0, MAX_ERROR_TYPE_LENGTH) : text;
  const end = putText(frame, at + 2, short);
  frame[at] = end - at - 2;
  frame[at + 1] = (end - at - 2) >>> 8;
  return end;
}
