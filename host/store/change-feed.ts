// Hands committed changes to watchers. A watcher catches up from the database, then lives on what is published; one that
// falls too far behind catches up again, so that memory stays bounded.
import { ok } from 'node:assert';
import type { ChangePage, StoredRecord } from './database-messages.ts';
import { RevisionCompacted } from './store.ts';

/** Published changes that may wait for one watcher before it is sent back to the database. */
const maxWaiting = 4_096;

/** Where commits are published, in the order of their revisions. */
export class ChangeFeed implements Disposable {
  readonly #mailboxes = new Set<Mailbox>();
  #published = 0;
  #end: End | undefined;

  /** Gives the changes of one unit of work to every watcher. */
  publish(records: readonly StoredRecord[]): void {
    for (const { revision } of records) {
      ok(revision > this.#published, 'changes are published in the order of their revisions');
      this.#published = revision;
    }
    if (records.length === 0) return;
    for (const mailbox of this.#mailboxes) mailbox.deliver(records);
  }

  /** A mailbox that receives from now on; its owner disposes of it. */
  subscribe(): Mailbox {
    const mailbox = new Mailbox((gone) => this.#mailboxes.delete(gone));
    this.#mailboxes.add(mailbox);
    if (this.#end !== undefined) mailbox.end(this.#end);
    return mailbox;
  }

  /** Every watch throws the error. */
  fail(error: Error): void {
    this.#endAll({ kind: 'failed', error });
  }

  /** Ends every watch. */
  [Symbol.dispose](): void {
    this.#endAll({ kind: 'ended' });
  }

  #endAll(end: End): void {
    this.#end ??= end;
    for (const mailbox of this.#mailboxes) mailbox.end(end);
  }
}

type End = { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly error: Error };

type Delivery =
  | { readonly kind: 'changes'; readonly records: readonly StoredRecord[] }
  | { readonly kind: 'behind' }
  | End;

class Mailbox implements Disposable {
  readonly #leave: (mailbox: Mailbox) => void;
  #waiting: StoredRecord[] = [];
  #behind = false;
  #end: End | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(leave: (mailbox: Mailbox) => void) {
    this.#leave = leave;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  deliver(records: readonly StoredRecord[]): void {
    if (this.#behind) return;
    this.#waiting.push(...records);
    if (this.#waiting.length > maxWaiting) {
      this.#waiting = [];
      this.#behind = true;
    }
    this.#wake.resolve();
  }

  end(end: End): void {
    this.#end ??= end;
    this.#wake.resolve();
  }

  /** What has come in since the last time; waits until there is something. */
  async take(): Promise<Delivery> {
    await this.#wake.promise;
    if (this.#end !== undefined) return this.#end;
    this.#wake = Promise.withResolvers();
    const records = this.#waiting;
    const behind = this.#behind;
    this.#waiting = [];
    this.#behind = false;
    return behind ? { kind: 'behind' } : { kind: 'changes', records };
  }

  [Symbol.dispose](): void {
    this.end({ kind: 'ended' });
    this.#leave(this);
  }
}

/**
 * The changes after `since`. `read` answers with committed changes after a revision. Subscribing comes before the first
 * read and what was read already is skipped, so nothing falls between the two.
 */
export async function* watchChanges(
  feed: ChangeFeed,
  read: (after: number) => Promise<ChangePage>,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<StoredRecord> {
  using mailbox = feed.subscribe();
  const end = () => mailbox.end({ kind: 'ended' });
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) return;
    yield* follow(mailbox, createReader(read, since));
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function* follow(mailbox: Mailbox, reader: Reader): AsyncGenerator<StoredRecord> {
  let cursor = reader.since;
  for (let delivery: Delivery = { kind: 'behind' }; ; delivery = await mailbox.take()) {
    for await (const record of recordsOf(delivery, mailbox, reader, cursor)) {
      if (record.revision <= cursor) continue;
      cursor = record.revision;
      yield record;
      if (mailbox.ended) break;
    }
    if (delivery.kind === 'ended') return;
  }
}

function recordsOf(delivery: Delivery, mailbox: Mailbox, reader: Reader, cursor: number) {
  switch (delivery.kind) {
    case 'changes':
      return delivery.records;
    case 'behind':
      return catchUp(mailbox, reader, cursor);
    case 'ended':
      return [];
    case 'failed':
      throw delivery.error;
    default:
      return delivery satisfies never;
  }
}

async function* catchUp(mailbox: Mailbox, reader: Reader, since: number) {
  let cursor = since;
  for (let full = true; full && !mailbox.ended; ) {
    const page = await reader.read(cursor);
    if (mailbox.ended) return;
    yield* page.records;
    cursor = page.records.at(-1)?.revision ?? cursor;
    full = page.full;
  }
}

interface Reader {
  readonly since: number;
  readonly read: (after: number) => Promise<ChangePage>;
}

/**
 * Reads pages and refuses when deletions that this watcher had to see were dropped: before it began, unless it began from
 * nothing, or since it began, beyond what it has read.
 */
function createReader(read: Reader['read'], since: number): Reader {
  let harmless = since === 0 ? undefined : since;
  return {
    since,
    async read(after) {
      const page = await read(after);
      harmless ??= page.compacted;
      if (page.compacted > Math.max(harmless, after)) throw new RevisionCompacted(since);
      return page;
    },
  };
}
