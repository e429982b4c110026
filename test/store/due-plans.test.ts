// How the database goes about each statement on work that waits: along an index, whatever else waits.
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { claimedTable, dueSql } from '../../host/store/due-statements.ts';
import { createSqlitePlace } from './place.ts';

const byId = 'SEARCH due USING INDEX sqlite_autoindex_due_1';
const byTurn = 'INDEX due_turn (kind=? AND lane=?';
const isClaimed = ['CORRELATED SCALAR SUBQUERY 1', claimedBy('item')];

const plans: Readonly<Record<keyof typeof dueSql, readonly string[]>> = {
  insert: [],
  claim: [],
  unclaim: ['SEARCH temp.claimed USING INTEGER PRIMARY KEY (rowid=?)'],
  removeClaimed: [
    'SEARCH due USING INTEGER PRIMARY KEY (rowid=?)',
    'SCALAR SUBQUERY 1',
    'SEARCH temp.claimed USING INTEGER PRIMARY KEY (rowid=?)',
  ],
  putAgain: [
    'SEARCH due USING INTEGER PRIMARY KEY (rowid=?)',
    'SCALAR SUBQUERY 1',
    'SEARCH temp.claimed USING INTEGER PRIMARY KEY (rowid=?)',
  ],
  remove: [`${byId} (kind=? AND id=?)`],
  purge: [
    'SEARCH due USING INTEGER PRIMARY KEY (rowid=?)',
    'LIST SUBQUERY 2',
    `SEARCH due USING COVERING ${byTurn})`,
    ...isClaimed,
  ],
  setFenced: ['SCAN due_state'],
  fenced: ['SCAN due_state'],
  turn: [`SEARCH due USING ${byTurn} AND due_at<?)`, ...isClaimed],
  next: [`SEARCH due USING COVERING ${byTurn})`, ...isClaimed],
  lanes: ['SEARCH due USING COVERING INDEX due_turn (kind=?)'],
  get: [`${byId} (kind=? AND id=?)`],
  isUnclaimed: [`${byId.replace('INDEX', 'COVERING INDEX')} (kind=? AND id=?)`, ...isClaimed],
  list: [`${byId} (kind=? AND id>?)`],
  listDense: [`${byId} (kind=? AND id>?)`],
  listSorted: [`SEARCH due USING ${byTurn})`, 'USE TEMP B-TREE FOR ORDER BY'],
  countLane: [
    'CO-ROUTINE (subquery-1)',
    `SEARCH due USING COVERING ${byTurn})`,
    'SCAN (subquery-1)',
  ],
};

function claimedBy(column: string): string {
  return `SEARCH temp.claimed USING COVERING INDEX sqlite_autoindex_claimed_1 (${column}=?)`;
}

suite('plans of the statements on work that waits', async () => {
  await using place = await createSqlitePlace();
  await (await place.open())[Symbol.asyncDispose]();
  const database = new DatabaseSync(place.databaseFile);
  database.exec(claimedTable);
  const planOf = (sql: string) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail));
  const found = new Map(Object.entries(dueSql).map(([name, sql]) => [name, planOf(sql)]));
  database.close();
  for (const [name, plan] of Object.entries(plans)) {
    test(name, () => assert.deepEqual(found.get(name), plan));
  }
});
