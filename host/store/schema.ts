// The database's layout and the way to it from every older one. `PRAGMA user_version` says which a file has.
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Migrated } from './database-messages.ts';
import { DataDirectoryRefused } from './store.ts';

/** Each step brings a database from the version before it to its own. Never edit one that was released: add another. */
const migrations: readonly { readonly to: number; readonly sql: string }[] = [
  {
    to: 1,
    sql: `
      CREATE TABLE record (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        revision INTEGER NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (kind, key)
      ) STRICT;
    `,
  },
  {
    // Deleted records keep a row (value NULL) so that a watcher learns of the deletion, and the latest revision outlives
    // the record that had it. Deletions before this step are unknown, hence `compacted`.
    to: 2,
    sql: `
      ALTER TABLE record RENAME TO record_v1;
      CREATE TABLE record (
        revision INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT,
        UNIQUE (kind, key)
      ) STRICT;
      INSERT INTO record (revision, kind, key, value)
        SELECT revision, kind, key, value FROM record_v1 ORDER BY revision;
      DROP TABLE record_v1;
      CREATE INDEX record_deleted ON record (revision) WHERE value IS NULL;
      CREATE TABLE registry_state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        head INTEGER NOT NULL,
        compacted INTEGER NOT NULL
      ) STRICT;
      INSERT INTO registry_state (one, head, compacted)
        SELECT 1, coalesce(max(revision), 0), coalesce(max(revision), 0) FROM record;
    `,
  },
  {
    // The keys of versions end in the number as it is shown; before they were padded with zeros.
    to: 3,
    sql: `
      UPDATE record
        SET key = rtrim(key, '0123456789')
          || ltrim(substr(key, length(rtrim(key, '0123456789')) + 1), '0')
        WHERE kind = 'version';
    `,
  },
  {
    // Work that waits. Payloads come last in a row, so that reading the rest leaves their pages alone; `due_turn` is in the
    // order of claims and answers for whole lanes without the rows. Fences up to `due_state.fenced` may have been given.
    to: 4,
    sql: `
      CREATE TABLE due (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        lane TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        accepted_at INTEGER NOT NULL,
        head TEXT NOT NULL,
        payload BLOB NOT NULL,
        UNIQUE (kind, id)
      ) STRICT;
      CREATE INDEX due_turn ON due (kind, lane, due_at, accepted_at);
      CREATE TABLE due_state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        fenced INTEGER NOT NULL
      ) STRICT;
      INSERT INTO due_state (one, fenced) VALUES (1, 0);
    `,
  },
];

/** The layout this program works with. */
export const schemaVersion = 4;

/**
 * Brings the database to {@link schemaVersion}, all steps or none; an older one is copied first. Returns what was done,
 * undefined when the database was new or current. Throws {@link DataDirectoryRefused} for a newer or foreign one.
 */
export function migrate(
  database: DatabaseSync,
  file: string,
  openedAtMs: number,
): Migrated | undefined {
  removePartialCopies(file);
  const from = readNumber(database, 'PRAGMA user_version', 'user_version');
  if (from === schemaVersion) return undefined;
  if (from > schemaVersion) {
    throw new DataDirectoryRefused(
      `${file} has schema version ${from}; this lambkin knows versions up to ${schemaVersion}. ` +
        'Start the newer lambkin that wrote it, or start this one with --data OTHER.',
    );
  }
  if (from === 0) {
    refuseForeign(database, file);
    applyMigrations(database, from);
    return undefined;
  }
  const copy = copyBefore(database, file, from, openedAtMs);
  applyMigrations(database, from);
  return { from, to: schemaVersion, copy };
}

function applyMigrations(database: DatabaseSync, from: number): void {
  database.exec('BEGIN EXCLUSIVE');
  try {
    for (const { to, sql } of migrations) if (to > from) database.exec(sql);
    database.exec(`PRAGMA user_version = ${schemaVersion}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Version 0 is a file of ours only while nothing is in it. */
function refuseForeign(database: DatabaseSync, file: string): void {
  if (readNumber(database, 'SELECT count(*) AS tables FROM sqlite_schema', 'tables') === 0) return;
  throw new DataDirectoryRefused(
    `${file} is a database, but not one that lambkin made. Move it away, or start with --data OTHER.`,
  );
}

/** A consistent copy beside the database. VACUUM INTO does not sync what it writes, so that is done here. */
function copyBefore(
  database: DatabaseSync,
  file: string,
  version: number,
  openedAtMs: number,
): string {
  const stamp = new Date(openedAtMs).toISOString().replaceAll(':', '-');
  const copy = `${file}.v${version}.${stamp}`;
  const partial = `${copy}.partial`;
  database.prepare('VACUUM INTO ?').run(partial);
  syncPath(partial);
  renameSync(partial, copy);
  syncPath(dirname(file));
  return copy;
}

/** What a crash left of {@link copyBefore}. */
function removePartialCopies(file: string): void {
  const folder = dirname(file);
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${basename(file)}.v`) && name.endsWith('.partial')) {
      rmSync(join(folder, name));
    }
  }
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readNumber(database: DatabaseSync, sql: string, column: string): number {
  return Number(database.prepare(sql).get()?.[column]);
}
