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

/** Configuration records: functions, versions, aliases, layers, policies, mappings. */
export interface Registry {
  get(kind: string, key: string): Promise<RegistryRecord | undefined>;
  /** All records of a kind, by key. */
  list(kind: string): Promise<readonly RegistryRecord[]>;
  /**
   * Compare-and-set of all changes or of none; on disk (fsync) when it resolves. Callers that arrive within one fsync share
   * it. Throws {@link RevisionConflict}. Returns the records as stored, in the order of the changes, deletions left out.
   */
  put(changes: readonly RegistryChange[]): Promise<readonly RegistryRecord[]>;
  /** Committed changes after `since`, then each later one as it is committed, until the signal aborts. */
  watch(since: number, signal: AbortSignal): AsyncIterable<RegistryEvent>;
  /** The revision of the latest change. */
  head(): Promise<number>;
}

/** Content-addressed bytes: deployment packages and layers. */
export interface Blobs {
  /** Stores what the source yields; on disk when it resolves. Returns the SHA-256 in lower-case hex and the size. */
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

/** One host's durable state. Holds the data directory's lock until disposed. */
export interface Store extends AsyncDisposable {
  readonly registry: Registry;
  readonly blobs: Blobs;
}
