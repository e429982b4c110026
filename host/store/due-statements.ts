// The SQL of work that waits, and the rows it gives in the form in which they are sent.
import type { DatabaseSync } from 'node:sqlite';
import type { ListedItem, StoredItem } from './database-messages.ts';
import type { LaneSummary } from './store.ts';

const listed = `kind, id, lane, due_at AS dueAtMs, accepted_at AS acceptedAtMs, head`;
const unclaimed = 'NOT EXISTS (SELECT 1 FROM temp.claimed WHERE item = seq)';
const inTurn = 'ORDER BY due_at, accepted_at, seq';

/** Prepares the statements on a database of the current schema, and the table of what is claimed. */
export function dueStatements(database: DatabaseSync) {
  database.exec(`
    CREATE TEMP TABLE claimed (fence INTEGER PRIMARY KEY, item INTEGER NOT NULL UNIQUE) STRICT;
  `);
  return { ...writingStatements(database), ...readingStatements(database) };
}

function writingStatements(database: DatabaseSync) {
  const whereClaimed =
    'WHERE seq = (SELECT item FROM temp.claimed WHERE fence = ?) AND kind = ? AND id = ?';
  return {
    insert: database.prepare(
      `INSERT INTO due (kind, id, lane, due_at, accepted_at, head, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    claim: database.prepare('INSERT INTO temp.claimed (fence, item) VALUES (?, ?)'),
    unclaim: database.prepare('DELETE FROM temp.claimed WHERE fence = ?'),
    removeClaimed: database.prepare(`DELETE FROM due ${whereClaimed}`),
    putAgain: database.prepare(`UPDATE due SET due_at = ?, head = ? ${whereClaimed}`),
    remove: database.prepare('DELETE FROM due WHERE kind = ? AND id = ?'),
    purge: database.prepare(
      `DELETE FROM due WHERE seq IN
         (SELECT seq FROM due WHERE kind = ? AND lane = ? AND ${unclaimed} ${inTurn} LIMIT ?)`,
    ),
    setFenced: database.prepare('UPDATE due_state SET fenced = ?'),
  };
}

function readingStatements(database: DatabaseSync) {
  const turn = database.prepare(
    `SELECT seq, ${listed}, payload FROM due
     WHERE kind = ? AND lane = ? AND due_at <= ? AND ${unclaimed} ${inTurn} LIMIT ?`,
  );
  const next = database.prepare(
    `SELECT due_at FROM due WHERE kind = ? AND lane = ? AND ${unclaimed} ${inTurn} LIMIT 1`,
  );
  const lanes = database.prepare(
    `SELECT lane, count(*) AS count, min(due_at) AS nextDueAtMs, min(accepted_at) AS oldestAcceptedAtMs
     FROM due WHERE kind = ? GROUP BY lane ORDER BY lane`,
  );
  const get = database.prepare(`SELECT ${listed}, payload FROM due WHERE kind = ? AND id = ?`);
  const isUnclaimed = database.prepare(
    `SELECT 1 FROM due WHERE kind = ? AND id = ? AND ${unclaimed}`,
  );
  const fenced = database.prepare('SELECT fenced FROM due_state');
  const list = database.prepare(
    `SELECT ${listed}, length(payload) AS payloadBytes FROM due
     WHERE kind = ?1 AND id > ?2 AND (?3 IS NULL OR lane = ?3) ORDER BY id LIMIT ?4`,
  );
  // as: the columns are named as these types are, and STRICT tables hold what the columns declare. Copied, since rows come
  // without a prototype.
  return {
    turn: (kind: string, lane: string, nowMs: number, count: number) =>
      turn.iterate(kind, lane, nowMs, count) as Iterable<StoredItem & { readonly seq: number }>,
    next: (kind: string, lane: string) => next.get(kind, lane)?.['due_at'] as number | undefined,
    lanes: (kind: string) => lanes.all(kind).map((row) => ({ ...row }) as unknown as LaneSummary),
    get: (kind: string, id: string) => {
      const row = get.get(kind, id);
      return row === undefined ? undefined : ({ ...row } as unknown as StoredItem);
    },
    isUnclaimed: (kind: string, id: string) => isUnclaimed.get(kind, id) !== undefined,
    fenced: () => Number(fenced.get()?.['fenced']),
    list: (kind: string, lane: string | undefined, afterId: string | undefined, limit: number) =>
      list
        .all(kind, afterId ?? '', lane ?? null, limit)
        .map((row) => ({ ...row }) as unknown as ListedItem),
  };
}
