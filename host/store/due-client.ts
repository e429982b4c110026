// Work that waits, as the host sees it: heads are JSON on this side and text on the worker's, payloads bytes on both.
import type { ListedItem, StoredItem, StoredSettlement } from './database-messages.ts';
import type { DatabaseThread } from './database-thread.ts';
import type { ClaimedItem, Due, DueItem, Settlement } from './store.ts';

export function createDue(thread: DatabaseThread): Due {
  return {
    async accept(items) {
      await thread.call('due.accept', items.map(storedItem));
    },

    async claim(wants, nowMs, maxBytes) {
      for (const { kind, lane, count } of wants) {
        checkText(kind, lane);
        checkCount('count', count);
      }
      const claimed = await thread.call('due.claim', { wants, nowMs, maxBytes });
      return claimed.map((item): ClaimedItem => ({ ...itemOf(item), fence: item.fence }));
    },

    settle: (settlements) => thread.call('due.settle', settlements.map(storedSettlement)),

    nextDue: (lanes) => thread.call('due.next', lanes),

    lanes: (kind) => thread.call('due.lanes', { kind }),

    async list(kind, lane, afterId, limit) {
      checkCount('limit', limit);
      const listed = await thread.call('due.list', { kind, lane, afterId, limit });
      return listed.map(withParsedHead);
    },

    async get(kind, id) {
      const item = await thread.call('due.get', { kind, id });
      return item === undefined ? undefined : itemOf(item);
    },

    async replace(items, replacements) {
      checkDistinct(items);
      const stored = replacements.map(storedItem);
      return await thread.call('due.replace', { items, replacements: stored });
    },

    async purge(kind, lane, limit) {
      checkCount('limit', limit);
      return await thread.call('due.purge', { kind, lane, limit });
    },
  };
}

function itemOf(stored: StoredItem): DueItem {
  const { kind, id, lane, dueAtMs, acceptedAtMs, payload } = stored;
  return { kind, id, lane, dueAtMs, acceptedAtMs, head: JSON.parse(stored.head), payload };
}

function withParsedHead(listed: ListedItem): Omit<ListedItem, 'head'> & { readonly head: unknown } {
  return { ...listed, head: JSON.parse(listed.head) };
}

function storedItem(item: DueItem): StoredItem {
  const { kind, id, lane, dueAtMs, acceptedAtMs, payload } = item;
  checkText(kind, id, lane);
  checkTime('dueAtMs', dueAtMs);
  checkTime('acceptedAtMs', acceptedAtMs);
  const head = jsonOf(kind, id, item.head);
  return { kind, id, lane, dueAtMs, acceptedAtMs, head, payload: ownBytes(payload) };
}

function storedSettlement({ item, again, followedBy }: Settlement): StoredSettlement {
  const { kind, id, fence } = item;
  const stored = { kind, id, fence, followedBy: followedBy.map(storedItem) };
  if (again === undefined) return { ...stored, again: null };
  checkTime('dueAtMs', again.dueAtMs);
  return { ...stored, again: { dueAtMs: again.dueAtMs, head: jsonOf(kind, id, again.head) } };
}

/** A view is sent with all that lies around it, and small buffers lie in a shared pool. */
function ownBytes(payload: Uint8Array): Uint8Array {
  return payload.byteLength === payload.buffer.byteLength ? payload : new Uint8Array(payload);
}

function jsonOf(kind: string, id: string, head: unknown): string {
  const text: string | undefined = JSON.stringify(head);
  if (text === undefined) throw new TypeError(`The head of ${kind} ${id} is not JSON`);
  return text;
}

function checkTime(name: string, value: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is a whole number, not ${value}`);
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${name} is a whole number of at least 0, not ${value}`);
}

function checkDistinct(items: readonly Pick<DueItem, 'kind' | 'id'>[]): void {
  const named = new Set<string>();
  for (const { kind, id } of items) {
    const name = JSON.stringify([kind, id]);
    if (named.has(name)) throw new TypeError(`${kind} ${id} is named twice in one unit of work`);
    named.add(name);
  }
}

/** Lone surrogates would all be stored as one and the same replacement character. */
function checkText(...texts: readonly string[]): void {
  for (const text of texts) {
    if (!text.isWellFormed())
      throw new TypeError('Kinds, ids and lanes must be well-formed Unicode');
  }
}
