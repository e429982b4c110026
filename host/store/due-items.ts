// Items that wait, on their way to the database thread and back: heads become text, and what the database could not keep
// faithfully is refused.
import type { ClaimRow, ItemRow, SettlementRow, StoredItemRow } from './due-messages.ts';
import type { ClaimedItem, DueItem, Settlement } from './store.ts';

/** Everything of a listed item. */
export type ListedItem = Omit<DueItem, 'payload'> & { readonly payloadBytes: number };

/**
 * The item without its payload. Throws TypeError for a head that is not JSON, an empty id and broken Unicode, RangeError for a
 * time that is no whole number.
 */
export function rowOf(item: DueItem): ItemRow {
  const { kind, id, lane, dueAtMs, acceptedAtMs, payload } = item;
  checkText(kind, id, lane);
  if (id === '') throw new TypeError(`An id of ${kind} is empty`);
  checkTime('dueAtMs', dueAtMs);
  checkTime('acceptedAtMs', acceptedAtMs);
  const head = jsonOf(kind, id, item.head);
  return [kind, id, lane, dueAtMs, acceptedAtMs, head, payload.byteLength];
}

/** Throws like {@link rowOf}. */
export function settlementRowOf({ item, again, followedBy }: Settlement): SettlementRow {
  const { kind, id, fence } = item;
  const followers = followedBy.map(rowOf);
  if (again === undefined) return [kind, id, fence, null, null, followers];
  checkTime('dueAtMs', again.dueAtMs);
  return [kind, id, fence, again.dueAtMs, jsonOf(kind, id, again.head), followers];
}

export function itemOf(row: StoredItemRow): DueItem {
  const [kind, id, lane, dueAtMs, acceptedAtMs, head, payload] = row;
  return { kind, id, lane, dueAtMs, acceptedAtMs, head: JSON.parse(head), payload };
}

export function claimedOf(row: ClaimRow): ClaimedItem {
  const [kind, id, lane, dueAtMs, acceptedAtMs, head, payload, fence] = row;
  return { kind, id, lane, dueAtMs, acceptedAtMs, head: JSON.parse(head), payload, fence };
}

export function listedOf(row: ItemRow): ListedItem {
  const [kind, id, lane, dueAtMs, acceptedAtMs, head, payloadBytes] = row;
  return { kind, id, lane, dueAtMs, acceptedAtMs, head: JSON.parse(head), payloadBytes };
}

/** Throws TypeError when an item is named twice. */
export function checkDistinct(items: readonly Pick<DueItem, 'kind' | 'id'>[]): void {
  const named = new Set<string>();
  for (const { kind, id } of items) {
    const name = JSON.stringify([kind, id]);
    if (named.has(name)) throw new TypeError(`${kind} ${id} is named twice in one unit of work`);
    named.add(name);
  }
}

/** Throws RangeError. */
export function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${name} is a whole number of at least 0, not ${value}`);
}

/** Lone surrogates would all be stored as one and the same replacement character. Throws TypeError. */
export function checkText(...texts: readonly string[]): void {
  for (const text of texts) {
    if (!text.isWellFormed())
      throw new TypeError('Kinds, ids and lanes must be well-formed Unicode');
  }
}

function checkTime(name: string, value: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is a whole number, not ${value}`);
}

function jsonOf(kind: string, id: string, head: unknown): string {
  const text: string | undefined = JSON.stringify(head);
  if (text === undefined) throw new TypeError(`The head of ${kind} ${id} is not JSON`);
  return text;
}
