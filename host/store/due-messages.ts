// Work that waits, as it is said between the threads. Items are tuples, since names of members would be copied with every one of
// them, and payloads of calls travel behind one another in one buffer: the thread that serves callers pays for each message.
import type { LaneSummary } from './store.ts';

/** An item to store: the head is JSON text, the payload the next so many bytes of its call. */
export type ItemRow = readonly [
  kind: string,
  id: string,
  lane: string,
  dueAtMs: number,
  acceptedAtMs: number,
  head: string,
  payloadBytes: number,
];

/** What becomes of a claimed item; `againAtMs` and `againHead` are null for one that is done. */
export type SettlementRow = readonly [
  kind: string,
  id: string,
  fence: number,
  againAtMs: number | null,
  againHead: string | null,
  followedBy: readonly ItemRow[],
];

/** An item that is read. */
export type StoredItemRow = readonly [
  kind: string,
  id: string,
  lane: string,
  dueAtMs: number,
  acceptedAtMs: number,
  head: string,
  payload: Uint8Array,
];

export type ClaimRow = readonly [...StoredItemRow, fence: number];

/** The units of work on items that wait, by name. */
export interface DueUnits {
  readonly 'due.accept': { readonly input: readonly ItemRow[]; readonly output: undefined };
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
    readonly output: readonly ClaimRow[];
  };
  readonly 'due.settle': {
    readonly input: readonly SettlementRow[];
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
    readonly output: readonly ItemRow[];
  };
  readonly 'due.get': {
    readonly input: { readonly kind: string; readonly id: string };
    readonly output: StoredItemRow | undefined;
  };
  readonly 'due.replace': {
    readonly input: {
      readonly items: readonly { readonly kind: string; readonly id: string }[];
      readonly replacements: readonly ItemRow[];
    };
    readonly output: boolean;
  };
  readonly 'due.purge': {
    readonly input: { readonly kind: string; readonly lane: string; readonly limit: number };
    readonly output: number;
  };
}
