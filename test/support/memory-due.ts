// Work that waits, in memory: what the durable queue is compared with, and enough of a store for tests of what stands on it.
import { checkCount, checkDistinct, rowOf } from '../../host/store/due-items.ts';
import {
  type ClaimedItem,
  type Due,
  type DueItem,
  type LaneSummary,
  type Settlement,
  StoreError,
} from '../../host/store/store.ts';

interface Held {
  readonly item: DueItem;
  /** Rises with every item that is stored. */
  readonly seq: number;
  readonly fence: number | undefined;
}

type Name = Pick<DueItem, 'kind' | 'id'>;

/** Every method works at once and keeps copies of what it is given. */
export class MemoryDue implements Due {
  #held = new Map<string, Held>();
  #lastSeq = 0;
  #lastFence = 0;

  /** As if the store had been closed, or killed, and opened again: nothing is claimed any more. */
  reopen(): void {
    for (const held of this.#held.values()) this.#keep({ ...held, fence: undefined });
  }

  async accept(items: readonly DueItem[]): Promise<void> {
    this.#atomically(() => this.#addAll(items));
  }

  async claim(
    wants: readonly { readonly kind: string; readonly lane: string; readonly count: number }[],
    nowMs: number,
    maxBytes: number,
  ): Promise<readonly ClaimedItem[]> {
    for (const { count } of wants) checkCount('count', count);
    const claimed: ClaimedItem[] = [];
    let left = maxBytes;
    for (const { kind, lane, count } of wants) {
      const due = this.#unclaimed(kind, lane).filter(({ item }) => item.dueAtMs <= nowMs);
      for (const { item, seq } of due.slice(0, count)) {
        if (item.payload.length > left && claimed.length > 0) return claimed;
        left -= item.payload.length;
        const fence = ++this.#lastFence;
        this.#keep({ item, seq, fence });
        claimed.push({ ...structuredClone(item), fence });
      }
    }
    return claimed;
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly boolean[]> {
    return this.#atomically(() => settlements.map((settlement) => this.#settle(settlement)));
  }

  async nextDue(
    lanes: readonly { readonly kind: string; readonly lane: string }[],
  ): Promise<readonly (number | undefined)[]> {
    return lanes.map(({ kind, lane }) => this.#unclaimed(kind, lane)[0]?.item.dueAtMs);
  }

  async lanes(kind: string): Promise<readonly LaneSummary[]> {
    const items = this.#all().filter((item) => item.kind === kind);
    return [...Map.groupBy(items, ({ lane }) => lane)]
      .map(([lane, own]) => ({
        lane,
        count: own.length,
        nextDueAtMs: Math.min(...own.map(({ dueAtMs }) => dueAtMs)),
        oldestAcceptedAtMs: Math.min(...own.map(({ acceptedAtMs }) => acceptedAtMs)),
      }))
      .toSorted((one, other) => compareText(one.lane, other.lane));
  }

  async list(kind: string, lane: string | undefined, afterId: string | undefined, limit: number) {
    checkCount('limit', limit);
    return this.#all()
      .filter((item) => item.kind === kind && (lane === undefined || item.lane === lane))
      .filter(({ id }) => afterId === undefined || compareText(id, afterId) > 0)
      .toSorted((one, other) => compareText(one.id, other.id))
      .slice(0, limit)
      .map(({ payload, ...rest }) => ({ ...structuredClone(rest), payloadBytes: payload.length }));
  }

  async get(kind: string, id: string): Promise<DueItem | undefined> {
    return structuredClone(this.#held.get(nameOf({ kind, id }))?.item);
  }

  async replace(items: readonly Name[], replacements: readonly DueItem[]): Promise<boolean> {
    checkDistinct(items);
    const held = items.map((item) => this.#held.get(nameOf(item)));
    if (!held.every((each) => each !== undefined && each.fence === undefined)) return false;
    this.#atomically(() => {
      for (const item of items) this.#held.delete(nameOf(item));
      this.#addAll(replacements);
    });
    return true;
  }

  async purge(kind: string, lane: string, limit: number): Promise<number> {
    checkCount('limit', limit);
    const gone = this.#unclaimed(kind, lane).slice(0, limit);
    for (const { item } of gone) this.#held.delete(nameOf(item));
    return gone.length;
  }

  #settle({ item: { kind, id, fence }, again, followedBy }: Settlement): boolean {
    const held = this.#held.get(nameOf({ kind, id }));
    if (held === undefined || held.fence !== fence) return false;
    if (again === undefined) this.#held.delete(nameOf({ kind, id }));
    else
      this.#keep({ ...held, item: { ...held.item, ...structuredClone(again) }, fence: undefined });
    this.#addAll(followedBy);
    return true;
  }

  #addAll(items: readonly DueItem[]): void {
    for (const item of items) {
      rowOf(item); // refuses what cannot be stored
      if (this.#held.has(nameOf(item)))
        throw new StoreError('internal', `${item.kind} ${item.id} is there already`);
      this.#keep({ item: copyOf(item), seq: ++this.#lastSeq, fence: undefined });
    }
  }

  /** In the order of claims. */
  #unclaimed(kind: string, lane: string): readonly Held[] {
    return [...this.#held.values()]
      .filter(({ item, fence }) => fence === undefined && item.kind === kind && item.lane === lane)
      .toSorted(
        (one, other) =>
          one.item.dueAtMs - other.item.dueAtMs ||
          one.item.acceptedAtMs - other.item.acceptedAtMs ||
          one.seq - other.seq,
      );
  }

  #all(): readonly DueItem[] {
    return Array.from(this.#held.values(), ({ item }) => item);
  }

  #keep(held: Held): void {
    this.#held.set(nameOf(held.item), held);
  }

  #atomically<T>(work: () => T): T {
    const before = new Map(this.#held);
    try {
      return work();
    } catch (error) {
      this.#held = before;
      throw error;
    }
  }
}

function nameOf({ kind, id }: Name): string {
  return JSON.stringify([kind, id]);
}

function copyOf(item: DueItem): DueItem {
  const { kind, id, lane, dueAtMs, acceptedAtMs, head, payload } = item;
  const copy = { kind, id, lane, dueAtMs, acceptedAtMs, payload: new Uint8Array(payload) };
  return { ...copy, head: JSON.parse(JSON.stringify(head)) };
}

/** As SQLite compares, by the bytes of UTF-8. */
function compareText(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
