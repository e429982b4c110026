// The files of one log group: appended to one after the other, the oldest removed first when the group is full. One writer at a
// time; readers may run beside it, since what a file holds up to its known size never changes.

import type { FileHandle } from 'node:fs/promises';
import {
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../../runtime/error-code.ts';
import { readLines } from './lines.ts';
import type { StreamSpan } from './segment-index.ts';
import { SegmentIndex } from './segment-index.ts';

const SEGMENTS_PER_GROUP = 32;
const MAX_SEGMENT_BYTES = 8 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 16 * 1024;
const SEQUENCE_DIGITS = 16;
const SEGMENT_FILE = /^\d{16}\.jsonl$/;

/** One file of events, as a reader sees it. */
export interface Segment {
  readonly path: string;
  /** Bytes that are whole events. */
  readonly sizeBytes: number;
}

interface StoredSegment extends Segment {
  sizeBytes: number;
  indexBytes: number;
  /** Known once someone asked, or at once for the segment that is written to. */
  span: { readonly minTimestamp: number; readonly maxTimestamp: number } | undefined;
}

/** Whole lines, and what they hold. */
export interface Appendix {
  readonly lines: Buffer;
  readonly firstSequence: number;
  /** One more than the last event's. */
  readonly nextSequence: number;
  readonly spans: Iterable<StreamSpan>;
}

export class Segments {
  readonly #dir: string;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  #segments: StoredSegment[] = [];
  #activeIndex = new SegmentIndex();
  #file: FileHandle | undefined;

  private constructor(dir: string, maxBytes: number) {
    this.#dir = dir;
    this.#maxBytes = maxBytes;
    const share = Math.floor(maxBytes / SEGMENTS_PER_GROUP);
    this.#segmentBytes = Math.min(Math.max(share, MIN_SEGMENT_BYTES), MAX_SEGMENT_BYTES);
  }

  /** Reads the list of files and the newest of them, whose torn last line, if any, is cut off. */
  static async open(dir: string, maxBytes: number): Promise<Segments> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const segments = new Segments(dir, maxBytes);
    await segments.#load();
    return segments;
  }

  /** Bytes on disk, indexes included. */
  get storedBytes(): number {
    return this.#segments.reduce((sum, each) => sum + each.sizeBytes + each.indexBytes, 0);
  }

  /** When it throws, nothing of this is stored. */
  async append({ lines, firstSequence, nextSequence, spans }: Appendix): Promise<void> {
    const active = await this.#room(lines.length, firstSequence);
    this.#file ??= await open(active.path, 'r+');
    try {
      await writeFully(this.#file, lines, active.sizeBytes);
    } catch (error) {
      await cutBack(active, error);
      throw error;
    }
    active.sizeBytes += lines.length;
    this.#activeIndex.merge(spans);
    this.#activeIndex.nextSequence = nextSequence;
  }

  /** The segments that may hold events of this span of time, oldest first, with the times of their first and last event. */
  async *within(
    fromMs: number,
    beforeMs: number,
  ): AsyncGenerator<Segment & { readonly minTimestamp: number }> {
    for (const segment of this.#segments.slice()) {
      const span = (segment.span ??= await readSpan(segment));
      if (span.maxTimestamp >= fromMs && span.minTimestamp < beforeMs)
        yield { path: segment.path, sizeBytes: segment.sizeBytes, minTimestamp: span.minTimestamp };
    }
  }

  /** All streams that have an event here, in no order. */
  async streams(): Promise<SegmentIndex> {
    const all = new SegmentIndex();
    const full = this.#segments.slice(0, -1);
    all.merge(this.#activeIndex.streams());
    for (const segment of full) all.merge((await readIndex(segment)).streams());
    return all;
  }

  /** Brings what was written to the disk and lets go of the file; the next append opens it again. */
  async closeFile(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #load(): Promise<void> {
    for (const name of await segmentNames(this.#dir)) {
      const path = join(this.#dir, name);
      const sizeBytes = await fileSize(path);
      const indexBytes = await fileSize(indexPath(path));
      this.#segments.push({ path, sizeBytes, indexBytes, span: undefined });
    }
    const newest = this.#segments.at(-1);
    if (newest !== undefined) await this.#resume(newest);
  }

  async #resume(newest: StoredSegment): Promise<void> {
    const index = this.#activeIndex;
    const wholeBytes = await readLines(newest.path, newest.sizeBytes, (bytes, start, end) =>
      index.addLine(bytes, start, end),
    );
    const keptBytes = index.nextSequence === undefined ? 0 : wholeBytes;
    if (keptBytes < newest.sizeBytes) await truncate(newest.path, keptBytes);
    newest.sizeBytes = keptBytes;
    newest.span = index;
  }

  /** The segment to append to, after the oldest ones have made way. */
  async #room(bytes: number, firstSequence: number): Promise<StoredSegment> {
    const active = this.#segments.at(-1);
    if (active === undefined) return this.#begin(firstSequence);
    if (active.sizeBytes > 0 && active.sizeBytes + bytes > this.#segmentBytes) {
      await this.#seal(active, bytes);
      return this.#begin(firstSequence);
    }
    await this.#makeWay(bytes);
    return active;
  }

  /** The index takes disk too: the oldest segments make way for it, and for what comes next, before it is written. */
  async #seal(active: StoredSegment, bytesNext: number): Promise<void> {
    await this.closeFile();
    const text = this.#activeIndex.toText();
    const indexBytes = Buffer.byteLength(text);
    await this.#makeWay(indexBytes + bytesNext);
    await writeFile(indexPath(active.path), text, { mode: 0o600 });
    active.indexBytes = indexBytes;
    const { minTimestamp, maxTimestamp } = this.#activeIndex;
    active.span = { minTimestamp, maxTimestamp };
  }

  /** Never the newest: at the time of sealing it is the one that is sealed. */
  async #makeWay(bytes: number): Promise<void> {
    while (this.storedBytes + bytes > this.#maxBytes && this.#segments.length > 1)
      await this.#removeOldest();
  }

  async #begin(firstSequence: number): Promise<StoredSegment> {
    const name = `${String(firstSequence).padStart(SEQUENCE_DIGITS, '0')}.jsonl`;
    const path = join(this.#dir, name);
    await writeFile(path, '', { mode: 0o600 });
    this.#activeIndex = new SegmentIndex();
    const segment = { path, sizeBytes: 0, indexBytes: 0, span: this.#activeIndex };
    this.#segments.push(segment);
    return segment;
  }

  async #removeOldest(): Promise<void> {
    const [oldest] = this.#segments;
    if (oldest === undefined) return;
    await removeFile(indexPath(oldest.path));
    await removeFile(oldest.path);
    this.#segments = this.#segments.slice(1);
  }
}

/**
 * A sequence above that of every event in a group's directory, without reading them: no event is shorter than a byte. 0 for a
 * directory without events.
 */
export async function sequenceAbove(dir: string): Promise<number> {
  const newest = (await segmentNames(dir)).at(-1);
  if (newest === undefined) return 0;
  return Number(newest.slice(0, SEQUENCE_DIGITS)) + (await fileSize(join(dir, newest)));
}

async function segmentNames(dir: string): Promise<readonly string[]> {
  return (await readdir(dir)).filter((name) => SEGMENT_FILE.test(name)).toSorted();
}

async function readIndex(segment: Segment): Promise<SegmentIndex> {
  const stored = SegmentIndex.fromText(await readTextIfThere(indexPath(segment.path)));
  if (stored !== undefined) return stored;
  const index = new SegmentIndex();
  await readSegment(segment, (bytes, start, end) => index.addLine(bytes, start, end));
  return index;
}

/** The span alone: an index holds every stream's name, too much to keep for each full segment. */
async function readSpan(segment: Segment): Promise<StoredSegment['span'] & {}> {
  const { minTimestamp, maxTimestamp } = await readIndex(segment);
  return { minTimestamp, maxTimestamp };
}

/** Takes back what a failed append has left behind the whole events. */
async function cutBack(segment: Segment, cause: unknown): Promise<void> {
  try {
    await truncate(segment.path, segment.sizeBytes);
  } catch (error) {
    throw new AggregateError([cause, error], `cannot write, nor take back: ${String(cause)}`);
  }
}

/** Reads a segment line by line; one that has been removed to make room in the meantime is empty. */
export async function readSegment(
  segment: Segment,
  onLine: (bytes: Buffer, start: number, end: number) => void,
): Promise<void> {
  try {
    await readLines(segment.path, segment.sizeBytes, onLine);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function indexPath(segmentPath: string): string {
  return segmentPath.replace(/\.jsonl$/, '.index.json');
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

async function readTextIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return '';
    throw error;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}
