// What the store's client and its worker thread say to each other. A further part of the store adds its units here and its
// handlers in the worker; nothing between them changes.
import type { LaneSummary, StoreErrorReason } from './store.ts';

/** A record as it lies in the database: the value is JSON text, null once the record is deleted. */
export interface StoredRecord {
  readonly kind: string;
  readonly key: string;
  readonly revision: number;
  readonly value: string | null;
}

/** One change of a unit of work; `expected` and `value` are null for "does not exist" and "delete". */
export interface StoredChange {
  readonly kind: string;
  readonly key: string;
  readonly expected: number | null;
  readonly value: string | null;
}

/** Changes after a revision, by revision. */
export interface ChangePage {
  readonly records: readonly StoredRecord[];
  /** Deletions up to this revision may be missing. */
  readonly compacted: number;
  /** Whether there may be more after the last one. */
  readonly full: boolean;
}

/** Work that waits, as it lies in the database: the head is JSON text. */
export interface StoredItem {
  readonly kind: string;
  readonly id: string;
  readonly lane: string;
  readonly dueAtMs: number;
  readonly acceptedAtMs: number;
  readonly head: string;
  readonly payload: Uint8Array;
}

export interface StoredClaim extends StoredItem {
  readonly fence: number;
}

/** An item without its payload. */
export interface ListedItem extends Omit<StoredItem, 'payload'> {
  readonly payloadBytes: number;
}

/** `again` is null for work that is done. */
export interface StoredSettlement {
  readonly kind: string;
  readonly id: string;
  readonly fence: number;
  readonly again: { readonly dueAtMs: number; readonly head: string } | null;
  readonly followedBy: readonly StoredItem[];
}

/** Every unit of work by name, with what goes in and what comes out. */
export interface Units {
  readonly 'registry.get': {
    readonly input: { readonly kind: string; readonly key: string };
    readonly output: StoredRecord | undefined;
  };
  readonly 'registry.list': {
    readonly input: { readonly kind: string };
    readonly output: readonly StoredRecord[];
  };
  readonly 'registry.put': {
    readonly input: readonly StoredChange[];
    readonly output: readonly StoredRecord[];
  };
  readonly 'registry.changes': {
    readonly input: { readonly since: number; readonly limit: number };
    readonly output: ChangePage;
  };
  readonly 'registry.head': { readonly input: undefined; readonly output: number };
  readonly 'due.accept': { readonly input: readonly StoredItem[]; readonly output: undefined };
  readonly 'due.claim': {
    readonly input: {
      readonly wants: readonly {
        readonly kind: string;
        readonly lane: string;
        readonly count: number;
      }[];
      readonly nowMs: number;
      readonly maxBytes: number;
    };
    readonly output: readonly StoredClaim[];
  };
  readonly 'due.settle': {
    readonly input: readonly StoredSettlement[];
    readonly output: readonly boolean[];
  };
  readonly 'due.next': {
    readonly input: readonly { readonly kind: string; readonly lane: string }[];
    readonly output: readonly (number | undefined)[];
  };
  readonly 'due.lanes': {
    readonly input: { readonly kind: string };
    readonly output: readonly LaneSummary[];
  };
  readonly 'due.list': {
    readonly input: {
      readonly kind: string;
      readonly lane: string | undefined;
      readonly afterId: string | undefined;
      readonly limit: number;
    };
    readonly output: readonly ListedItem[];
  };
  readonly 'due.get': {
    readonly input: { readonly kind: string; readonly id: string };
    readonly output: StoredItem | undefined;
  };
  readonly 'due.replace': {
    readonly input: {
      readonly items: readonly { readonly kind: string; readonly id: string }[];
      readonly replacements: readonly StoredItem[];
    };
    readonly output: boolean;
  };
  readonly 'due.purge': {
    readonly input: { readonly kind: string; readonly lane: string; readonly limit: number };
    readonly output: number;
  };
}

/** How a unit is carried out, and whether it can write. */
export type UnitHandlers<N extends keyof Units> = {
  readonly [U in N]: {
    readonly writes: boolean;
    readonly run: (input: Units[U]['input']) => Units[U]['output'];
  };
};

export type UnitName = keyof Units;

/** One unit of work on its way to the worker. `id` pairs it with its answer. */
export type Call = {
  [N in UnitName]: { readonly id: number; readonly unit: N; readonly input: Units[N]['input'] };
}[UnitName];

/** An error in a form that survives the way between threads. */
export type Refusal =
  | { readonly name: 'RevisionConflict'; readonly kind: string; readonly key: string }
  | { readonly name: 'StoreError'; readonly reason: StoreErrorReason; readonly message: string };

/** Answers come in the order in which the units were carried out. */
export type Answer =
  | { readonly id: number; readonly ok: true; readonly output: Units[UnitName]['output'] }
  | { readonly id: number; readonly ok: false; readonly refusal: Refusal };

/** What an older database was brought up from, and where its copy is. */
export interface Migrated {
  readonly from: number;
  readonly to: number;
  readonly copy: string;
}

export interface DatabaseOptions {
  /** The database file; its folder exists. */
  readonly file: string;
  /** Names the copy taken before a migration. */
  readonly openedAtMs: number;
  /** The database refuses to grow beyond this; undefined: the disk is the limit. */
  readonly maxBytes: number | undefined;
  /** How many of the latest deletions are remembered at least. */
  readonly keptDeletions: number;
}

export type ToWorker =
  | { readonly kind: 'calls'; readonly calls: readonly Call[] }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'opened'; readonly migrated: Migrated | undefined }
  /** The database cannot be used, for a reason the operator can act on. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] };
