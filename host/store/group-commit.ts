// Carries out many units of work in one transaction, so that they share one fsync, while each of them succeeds or fails alone.
import type { DatabaseSync } from 'node:sqlite';
import type {
  Answer,
  Call,
  Input,
  Output,
  Refusal,
  UnitHandlers,
  UnitName,
} from './database-messages.ts';
import { RevisionConflict, type StoreErrorReason } from './store.ts';

// Result codes, https://www.sqlite.org/rescode.html
const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteNotADatabase = 26;
const sqliteSyncFailed = 1034;
const sqliteDirectorySyncFailed = 1290;

/**
 * Runs the calls in order and answers once all is on disk. Throws only when the database can no longer be trusted (damage,
 * or a failed fsync, after which nobody knows what the disk holds).
 */
export type Commit = (calls: readonly Call[]) => readonly Answer[];

export function createGroupCommit(
  database: DatabaseSync,
  handlers: UnitHandlers<UnitName>,
): Commit {
  const sql = {
    begin: database.prepare('BEGIN'),
    beginImmediate: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    savepoint: database.prepare('SAVEPOINT unit'),
    release: database.prepare('RELEASE unit'),
    rollbackUnit: database.prepare('ROLLBACK TO unit'),
  };

  function runUnit(call: Call): Answer {
    sql.savepoint.run();
    try {
      const output = run(handlers, call);
      sql.release.run();
      return { id: call.id, ok: true, output };
    } catch (error) {
      // On a full disk and the like SQLite rolls the whole transaction back by itself.
      if (!database.isTransaction || isFatal(error)) throw error;
      sql.rollbackUnit.run();
      sql.release.run();
      return { id: call.id, ok: false, refusal: refusalOf(error) };
    }
  }

  function commit(calls: readonly Call[]): readonly Answer[] {
    const writes = calls.some(({ unit }) => handlers[unit].writes);
    try {
      (writes ? sql.beginImmediate : sql.begin).run();
      const answers = calls.map(runUnit);
      sql.commit.run();
      return answers;
    } catch (error) {
      if (isFatal(error)) throw error;
      if (database.isTransaction) sql.rollback.run();
      const [only] = calls;
      if (only !== undefined && calls.length === 1) {
        return [{ id: only.id, ok: false, refusal: refusalOf(error) }];
      }
      if (resultCode(error) === sqliteBusy) return refuseAll(calls, refusalOf(error));
      // Nothing of the transaction was kept: one by one, those that can succeed (reads on a full disk) still do.
      return calls.flatMap((call) => commit([call]));
    }
  }
  return commit;
}

function run(handlers: UnitHandlers<UnitName>, { unit, input, bytes }: Call): Output {
  // as: a call has its unit's own input, which the compiler cannot follow through the table.
  const handler = handlers[unit].run as (input: Input, bytes: Uint8Array) => Output;
  return handler(input, bytes);
}

function refuseAll(calls: readonly Call[], refusal: Refusal): readonly Answer[] {
  return calls.map(({ id }) => ({ id, ok: false, refusal }));
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof RevisionConflict) {
    return { name: 'RevisionConflict', kind: error.kind, key: error.key };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { name: 'StoreError', reason: reasonOf(error), message };
}

function reasonOf(error: unknown): StoreErrorReason {
  const code = resultCode(error);
  if (code === sqliteFull) return 'full';
  return code === sqliteBusy ? 'busy' : 'internal';
}

function isFatal(error: unknown): boolean {
  const code = extendedCode(error);
  return (
    code === sqliteSyncFailed ||
    code === sqliteDirectorySyncFailed ||
    resultCode(error) === sqliteCorrupt ||
    resultCode(error) === sqliteNotADatabase
  );
}

function resultCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

function extendedCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}
