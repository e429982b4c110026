// What a segment holds, in short: its span of time and its streams. Kept beside a full segment, so that questions about a
// group do not read all of it.
import { decodeRecord, readHead } from './record.ts';

export interface StreamSpan {
  readonly name: string;
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
}

export class SegmentIndex {
  minTimestamp = Infinity;
  maxTimestamp = -Infinity;
  /** One more than the last event's; undefined while there is no event. */
  nextSequence: number | undefined;
  readonly #streams = new Map<string, { first: number; last: number }>();

  /** Events come in the order of their sequence. */
  add(sequence: number, timestamp: number, stream: string): void {
    this.nextSequence = sequence + 1;
    this.#widen(stream, timestamp, timestamp);
  }

  /** Counts in one line of a segment, if it is an event. */
  addLine(bytes: Buffer, start: number, end: number): void {
    const head = readHead(bytes, start, end);
    const event = decodeRecord(bytes, start, end);
    if (head !== undefined && event !== undefined)
      this.add(head.sequence, head.timestamp, event.stream);
  }

  *streams(): Generator<StreamSpan> {
    for (const [name, { first, last }] of this.#streams)
      yield { name, firstTimestamp: first, lastTimestamp: last };
  }

  merge(spans: Iterable<StreamSpan>): void {
    for (const span of spans) this.#widen(span.name, span.firstTimestamp, span.lastTimestamp);
  }

  toText(): string {
    const { nextSequence } = this;
    const streams = Array.from(this.#streams, ([name, { first, last }]) => [name, first, last]);
    return `${JSON.stringify({ nextSequence, streams })}\n`;
  }

  /** Undefined when the text is torn or not an index; the segment itself is then read instead. */
  static fromText(text: string): SegmentIndex | undefined {
    try {
      const stored: unknown = JSON.parse(text);
      return isStoredIndex(stored) ? SegmentIndex.#restore(stored) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  static #restore(stored: StoredIndex): SegmentIndex {
    const index = new SegmentIndex();
    index.nextSequence = stored.nextSequence;
    for (const [name, first, last] of stored.streams) index.#widen(name, first, last);
    return index;
  }

  #widen(name: string, first: number, last: number): void {
    if (first < this.minTimestamp) this.minTimestamp = first;
    if (last > this.maxTimestamp) this.maxTimestamp = last;
    const span = this.#streams.get(name);
    if (span === undefined) {
      this.#streams.set(name, { first, last });
      return;
    }
    if (first < span.first) span.first = first;
    if (last > span.last) span.last = last;
  }
}

interface StoredIndex {
  readonly nextSequence: number;
  readonly streams: readonly (readonly [string, number, number])[];
}

function isStoredIndex(value: unknown): value is StoredIndex {
  if (typeof value !== 'object' || value === null) return false;
  const { nextSequence, streams } = value as Partial<StoredIndex>; // each member is checked below
  return Number.isFinite(nextSequence) && Array.isArray(streams) && streams.every(isStoredSpan);
}

function isStoredSpan(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return typeof value[0] === 'string' && Number.isFinite(value[1]) && Number.isFinite(value[2]);
}
