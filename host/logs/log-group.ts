// One log group: takes events at once, keeps them encoded in a bounded batch, writes the batch when told to.
import type { DropReason, Gap } from './drops.ts';
import { gapNotice, TOO_FAST, widenGap } from './drops.ts';
import { lineBytes, type Message, streamPart } from './encode.ts';
import type { SpareBuffers } from './piece.ts';
import { Piece } from './piece.ts';
import { isSurelyWhole, splitMessage, storableTimestamp } from './record.ts';
import { Segments } from './segments.ts';

// So much is not kept waiting for the flush interval: a flood is drained while it comes in.
const URGENT_BYTES = 1024 * 1024;

/** Of what may be unwritten; the rest is for those who cannot wait. */
const BEHIND_SHARE = 0.25;

/** Bytes of unwritten events of all groups together. */
export interface PendingBudget {
  readonly maxBytes: number;
  bytes: number;
}

/** What a group needs from whoever owns it. */
export interface GroupOwner {
  readonly maxBytesPerGroup: number;
  readonly maxPendingBytes: number;
  readonly budget: PendingBudget;
  readonly spares: SpareBuffers;
  /** True from the owner's disposal on: nothing would write what is pushed. */
  readonly isClosed: boolean;
  epochMs(): number;
  /** Makes the group's directory, and known again after a restart. */
  prepare(identity: GroupIdentity): Promise<void>;
  /** There is something to write; called at most once per batch. */
  onPending(group: LogGroup): void;
  /** There is so much that it should be written now; at most once per batch. */
  onUrgent(): void;
  onProblem(group: LogGroup, text: string): void;
}

/** A sink for one stream's events. Cheap; owns nothing but its name. */
export interface LogStream {
  readonly name: string;
  /** So much is unwritten that whoever can hold events back should: far more of them would be dropped. */
  readonly isBehind: boolean;
  /**
   * Takes one event and returns at once. Over 262,144 bytes it becomes several. A timestamp (epoch milliseconds) that is no time
   * is replaced by now. Bytes are UTF-8, and copied. Throws after `close`, and after the logs are closed.
   */
  write(timestampMs: number, message: Message): void;
  /** The stream stays readable as long as it has events. Twice is harmless. */
  close(): void;
}

export interface GroupIdentity {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly createdAt: number;
  readonly dir: string;
}

export class LogGroup {
  readonly identity: GroupIdentity;
  readonly #owner: GroupOwner;
  readonly #open = new Set<GroupStream>();
  readonly #withGaps = new Set<GroupStream>();
  #segments: Promise<Segments> | undefined;
  #nextSequence: number;
  #pending: Piece<GroupStream>[] = [];
  #pendingBytes = 0;
  #isAnnounced = false;
  #isUrgent = false;
  #droppedEvents = 0;

  /** `nextSequence` is above that of every event on file. */
  constructor(identity: GroupIdentity, nextSequence: number, owner: GroupOwner) {
    this.identity = identity;
    this.#nextSequence = nextSequence;
    this.#owner = owner;
  }

  /** Events lost since the start, for whatever reason. */
  get droppedEvents(): number {
    return this.#droppedEvents;
  }

  get isBehind(): boolean {
    const { budget, maxPendingBytes } = this.#owner;
    return (
      this.#pendingBytes > maxPendingBytes * BEHIND_SHARE ||
      budget.bytes > budget.maxBytes * BEHIND_SHARE
    );
  }

  openStream(name: string): LogStream {
    const stream = new GroupStream(name, this.#owner.epochMs(), this);
    this.#open.add(stream);
    return stream;
  }

  /** Streams that are open now, with the time of their opening. */
  openStreams(): Iterable<{ readonly name: string; readonly openedAt: number }> {
    return this.#open;
  }

  /** The files; a failed attempt to open them is not remembered. */
  segments(): Promise<Segments> {
    this.#segments ??= this.#openSegments();
    return this.#segments;
  }

  push(stream: GroupStream, timestampMs: number, message: Message): void {
    const owner = this.#owner;
    if (owner.isClosed) throw new Error('the logs are closed');
    const timestamp = storableTimestamp(timestampMs) ?? Math.trunc(owner.epochMs());
    const messageBytes = typeof message === 'string' ? Buffer.byteLength(message) : message.length;
    // Before the message is encoded: what is dropped should cost as little as possible.
    const isFull =
      this.#pendingBytes + messageBytes > owner.maxPendingBytes ||
      owner.budget.bytes + messageBytes > owner.budget.maxBytes;
    if (isFull) {
      this.#drop(stream, 1, messageBytes, timestamp, TOO_FAST);
    } else {
      const tally = this.#encode(stream, timestamp, message);
      tally.events += 1;
      tally.messageBytes += messageBytes;
    }
    this.announce();
    if (this.#isUrgent || this.#pendingBytes < URGENT_BYTES) return;
    this.#isUrgent = true;
    owner.onUrgent();
  }

  forget(stream: GroupStream): void {
    this.#open.delete(stream);
  }

  /** Writes all that was pushed before the call, or counts it as dropped and reports why. Never rejects. */
  async writePending(): Promise<void> {
    const pieces = this.#takePending();
    try {
      const segments = await this.segments();
      for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
        await segments.append(piece);
        pieces.shift();
        this.#release(piece);
      }
    } catch (error) {
      // Whatever went wrong with the disk, the host goes on; the events are accounted for and the owner is told.
      for (const piece of pieces) this.#lose(piece, messageOf(error));
      this.#report(messageOf(error));
      await this.#abandonFiles();
    }
    if (this.#withGaps.size > 0) this.announce();
  }

  /** Puts the group in line to be written, once: also a group without events is to be there after a restart. */
  announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#owner.onPending(this);
  }

  /** Brings what was written to the disk. Reports a failure instead of throwing it. */
  async closeFile(): Promise<void> {
    try {
      const segments = await this.#segments;
      await segments?.closeFile();
    } catch (error) {
      this.#report(messageOf(error));
    }
  }

  async #openSegments(): Promise<Segments> {
    try {
      await this.#owner.prepare(this.identity);
      return await Segments.open(this.identity.dir, this.#owner.maxBytesPerGroup);
    } catch (error) {
      this.#segments = undefined;
      throw error;
    }
  }

  #encode(stream: GroupStream, timestamp: number, message: Message) {
    const piece = this.#pieceFor(stream.part, message);
    const bytes = piece.write(timestamp, stream.part, message);
    this.#nextSequence += 1;
    this.#pendingBytes += bytes;
    this.#owner.budget.bytes += bytes;
    return piece.tally(stream, stream.name, timestamp);
  }

  #pieceFor(part: Uint8Array, message: Message): Piece<GroupStream> {
    const last = this.#pending.at(-1);
    if (last?.hasRoom(part, message)) return last;
    const bytes = lineBytes(part, message);
    const piece = new Piece(this.#owner.spares, this.#nextSequence, bytes, last);
    this.#pending.push(piece);
    return piece;
  }

  /** The batch so far, and behind it a notice for every gap; their timestamps put them where they belong. */
  #takePending(): Piece<GroupStream>[] {
    for (const stream of this.#withGaps) {
      const gap = stream.takeGap();
      if (gap === undefined) continue;
      this.#encode(stream, gap.since, gapNotice(gap));
      this.#pending.at(-1)?.gaps.push({ stream, gap });
    }
    this.#withGaps.clear();
    const pieces = this.#pending;
    this.#pending = [];
    this.#isAnnounced = false;
    this.#isUrgent = false;
    return pieces;
  }

  #drop(
    stream: GroupStream,
    events: number,
    messageBytes: number,
    since: number,
    reason: DropReason,
  ): void {
    this.#droppedEvents += events;
    stream.widenGap(reason, events, messageBytes, since);
    this.#withGaps.add(stream);
  }

  #lose(piece: Piece<GroupStream>, detail: string): void {
    const reason: DropReason = { kind: 'failed', detail };
    for (const [stream, tally] of piece.tallies) {
      if (tally.events === 0) continue;
      this.#drop(stream, tally.events, tally.messageBytes, tally.firstTimestamp, reason);
    }
    // Notices that could not be written go back to their streams, with their figures; nothing new was lost with them.
    for (const { stream, gap } of piece.gaps) {
      stream.widenGap(gap.reason, gap.events, gap.bytes, gap.since);
      this.#withGaps.add(stream);
    }
    this.#release(piece);
  }

  #release(piece: Piece<GroupStream>): void {
    const bytes = piece.lines.length;
    this.#pendingBytes -= bytes;
    this.#owner.budget.bytes -= bytes;
    piece.release();
  }

  /** The files are opened anew next time: they may have been removed or repaired since. */
  async #abandonFiles(): Promise<void> {
    await this.closeFile();
    this.#segments = undefined;
  }

  #report(detail: string): void {
    const { name, account, region } = this.identity;
    this.#owner.onProblem(
      this,
      `cannot write log group ${name} (${account}, ${region}): ${detail}; ${this.#droppedEvents} events dropped so far`,
    );
  }
}

class GroupStream implements LogStream {
  readonly name: string;
  readonly openedAt: number;
  readonly part: Uint8Array;
  readonly #group: LogGroup;
  #isClosed = false;
  #gap: Gap | undefined;

  constructor(name: string, openedAt: number, group: LogGroup) {
    this.name = name;
    this.openedAt = Math.trunc(openedAt);
    this.part = streamPart(name);
    this.#group = group;
  }

  get isBehind(): boolean {
    return this.#group.isBehind;
  }

  write(timestampMs: number, message: Message): void {
    if (this.#isClosed) throw new Error(`log stream ${this.name} is closed`);
    if (isSurelyWhole(message)) this.#group.push(this, timestampMs, message);
    else for (const part of splitMessage(message)) this.#group.push(this, timestampMs, part);
  }

  close(): void {
    this.#isClosed = true;
    this.#group.forget(this);
  }

  widenGap(reason: DropReason, events: number, bytes: number, since: number): void {
    this.#gap = widenGap(this.#gap, reason, events, bytes, since);
  }

  takeGap(): Gap | undefined {
    const gap = this.#gap;
    this.#gap = undefined;
    return gap;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
