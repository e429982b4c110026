// One page of a group's events in the order of time, found by passing once over the segments that can hold them. Holds about
// two pages in memory, whatever the size of the group.
import { streamPart } from './encode.ts';
import type { EventPosition, LogEvent } from './record.ts';
import { comparePositions, decodeRecord, positionOf, readHead } from './record.ts';
import type { Segments } from './segments.ts';
import { readSegment } from './segments.ts';

export interface EventQuery {
  /** Only this stream. */
  readonly stream?: string | undefined;
  /** Epoch milliseconds, inclusive. */
  readonly startTime?: number | undefined;
  /** Epoch milliseconds, exclusive. */
  readonly endTime?: number | undefined;
  /** Most events of one page; 10,000 at the most and by default. */
  readonly limit?: number | undefined;
  /** The `next` of the page before, or any event id: only what comes after it. */
  readonly after?: string | undefined;
}

export interface LogPage {
  /** Ascending by timestamp, then by arrival. At most `limit`, and about 1 MiB. */
  readonly events: readonly LogEvent[];
  /** Pass as `after` for the next page; undefined when there was nothing more. */
  readonly next: string | undefined;
}

interface Candidate extends EventPosition {
  readonly event: LogEvent;
  readonly bytes: number;
}

const MAX_PAGE_EVENTS = 10_000;
const MAX_PAGE_BYTES = 1024 * 1024;
// What the service adds to each message when it counts the size of a page.
const EVENT_OVERHEAD_BYTES = 26;

/** Throws RangeError for a limit below 1 or an `after` that is no event id. */
export async function readPage(segments: Segments, query: EventQuery): Promise<LogPage> {
  const selection = new Selection(query);
  for await (const segment of segments.within(selection.fromMs, selection.beforeMs)) {
    if (!selection.mayTake(segment.minTimestamp)) continue;
    await readSegment(segment, (bytes, start, end) => selection.offer(bytes, start, end));
  }
  return selection.page();
}

class Selection {
  readonly fromMs: number;
  readonly beforeMs: number;
  readonly #after: EventPosition | undefined;
  readonly #stream: Uint8Array | undefined;
  readonly #limit: number;
  #candidates: Candidate[] = [];
  #bytes = 0;
  /** The least position known to lie behind this page. */
  #ceiling: EventPosition | undefined;

  constructor(query: EventQuery) {
    const limit = query.limit ?? MAX_PAGE_EVENTS;
    if (!(limit >= 1)) throw new RangeError(`limit must be at least 1, not ${limit}`);
    this.#limit = Math.min(Math.trunc(limit), MAX_PAGE_EVENTS);
    this.#after = query.after === undefined ? undefined : positionOf(query.after);
    this.#stream = query.stream === undefined ? undefined : streamPart(query.stream);
    this.fromMs = Math.max(query.startTime ?? 0, this.#after?.timestamp ?? 0);
    this.beforeMs = query.endTime ?? Infinity;
  }

  mayTake(minTimestamp: number): boolean {
    return this.#ceiling === undefined || minTimestamp <= this.#ceiling.timestamp;
  }

  /** Takes one line if it belongs to the page, as far as is known by now. */
  offer(bytes: Buffer, start: number, end: number): void {
    const head = readHead(bytes, start, end);
    if (head === undefined || !this.#isWanted(head) || !this.#isOfStream(bytes, head.rest, end))
      return;
    const event = decodeRecord(bytes, start, end);
    if (event === undefined) return;
    const size = end - start + EVENT_OVERHEAD_BYTES;
    this.#candidates.push({
      timestamp: head.timestamp,
      sequence: head.sequence,
      event,
      bytes: size,
    });
    this.#bytes += size;
    if (this.#candidates.length > 2 * this.#limit || this.#bytes > 2 * MAX_PAGE_BYTES)
      this.#prune();
  }

  page(): LogPage {
    this.#prune();
    const events = this.#candidates.map((each) => each.event);
    return { events, next: this.#ceiling === undefined ? undefined : events.at(-1)?.eventId };
  }

  #isWanted(position: EventPosition): boolean {
    if (position.timestamp < this.fromMs || position.timestamp >= this.beforeMs) return false;
    if (this.#after !== undefined && comparePositions(position, this.#after) <= 0) return false;
    return this.#ceiling === undefined || comparePositions(position, this.#ceiling) < 0;
  }

  #isOfStream(bytes: Buffer, rest: number, end: number): boolean {
    const part = this.#stream;
    if (part === undefined) return true;
    const stop = rest + part.length;
    return stop <= end && bytes.compare(part, 0, part.length, rest, stop) === 0;
  }

  /** Keeps the first events that fit, at least one, and remembers where the rest begins. */
  #prune(): void {
    this.#candidates.sort(comparePositions);
    let kept = 0;
    let bytes = 0;
    for (const candidate of this.#candidates) {
      if (kept >= this.#limit || (kept > 0 && bytes + candidate.bytes > MAX_PAGE_BYTES)) break;
      kept += 1;
      bytes += candidate.bytes;
    }
    this.#ceiling = this.#candidates[kept] ?? this.#ceiling;
    this.#candidates.length = kept;
    this.#bytes = bytes;
  }
}
