// The host's end of the control socket: builds downward frames, cuts the byte stream of a slot into upward ones.
// What comes up is hostile until proven otherwise: lengths are bounded here, meaning is checked in environment.ts.
import type { FrameKind, Specialise } from '../protocol.ts';

const LENGTH_BYTES = 4;
const ID_BYTES = 36;
const NUMBER_BYTES = 8;

/** Largest frame that is delivered whole: the response limit (6 MB + 100 bytes) and room for the header fields. */
export const MAX_FRAME_BYTES = 6_291_556 + 65_536;

/** What is kept of a longer frame: enough for its header fields; the rest is read and forgotten. */
const OVERSIZE_HEAD_BYTES = 262_144;

/** One event on its way down. Empty text means absent. */
export interface InvokeFrame {
  /** Of a prefetched event, 0 for any other. */
  readonly number: number;
  readonly requestId: string;
  readonly remainingMs: number;
  readonly invokedFunctionArn: string;
  readonly traceId: string;
  /** Decoded JSON text. */
  readonly clientContext: string;
  readonly tenantId: string;
  readonly payload: Uint8Array;
}

/** Header and payload are separate when the payload is large, so that it is never copied. */
export function invokeFrame(event: InvokeFrame): readonly Uint8Array[] {
  const arnBytes = event.invokedFunctionArn.length;
  const traceBytes = Buffer.byteLength(event.traceId);
  const contextBytes = event.clientContext === '' ? 0 : Buffer.byteLength(event.clientContext);
  const tenantBytes = event.tenantId.length;
  const isPrefetched = event.number > 0;
  const idAt = LENGTH_BYTES + 1 + (isPrefetched ? NUMBER_BYTES : 0);
  const headBytes = idAt + ID_BYTES + 4 + 8 + arnBytes + traceBytes + contextBytes + tenantBytes;
  const inline = event.payload.length <= 65_536;
  const frame = Buffer.allocUnsafe(headBytes + (inline ? event.payload.length : 0));
  frame.writeUInt32LE(headBytes - LENGTH_BYTES + event.payload.length, 0);
  frame[4] = kindByte(isPrefetched ? 'P' : 'I');
  if (isPrefetched) {
    frame.writeUInt32LE(event.number % 2 ** 32, 5);
    frame.writeUInt32LE(Math.floor(event.number / 2 ** 32), 9);
  }
  frame.write(event.requestId, idAt, ID_BYTES, 'latin1');
  let at = frame.writeUInt32LE(Math.max(0, Math.round(event.remainingMs)), idAt + ID_BYTES);
  at = writeText(frame, event.invokedFunctionArn, arnBytes, at);
  at = writeText(frame, event.traceId, traceBytes, at);
  at = writeText(frame, event.clientContext, contextBytes, at);
  at = writeText(frame, event.tenantId, tenantBytes, at);
  if (!inline) return [frame, event.payload];
  frame.set(event.payload, at);
  return [frame];
}

function writeText(frame: Buffer, text: string, byteLength: number, at: number): number {
  frame.writeUInt16LE(byteLength, at);
  if (byteLength > 0) frame.write(text, at + 2, byteLength, 'utf8');
  return at + 2 + byteLength;
}

export function specialiseFrame(message: Specialise): Buffer {
  return plainFrame('S', Buffer.from(JSON.stringify(message)));
}

export function restoredFrame(): Buffer {
  return plainFrame('T', new Uint8Array());
}

export function shutdownFrame(): Buffer {
  return plainFrame('Q', new Uint8Array());
}

function plainFrame(kind: FrameKind, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + 1 + body.length);
  frame.writeUInt32LE(1 + body.length, 0);
  frame[4] = kindByte(kind);
  frame.set(body, 5);
  return frame;
}

function kindByte(kind: FrameKind): number {
  return kind.charCodeAt(0);
}

/**
 * One upward frame. `body` is a view on a chunk that nobody overwrites. `oversize` means that the frame was longer than
 * {@link MAX_FRAME_BYTES} and `body` is its beginning.
 */
export type OnFrame = (kind: string, body: Buffer, oversize: boolean) => void;

/** Cuts a stream of chunks into frames without copying those that lie within one chunk. */
export class FrameDecoder {
  readonly #onFrame: OnFrame;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes of an oversize frame that are still to come and to be forgotten. */
  #toSkip = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#toSkip > 0) {
      const skipped = Math.min(this.#toSkip, rest.length);
      this.#toSkip -= skipped;
      if (skipped === rest.length) return;
      rest = rest.subarray(skipped);
    }
    if (this.#heldBytes > 0) {
      this.#held.push(rest);
      this.#heldBytes += rest.length;
      if (this.#heldBytes < this.#wanted()) return;
      rest = Buffer.concat(this.#held, this.#heldBytes);
      this.#held = [];
      this.#heldBytes = 0;
    }
    this.#cut(rest);
  }

  /** Bytes needed before trying to cut again: keeps a large frame from being joined once per chunk. */
  #wanted(): number {
    const first = this.#held[0];
    if (first === undefined || first.length < LENGTH_BYTES) return LENGTH_BYTES;
    const length = LENGTH_BYTES + first.readUInt32LE(0);
    return length > MAX_FRAME_BYTES ? OVERSIZE_HEAD_BYTES : length;
  }

  #cut(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      const end = at + LENGTH_BYTES + length;
      if (length + LENGTH_BYTES > MAX_FRAME_BYTES) {
        if (bytes.length - at < OVERSIZE_HEAD_BYTES) break;
        this.#deliver(bytes.subarray(at + LENGTH_BYTES, at + OVERSIZE_HEAD_BYTES), true);
        if (end > bytes.length) {
          this.#toSkip = end - bytes.length;
          return;
        }
      } else {
        if (end > bytes.length) break;
        this.#deliver(bytes.subarray(at + LENGTH_BYTES, end), false);
      }
      at = end;
    }
    if (at < bytes.length) {
      this.#held = [at === 0 ? bytes : bytes.subarray(at)];
      this.#heldBytes = bytes.length - at;
    }
  }

  #deliver(frame: Buffer, oversize: boolean): void {
    const kind = frame.length === 0 ? '' : String.fromCharCode(frame[0] ?? 0);
    this.#onFrame(kind, frame.subarray(1), oversize);
  }
}
