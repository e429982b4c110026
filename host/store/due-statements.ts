// The SQL of work that waits, and its rows as they are sent. Every statement reads along one index, so that what else waits
// costs nothing; test/store/due-plans.test.ts holds the plans.
import type { DatabaseSync } from 'node:sqlite';
import type { ItemRow, StoredItemRow } from './due-messages.ts';
import type { LaneSummary } from './store.ts';

/** A claimable item with its row number. */
export type TurnRow = readonly [seq: number, ...StoredItemRow];

const itemColumns = 'kind, id, lane, due_at, accepted_at, head';
const unclaimed = 'NOT EXISTS (SELECT 1 FROM temp.claimed WHERE item = seq)';
const inTurn = 'ORDER BY due_at, accepted_at, seq';
const whereClaimed =
  'WHERE seq = (SELECT item FROM temp.claimed WHERE fence = ?) AND kind = ? AND id = ?';
const listed = `SELECT ${itemColumns}, length(payload) FROM due`;

/** What is claimed, in memory. */
export const claimedTable =
  'CREATE TEMP TABLE claimed (fence INTEGER PRIMARY KEY, item INTEGER NOT NULL UNIQUE) STRICT';

/** Up to here a lane is listed by sorting it; a longer one is so dense that its items are met on a walk over all ids. */
const longestSortedLane = 5_000;

export const dueSql = {
  insert: `INSERT INTO due (${itemColumns}, payload) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  claim: 'INSERT INTO temp.claimed (fence, item) VALUES (?, ?)',
  unclaim: 'DELETE FROM temp.claimed WHERE fence = ?',
  removeClaimed: `DELETE FROM due ${whereClaimed}`,
  putAgain: `UPDATE due SET due_at = ?, head = ? ${whereClaimed}`,
  remove: 'DELETE FROM due WHERE kind = ? AND id = ?',
  purge: `DELETE FROM due WHERE seq IN
    (SELECT seq FROM due WHERE kind = ? AND lane = ? AND ${unclaimed} ${inTurn} LIMIT ?)`,
  setFenced: 'UPDATE due_state SET fenced = ?',
  fenced: 'SELECT fenced FROM due_state',
  turn: `SELECT seq, ${itemColumns}, payload FROM due
    WHERE kind = ? AND lane = ? AND due_at <= ? AND ${unclaimed} ${inTurn} LIMIT ?`,
  next: `SELECT due_at FROM due WHERE kind = ? AND lane = ? AND ${unclaimed} ${inTurn} LIMIT 1`,
  lanes: `SELECT lane, count(*), min(due_at), min(accepted_at) FROM due
    WHERE kind = ? GROUP BY lane ORDER BY lane`,
  get: `SELECT ${itemColumns}, payload FROM due WHERE kind = ? AND id = ?`,
  isUnclaimed: `SELECT 1 FROM due WHERE kind = ? AND id = ? AND ${unclaimed}`,
  list: `${listed} WHERE kind = ? AND id > ? ORDER BY id LIMIT ?`,
  // A plus keeps the planner from an index on that column.
  listDense: `${listed} WHERE kind = ? AND +lane = ? AND id > ? ORDER BY id LIMIT ?`,
  listSorted: `${listed} INDEXED BY due_turn
    WHERE kind = ? AND lane = ? AND +id > ? ORDER BY id LIMIT ?`,
  countLane: 'SELECT count(*) FROM (SELECT 1 FROM due WHERE kind = ? AND lane = ? LIMIT ?)',
} as const satisfies Record<string, string>;

export type DueStatements = ReturnType<typeof dueStatements>;

/** Prepares the statements on a database of the current schema, and makes the table of what is claimed. */
export function dueStatements(database: DatabaseSync) {
  database.exec(claimedTable);
  const { insert, claim, unclaim, removeClaimed, putAgain, remove, purge, setFenced } = dueSql;
  return {
    insert: database.prepare(insert),
    claim: database.prepare(claim),
    unclaim: database.prepare(unclaim),
    removeClaimed: database.prepare(removeClaimed),
    putAgain: database.prepare(putAgain),
    remove: database.prepare(remove),
    purge: database.prepare(purge),
    setFenced: database.prepare(setFenced),
    ...readingStatements(database),
  };
}

function readingStatements(database: DatabaseSync) {
  // Rows as arrays. as, in all of the below: they have the columns of their statement, as STRICT tables hold them.
  const prepare = (text: string) => {
    const statement = database.prepare(text);
    statement.setReturnArrays(true);
    return statement;
  };
  const first = (row: unknown) => (row as readonly unknown[] | undefined)?.[0];
  const turn = prepare(dueSql.turn);
  const next = prepare(dueSql.next);
  const lanes = prepare(dueSql.lanes);
  const get = prepare(dueSql.get);
  const isUnclaimed = prepare(dueSql.isUnclaimed);
  const fenced = prepare(dueSql.fenced);
  const list = prepare(dueSql.list);
  const listDense = prepare(dueSql.listDense);
  const listSorted = prepare(dueSql.listSorted);
  const countLane = prepare(dueSql.countLane);
  return {
    turn: (kind: string, lane: string, nowMs: number, count: number) =>
      turn.iterate(kind, lane, nowMs, count) as Iterable<unknown> as Iterable<TurnRow>,
    next: (kind: string, lane: string) => first(next.get(kind, lane)) as number | undefined,
    lanes: (kind: string) => (lanes.all(kind) as readonly unknown[] as LaneRow[]).map(summaryOf),
    get: (kind: string, id: string) => get.get(kind, id) as unknown as StoredItemRow | undefined,
    isUnclaimed: (kind: string, id: string) => isUnclaimed.get(kind, id) !== undefined,
    fenced: () => Number(first(fenced.get())),
    list: (kind: string, afterId: string | undefined, limit: number) =>
      list.all(kind, afterId ?? '', limit) as readonly unknown[] as ItemRow[],
    listLane: (kind: string, lane: string, afterId: string | undefined, limit: number) => {
      const length = Number(first(countLane.get(kind, lane, longestSortedLane + 1)));
      const statement = length > longestSortedLane ? listDense : listSorted;
      return statement.all(kind, lane, afterId ?? '', limit) as readonly unknown[] as ItemRow[];
    },
  };
}

type LaneRow = readonly [
  lane: string,
  count: number,
  nextDueAtMs: number,
  oldestAcceptedAtMs: number,
];

function summaryOf([lane, count, nextDueAtMs, oldestAcceptedAtMs]: LaneRow): LaneSummary {
  return { lane, count, nextDueAtMs, oldestAcceptedAtMs };
}
