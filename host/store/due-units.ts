// The units of work on items that wait as SQL, run inside the worker's transaction. What is claimed is known to a temporary
// table in memory only: it takes part in rollbacks, and a database that is opened again has no claims.
import type { DatabaseSync } from 'node:sqlite';
import type {
  StoredClaim,
  StoredItem,
  StoredSettlement,
  UnitHandlers,
  Units,
} from './database-messages.ts';
import { dueStatements } from './due-statements.ts';

type DueUnit = Extract<keyof Units, `due.${string}`>;

/** So many fences are set aside on disk at a time: one write for very many claims. */
const fencesAtOnce = 2 ** 20;

/** The handlers of work that waits, on an open database of the current schema. */
export function dueUnits(database: DatabaseSync): UnitHandlers<DueUnit> {
  const sql = dueStatements(database);
  const nextFence = fences(sql);

  function insert(item: StoredItem): void {
    const { kind, id, lane, dueAtMs, acceptedAtMs, head, payload } = item;
    sql.insert.run(kind, id, lane, dueAtMs, acceptedAtMs, head, payload);
  }

  function settle(settlement: StoredSettlement): boolean {
    const { kind, id, fence, again, followedBy } = settlement;
    const { changes } =
      again === null
        ? sql.removeClaimed.run(fence, kind, id)
        : sql.putAgain.run(again.dueAtMs, again.head, fence, kind, id);
    if (changes === 0) return false;
    sql.unclaim.run(fence);
    for (const item of followedBy) insert(item);
    return true;
  }

  function claim({ wants, nowMs, maxBytes }: Units['due.claim']['input']): readonly StoredClaim[] {
    const claimed: StoredClaim[] = [];
    let left = maxBytes;
    for (const { kind, lane, count } of wants) {
      const taken: { seq: number; claim: StoredClaim }[] = [];
      let isFull = false;
      for (const { seq, ...item } of sql.turn(kind, lane, nowMs, count)) {
        isFull = item.payload.length > left && claimed.length + taken.length > 0;
        if (isFull) break;
        left -= item.payload.length;
        taken.push({ seq, claim: { ...item, fence: nextFence() } });
      }
      for (const { seq, claim } of taken) sql.claim.run(claim.fence, seq);
      claimed.push(...taken.map(({ claim }) => claim));
      if (isFull) break;
    }
    return claimed;
  }

  function replace({ items, replacements }: Units['due.replace']['input']): boolean {
    if (!items.every(({ kind, id }) => sql.isUnclaimed(kind, id))) return false;
    for (const { kind, id } of items) sql.remove.run(kind, id);
    for (const item of replacements) insert(item);
    return true;
  }

  return {
    'due.accept': {
      writes: true,
      run: (items) => {
        for (const item of items) insert(item);
        return undefined;
      },
    },
    'due.claim': { writes: false, run: claim },
    'due.settle': { writes: true, run: (settlements) => settlements.map(settle) },
    'due.next': {
      writes: false,
      run: (lanes) => lanes.map(({ kind, lane }) => sql.next(kind, lane)),
    },
    'due.lanes': { writes: false, run: ({ kind }) => sql.lanes(kind) },
    'due.list': {
      writes: false,
      run: ({ kind, lane, afterId, limit }) => sql.list(kind, lane, afterId, limit),
    },
    'due.get': { writes: false, run: ({ kind, id }) => sql.get(kind, id) },
    'due.replace': { writes: true, run: replace },
    'due.purge': {
      writes: true,
      run: ({ kind, lane, limit }) => Number(sql.purge.run(kind, lane, limit).changes),
    },
  };
}

/**
 * Numbers that no claim has had before, not even one of an earlier opening. Those of a transaction that is rolled back are
 * not used again; how many are set aside is read from the database each time, since setting aside can be rolled back.
 */
function fences(sql: ReturnType<typeof dueStatements>): () => number {
  let last = sql.fenced();
  return () => {
    last += 1;
    if (last > sql.fenced()) sql.setFenced.run(last + fencesAtOnce);
    return last;
  };
}
