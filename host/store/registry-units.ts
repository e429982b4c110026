// The registry's units of work as SQL, run inside the worker's transaction. Holds no state that a rollback would falsify.
import type { DatabaseSync } from 'node:sqlite';
import type {
  ChangePage,
  RegistryUnits,
  StoredChange,
  StoredRecord,
  UnitHandlers,
} from './database-messages.ts';
import { RevisionConflict } from './store.ts';

/** The registry's handlers on an open database of the current schema. */
export function registryUnits(
  database: DatabaseSync,
  keptDeletions: number,
): UnitHandlers<keyof RegistryUnits> {
  const sql = statements(database);
  const compact = compaction(sql, keptDeletions);

  function storeChange(change: StoredChange, revision: number): StoredRecord | undefined {
    const { kind, key, expected, value } = change;
    const current = row(sql.get.get(kind, key));
    const actual = current === undefined || current.value === null ? null : current.revision;
    if (actual !== expected) throw new RevisionConflict(kind, key);
    if (actual === null && value === null) return undefined;
    sql.store.run(revision, kind, key, value);
    return { kind, key, revision, value };
  }

  function put(changes: readonly StoredChange[]): readonly StoredRecord[] {
    const stored: StoredRecord[] = [];
    let { head } = state(sql);
    for (const change of changes) {
      const record = storeChange(change, head + 1);
      if (record === undefined) continue;
      stored.push(record);
      head = record.revision;
    }
    if (stored.length > 0) sql.setHead.run(head);
    compact(stored.filter(({ value }) => value === null).length);
    return stored;
  }

  return {
    'registry.get': {
      writes: false,
      run: ({ kind, key }) => {
        const record = row(sql.get.get(kind, key));
        return record?.value === null ? undefined : record;
      },
    },
    'registry.list': { writes: false, run: ({ kind }) => rows(sql.list.all(kind)) },
    'registry.put': { writes: true, run: put },
    'registry.changes': {
      writes: false,
      run: ({ since, limit }): ChangePage => {
        const records = rows(sql.changes.all(since, limit));
        return { records, compacted: state(sql).compacted, full: records.length === limit };
      },
    },
    'registry.head': { writes: false, run: () => state(sql).head },
  };
}

/**
 * Deletions keep a row each. Once `kept` more than the newest `kept` have gathered, the older ones are dropped and the
 * revision up to which that happened is noted, so that at most twice `kept` lie in the database.
 */
function compaction(sql: Statements, kept: number): (deleted: number) => void {
  let sinceLast = Math.max(0, Number(sql.countDeleted.get()?.['deleted']) - kept);
  return (deleted) => {
    sinceLast += deleted;
    if (sinceLast < kept || deleted === 0) return;
    const newestDropped = sql.nthDeleted.get(kept)?.['revision'];
    if (newestDropped !== undefined) {
      sql.dropDeleted.run(newestDropped);
      sql.setCompacted.run(newestDropped);
    }
    sinceLast = 0;
  };
}

type Statements = ReturnType<typeof statements>;

function statements(database: DatabaseSync) {
  const columns = 'kind, key, revision, value';
  return {
    get: database.prepare(`SELECT ${columns} FROM record WHERE kind = ? AND key = ?`),
    // Text is compared as UTF-8 bytes (collation BINARY).
    list: database.prepare(
      `SELECT ${columns} FROM record WHERE kind = ? AND value IS NOT NULL ORDER BY key`,
    ),
    store: database.prepare(
      `INSERT INTO record (revision, kind, key, value) VALUES (?, ?, ?, ?)
       ON CONFLICT (kind, key) DO UPDATE SET revision = excluded.revision, value = excluded.value`,
    ),
    changes: database.prepare(
      `SELECT ${columns} FROM record WHERE revision > ? ORDER BY revision LIMIT ?`,
    ),
    state: database.prepare('SELECT head, compacted FROM registry_state'),
    setHead: database.prepare('UPDATE registry_state SET head = ?'),
    setCompacted: database.prepare('UPDATE registry_state SET compacted = ?'),
    countDeleted: database.prepare(
      'SELECT count(*) AS deleted FROM record INDEXED BY record_deleted WHERE value IS NULL',
    ),
    nthDeleted: database.prepare(
      `SELECT revision FROM record INDEXED BY record_deleted
       WHERE value IS NULL ORDER BY revision DESC LIMIT 1 OFFSET ?`,
    ),
    dropDeleted: database.prepare('DELETE FROM record WHERE value IS NULL AND revision <= ?'),
  };
}

function state(sql: Statements): { head: number; compacted: number } {
  const found = sql.state.get();
  return { head: Number(found?.['head']), compacted: Number(found?.['compacted']) };
}

function row(found: unknown): StoredRecord | undefined {
  // as: the columns of `record` are what STRICT tables hold. Copied, since rows come without a prototype.
  return found === undefined ? undefined : { ...(found as StoredRecord) };
}

function rows(found: readonly unknown[]): readonly StoredRecord[] {
  return found.map((each) => ({ ...(each as StoredRecord) })); // as: see row()
}
