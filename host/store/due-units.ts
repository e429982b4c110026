// The units of work on items that wait, run inside the worker's transaction. What is claimed is known to a temporary table in
// memory only: it takes part in rollbacks, and a database that is opened again has no claims.
import type { DatabaseSync } from 'node:sqlite';
import type { UnitHandlers } from './database-messages.ts';
import type { ClaimRow, DueUnits, ItemRow, SettlementRow } from './due-messages.ts';
import { type DueStatements, dueStatements, type TurnRow } from './due-statements.ts';

/** So many fences are set aside on disk at a time: one write for very many claims. */
const fencesAtOnce = 2 ** 20;

/** Gives the next so many of the bytes that came with a call. */
type TakeBytes = (count: number) => Uint8Array;

/** The handlers of work that waits, on an open database of the current schema. */
export function dueUnits(database: DatabaseSync): UnitHandlers<keyof DueUnits> {
  const sql = dueStatements(database);
  const claim = claiming(sql);
  return {
    'due.accept': {
      writes: true,
      run: (rows, bytes) => {
        insertAll(sql, rows, taking(bytes));
        return undefined;
      },
    },
    'due.claim': {
      writes: false,
      run: claim,
      payloads: (claimed) => claimed.map(([, , , , , , payload]) => payload),
    },
    'due.settle': {
      writes: true,
      run: (settlements, bytes) => {
        const take = taking(bytes);
        return settlements.map((settlement) => settle(sql, settlement, take));
      },
    },
    'due.next': {
      writes: false,
      run: (lanes) => lanes.map(({ kind, lane }) => sql.next(kind, lane)),
    },
    'due.lanes': { writes: false, run: ({ kind }) => sql.lanes(kind) },
    'due.list': {
      writes: false,
      run: ({ kind, lane, afterId, limit }) =>
        lane === undefined
          ? sql.list(kind, afterId, limit)
          : sql.listLane(kind, lane, afterId, limit),
    },
    'due.get': {
      writes: false,
      run: ({ kind, id }) => sql.get(kind, id),
      payloads: (found) => (found === undefined ? [] : [found[6]]),
    },
    'due.replace': {
      writes: true,
      run: ({ items, replacements }, bytes) => {
        if (!items.every(({ kind, id }) => sql.isUnclaimed(kind, id))) return false;
        for (const { kind, id } of items) sql.remove.run(kind, id);
        insertAll(sql, replacements, taking(bytes));
        return true;
      },
    },
    'due.purge': {
      writes: true,
      run: ({ kind, lane, limit }) => Number(sql.purge.run(kind, lane, limit).changes),
    },
  };
}

function taking(bytes: Uint8Array): TakeBytes {
  let at = 0;
  return (count) => {
    at += count;
    return bytes.subarray(at - count, at);
  };
}

function insertAll(sql: DueStatements, rows: readonly ItemRow[], take: TakeBytes): void {
  for (const [kind, id, lane, dueAtMs, acceptedAtMs, head, payloadBytes] of rows)
    sql.insert.run(kind, id, lane, dueAtMs, acceptedAtMs, head, take(payloadBytes));
}

function settle(sql: DueStatements, settlement: SettlementRow, take: TakeBytes): boolean {
  const [kind, id, fence, againAtMs, againHead, followedBy] = settlement;
  const { changes } =
    againAtMs === null
      ? sql.removeClaimed.run(fence, kind, id)
      : sql.putAgain.run(againAtMs, againHead, fence, kind, id);
  if (changes === 0) {
    // The payloads of what would have followed are passed over.
    for (const [, , , , , , payloadBytes] of followedBy) take(payloadBytes);
    return false;
  }
  sql.unclaim.run(fence);
  insertAll(sql, followedBy, take);
  return true;
}

function claiming(sql: DueStatements) {
  const openFences = fences(sql);
  return ({ wants, nowMs, maxBytes }: DueUnits['due.claim']['input']): readonly ClaimRow[] => {
    const nextFence = openFences();
    const claimed: ClaimRow[] = [];
    let left = maxBytes;
    for (const { kind, lane, count } of wants) {
      const { taken, isFull } = takeTurn(
        sql.turn(kind, lane, nowMs, count),
        left,
        claimed.length === 0,
      );
      for (const [seq, ...row] of taken) {
        const fence = nextFence();
        sql.claim.run(fence, seq);
        claimed.push([...row, fence]);
        left -= row[6].byteLength;
      }
      if (isFull) break;
    }
    return claimed;
  };
}

/** Rows in turn as long as their payloads fit. All are read before any is claimed: claiming changes what the query reads. */
function takeTurn(rows: Iterable<TurnRow>, maxBytes: number, takesOneAnyway: boolean) {
  const taken: TurnRow[] = [];
  let left = maxBytes;
  for (const row of rows) {
    const [, , , , , , , { byteLength }] = row;
    const isFull = byteLength > left && !(takesOneAnyway && taken.length === 0);
    if (isFull) return { taken, isFull };
    left -= byteLength;
    taken.push(row);
  }
  return { taken, isFull: false };
}

/**
 * For each claim, numbers that none has had before, not even one of an earlier opening. Those of a transaction that is rolled
 * back are not used again; up to where they are set aside is read in each claim, since setting aside can be rolled back.
 */
function fences(sql: DueStatements): () => () => number {
  let last = sql.fenced();
  return () => {
    let setAside: number | undefined;
    return () => {
      setAside ??= sql.fenced();
      last += 1;
      if (last > setAside) {
        setAside = last + fencesAtOnce;
        sql.setFenced.run(setAside);
      }
      return last;
    };
  };
}
