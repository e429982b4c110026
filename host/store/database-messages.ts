// What the store's client and its worker thread say to each other. A further part of the store adds its units here and its
// handlers in the worker; nothing between them changes.
import type { DueUnits } from './due-messages.ts';
import type { StoreErrorReason } from './store.ts';

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

/** The registry's units of work, by name. */
export interface RegistryUnits {
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
}

/** Every unit of work by name, with what goes in and what comes out. */
export interface Units extends RegistryUnits, DueUnits {}

export type UnitName = keyof Units;

export type Input = Units[UnitName]['input'];
export type Output = Units[UnitName]['output'];

/** One unit of work that has come to the worker. `id` pairs it with its answer. */
export interface Call {
  readonly id: number;
  readonly unit: UnitName;
  /** That unit's own. */
  readonly input: Input;
  /** The bytes that were sent with it. */
  readonly bytes: Uint8Array;
}

/** Many calls on their way: one array for each member, and the bytes of all calls behind one another. */
export interface PackedCalls {
  readonly ids: readonly number[];
  readonly units: readonly UnitName[];
  readonly inputs: readonly Input[];
  readonly byteCounts: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** How a unit is carried out, and whether it can write. */
export type UnitHandlers<N extends UnitName> = {
  readonly [U in N]: {
    readonly writes: boolean;
    readonly run: (input: Units[U]['input'], bytes: Uint8Array) => Units[U]['output'];
    /** Bytes in its output, which is their only owner. */
    readonly payloads?: (output: Units[U]['output']) => readonly Uint8Array[];
  };
};

/** An error in a form that survives the way between threads. */
export type Refusal =
  | { readonly name: 'RevisionConflict'; readonly kind: string; readonly key: string }
  | { readonly name: 'StoreError'; readonly reason: StoreErrorReason; readonly message: string };

/** What came of one call. */
export type Answer =
  | { readonly id: number; readonly ok: true; readonly output: Output }
  | { readonly id: number; readonly ok: false; readonly refusal: Refusal };

/** Answers on their way, in the order in which the units were carried out; a refused call has an undefined output. */
export interface PackedAnswers {
  readonly ids: readonly number[];
  readonly outputs: readonly Output[];
  /** By id. */
  readonly refusals: ReadonlyMap<number, Refusal>;
}

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
  | { readonly kind: 'calls'; readonly calls: PackedCalls }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'opened'; readonly migrated: Migrated | undefined }
  /** The database cannot be used, for a reason the operator can act on. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'answers'; readonly answers: PackedAnswers };
