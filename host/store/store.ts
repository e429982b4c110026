// The only door to durable state. Every method is one unit of work and returns a promise; nothing above knows SQL.
import type { Readable } from 'node:stream';

/** A stored record. `value` is JSON; what it holds is its kind's own matter. */
export interface RegistryRecord {
  /** `function`, `version`, `alias`, … */
  readonly kind: string;
  /** Unique within its kind. Listing order is the order of keys, compared as bytes. */
  readonly key: string;
  /** Rises with every change of the registry as a whole, so it also orders changes. */
  readonly revision: number;
  readonly value: unknown;
}

/** One change of a unit of work. */
export interface RegistryChange {
  readonly kind: string;
  readonly key: string;
  /** The revision the record must have now; undefined: the record must not exist. */
  readonly expected: number | undefined;
  /** The new value; undefined deletes the record. */
  readonly value: unknown;
}

/** A change that has been committed, in the order of commits. A deletion has an undefined value. */
export interface RegistryEvent {
  readonly kind: string;
  readonly key: string;
  readonly revision: number;
  readonly value: unknown;
}

/** Some record did not have the expected revision; nothing of the unit of work was stored. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
  readonly kind: string;
  readonly key: string;

  constructor(kind: string, key: string) {
    super(`${kind} ${key} has changed in the meantime`);
    this.kind = kind;
    this.key = key;
  }
}

/**
 * Deletions after `since` may have been forgotten, so a copy that was complete at `since` cannot be brought up to date: drop
 * it and watch from 0 again.
 */
export class RevisionCompacted extends Error {
  override readonly name = 'RevisionCompacted';
  readonly since: number;

  constructor(since: number) {
    super(`Changes after revision ${since} are no longer complete; watch from 0 again`);
    this.since = since;
  }
}

/**
 * Why the store could not do its work.
 * - `full`: the disk or the database's quota is full; nothing of the unit was stored, later ones may succeed
 * - `busy`: another program kept the database locked; nothing was stored, later units may succeed
 * - `internal`: this unit cannot be done and nothing of it was stored; a fault of ours
 * - `lost`: the store has failed; whether units under way were stored is not known, and it must be opened anew
 * - `closed`: it was used after its disposal
 */
export type StoreErrorReason = 'full' | 'busy' | 'internal' | 'lost' | 'closed';

/** The store, not the caller, is at fault. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly reason: StoreErrorReason;

  constructor(reason: StoreErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The data directory cannot be used. The message is meant for the operator: why, and what to do. */
export class DataDirectoryRefused extends Error {
  override readonly name = 'DataDirectoryRefused';
}

/**
 * Configuration records: functions, versions, aliases, layers, policies, mappings. Kinds and keys are well-formed Unicode;
 * every method throws {@link StoreError} when the store is at fault.
 */
export interface Registry {
  get(kind: string, key: string): Promise<RegistryRecord | undefined>;
  /** All records of a kind, by key. */
  list(kind: string): Promise<readonly RegistryRecord[]>;
  /**
   * Compare-and-set of all changes or of none; on disk (fsync) when it resolves. Callers that arrive within one fsync share
   * it. Throws {@link RevisionConflict}. Returns the records as stored, in the order of the changes, deletions left out.
   * A unit names a record at most once. A deletion that expects no record stores nothing and only checks.
   */
  put(changes: readonly RegistryChange[]): Promise<readonly RegistryRecord[]>;
  /**
   * Committed changes after `since` in the order of their revisions, then each later one as it is committed. A change that
   * a later one of the same record has overtaken before the watcher got to it may be left out. Ends when the signal aborts
   * or the store is disposed. Throws {@link RevisionCompacted}; never for 0.
   */
  watch(since: number, signal: AbortSignal): AsyncIterable<RegistryEvent>;
  /** The revision of the latest change. */
  head(): Promise<number>;
}

/**
 * Content-addressed bytes: deployment packages and layers. Every method throws {@link StoreError} when the store is full or
 * closed; `put` passes on what the source fails with.
 */
export interface Blobs {
  /**
   * Stores what the source yields; on disk when it resolves. Returns the SHA-256 in lower-case hex and the size. Takes the
   * source over: it has been read to its end or destroyed when this settles.
   */
  put(
    source: Uint8Array | Readable,
  ): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** Undefined when there is no such blob. The caller owns the stream. */
  open(
    sha256: string,
  ): Promise<{ readonly stream: Readable; readonly sizeBytes: number } | undefined>;
  /** The blob as a file to read from; undefined when there is none. Valid until a sweep removes it. */
  path(sha256: string): Promise<string | undefined>;
  /** Removes every blob that is not in `keep` and was not stored within the last `graceMs`; returns what was removed. */
  sweep(keep: ReadonlySet<string>, graceMs: number): Promise<readonly string[]>;
}

/** Work that waits for its time: an asynchronous event, the delivery of its outcome, a dead letter. */
export interface DueItem {
  /**
   * Unique within its kind, not empty. Ids that begin with the time cost the disk a third of what ids of chance do when a
   * million items wait: neighbours in time are neighbours in the index.
   */
  readonly id: string;
  readonly kind: string;
  /** Whose turn it is: work of one lane never holds up another's. A function for events, a destination for deliveries. */
  readonly lane: string;
  /** Epoch milliseconds from which it may be claimed. Within a lane what is due first is claimed first. */
  readonly dueAtMs: number;
  /** Epoch milliseconds; its age counts from here. */
  readonly acceptedAtMs: number;
  /** JSON; what it holds is its kind's own matter. Small: it is listed without its payload. */
  readonly head: unknown;
  /** Not to be changed while a call that was given it is under way. */
  readonly payload: Uint8Array;
}

/** An item that nobody else gets until it is settled, or until the store that gave it is closed or killed. */
export interface ClaimedItem extends DueItem {
  readonly fence: number;
}

/** What becomes of a claimed item, and what begins to wait instead: both in one unit of work. */
export interface Settlement {
  readonly item: Pick<ClaimedItem, 'kind' | 'id' | 'fence'>;
  /** When it may be claimed again, and with which head; undefined: it is done and removed. */
  readonly again: Pick<DueItem, 'dueAtMs' | 'head'> | undefined;
  /** Accepted together with the settlement, or not at all. */
  readonly followedBy: readonly DueItem[];
}

/** What is in one lane, claimed items included in every figure. */
export interface LaneSummary {
  readonly lane: string;
  readonly count: number;
  /** Epoch milliseconds from which the first of them is due. */
  readonly nextDueAtMs: number;
  readonly oldestAcceptedAtMs: number;
}

/**
 * Durable work that waits for its time. Many millions may wait: nothing but what is asked for is held in memory. Every method
 * throws {@link StoreError} when the store is at fault.
 */
export interface Due {
  /**
   * Stores all or none; on disk (fsync) when it resolves. Callers that arrive within one fsync share it. An id that its kind
   * has already is a fault of ours (`internal`), here as in every other method that stores items.
   */
  accept(items: readonly DueItem[]): Promise<void>;
  /**
   * Up to `count` unclaimed items of each lane that are due at `nowMs`, lane by lane; at most `maxBytes` of payload in all,
   * but never none when there is one. Of items due at one time the one accepted first is claimed first.
   */
  claim(
    wants: readonly { readonly kind: string; readonly lane: string; readonly count: number }[],
    nowMs: number,
    maxBytes: number,
  ): Promise<readonly ClaimedItem[]>;
  /** On disk when it resolves. False for each whose claim has been lost: of that one nothing was stored. */
  settle(settlements: readonly Settlement[]): Promise<readonly boolean[]>;
  /** Epoch milliseconds from which the first unclaimed item of each lane is due; undefined where there is none. */
  nextDue(
    lanes: readonly { readonly kind: string; readonly lane: string }[],
  ): Promise<readonly (number | undefined)[]>;
  /** By lane, compared as bytes. Reads an index of all of the kind: for the start and for operators, not for every turn. */
  lanes(kind: string): Promise<readonly LaneSummary[]>;
  /** Items without their payloads in the order of their ids, from the one after `afterId`. */
  list(
    kind: string,
    lane: string | undefined,
    afterId: string | undefined,
    limit: number,
  ): Promise<readonly (Omit<DueItem, 'payload'> & { readonly payloadBytes: number })[]>;
  get(kind: string, id: string): Promise<DueItem | undefined>;
  /**
   * Replaces unclaimed items by others in one unit of work: none for a removal, one of another kind or time for a redrive.
   * False, and nothing is stored, when one of them is claimed or not there.
   */
  replace(
    items: readonly Pick<DueItem, 'kind' | 'id'>[],
    replacements: readonly DueItem[],
  ): Promise<boolean>;
  /** Removes up to `limit` unclaimed items of a lane, the first due first; how many it were. */
  purge(kind: string, lane: string, limit: number): Promise<number>;
}

/** One host's durable state. Holds the data directory's lock until disposed. */
export interface Store extends AsyncDisposable {
  readonly registry: Registry;
  readonly blobs: Blobs;
  readonly due: Due;
  /** Resolves when the store fails by itself, after which the host can only end; stays pending otherwise. Never rejects. */
  readonly lost: Promise<StoreError>;
}
