// Encoded events that wait to be written, outside of the JavaScript heap: kept as strings until the write, events of a busy host
// grow old in the heap and cost it hundreds of megabytes of garbage.
import type { Gap } from './drops.ts';
import { lineBytes, lineBytesLimit, type Message, writeLine } from './encode.ts';
import type { StreamSpan } from './segment-index.ts';

const SMALLEST_BYTES = 4 * 1024;
const LARGEST_BYTES = 128 * 1024;
const GROWTH = 4;
const MAX_SPARE_BUFFERS = 32;

/** What a piece knows of one stream. */
export interface Tally {
  readonly name: string;
  firstTimestamp: number;
  lastTimestamp: number;
  /** Notices of gaps are not counted. */
  events: number;
  /** Of the messages, in UTF-8. */
  messageBytes: number;
}

/**
 * Buffers of the largest size for the next piece, so that a flood does not allocate. One for all groups. The memory of others goes
 * back at once: left to the collector, buffers that have waited for a slow disk pile up, since they are old and it rarely looks there.
 */
export class SpareBuffers {
  readonly #spare: Buffer<ArrayBuffer>[] = [];

  take(bytes: number): Buffer<ArrayBuffer> {
    const spare = bytes === LARGEST_BYTES ? this.#spare.pop() : undefined;
    return spare ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Nobody may use the buffer any more, nor any view of it. */
  give(buffer: Buffer<ArrayBuffer>): void {
    if (buffer.length === LARGEST_BYTES && this.#spare.length < MAX_SPARE_BUFFERS)
      this.#spare.push(buffer);
    else buffer.buffer.transfer(0);
  }
}

/** Some consecutive events of one group, ready to be appended. `Stream` is whatever tells streams apart. */
export class Piece<Stream extends object> {
  /** Of its first event. */
  readonly firstSequence: number;
  nextSequence: number;
  readonly tallies = new Map<Stream, Tally>();
  readonly gaps: { readonly stream: Stream; readonly gap: Gap }[] = [];
  readonly #spares: SpareBuffers;
  readonly #buffer: Buffer<ArrayBuffer>;
  #length = 0;

  /** `atLeastBytes` is for the first line; `before` is the piece in front of it: pieces grow while a batch does. */
  constructor(
    spares: SpareBuffers,
    firstSequence: number,
    atLeastBytes: number,
    before: Piece<Stream> | undefined,
  ) {
    const usual = before === undefined ? SMALLEST_BYTES : before.#buffer.length * GROWTH;
    this.#spares = spares;
    this.#buffer = spares.take(Math.max(Math.min(usual, LARGEST_BYTES), atLeastBytes));
    this.firstSequence = firstSequence;
    this.nextSequence = firstSequence;
  }

  hasRoom(part: Uint8Array, message: Message): boolean {
    const room = this.#buffer.length - this.#length;
    // Looking at the whole message is dear, and only necessary where a piece is nearly full.
    return lineBytesLimit(part, message) <= room || lineBytes(part, message) <= room;
  }

  /** The event must have room; its sequence is {@link nextSequence}. Returns the bytes of its line. */
  write(timestamp: number, part: Uint8Array, message: Message): number {
    const position = { sequence: this.nextSequence, timestamp };
    const start = this.#length;
    this.#length = writeLine(this.#buffer, start, position, part, message);
    this.nextSequence += 1;
    return this.#length - start;
  }

  /** The figures of a stream, with this event's time in them. */
  tally(stream: Stream, name: string, timestamp: number): Tally {
    let tally = this.tallies.get(stream);
    if (tally === undefined) {
      tally = {
        name,
        firstTimestamp: timestamp,
        lastTimestamp: timestamp,
        events: 0,
        messageBytes: 0,
      };
      this.tallies.set(stream, tally);
    }
    if (timestamp < tally.firstTimestamp) tally.firstTimestamp = timestamp;
    if (timestamp > tally.lastTimestamp) tally.lastTimestamp = timestamp;
    return tally;
  }

  /** Valid until {@link release}. */
  get lines(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  get spans(): Iterable<StreamSpan> {
    return this.tallies.values();
  }

  /** The last use of a piece. */
  release(): void {
    this.#spares.give(this.#buffer);
  }
}
