// Databases of other versions: older ones are copied and brought forward, newer and foreign ones refused untouched.
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { schemaVersion } from '../../host/store/schema.ts';
import { item, want } from './conformance-due.ts';
import { create } from './conformance-registry.ts';
import { createSqlitePlace, type SqlitePlace } from './place.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'store');

suite('schema', () => {
  test('a version 1 database is brought forward with all its records, after a copy was taken', async () => {
    await using place = await createSqlitePlace();
    await placeDatabase(place, 'v1.db');
    const copy = `${place.databaseFile}.v1.2026-01-01T00-00-00.000Z`;
    {
      await using store = await place.open();
      assert.deepEqual(store.migrated, { from: 1, to: schemaVersion, copy });
      assert.deepEqual(await store.registry.list('function'), [
        {
          kind: 'function',
          key: 'greet',
          revision: 1,
          value: { handler: 'app.greet', memoryMib: 256, description: 'Grüße' },
        },
        {
          kind: 'function',
          key: 'resize',
          revision: 2,
          value: { handler: 'index.handler', memoryMib: 128 },
        },
      ]);
      assert.equal((await store.registry.list('alias')).length, 1);
      assert.equal(await store.registry.head(), 5);
      const [next] = await store.registry.put([create('function', 'new', 1)]);
      assert.equal(next?.revision, 6);
      await store.due.accept([item('a')]);
      assert.equal((await store.due.get('event', 'a'))?.lane, 'lane');
      const early = store.registry.watch(3, AbortSignal.timeout(60_000));
      await assert.rejects(Array.fromAsync(early), { name: 'RevisionCompacted' });
    }
    using old = new DatabaseSync(copy);
    assert.equal(versionOf(old), 1);
    assert.equal(old.prepare('SELECT count(*) AS records FROM record').get()?.['records'], 4);

    await using again = await place.open();
    assert.equal(again.migrated, undefined);
    assert.equal(await again.registry.head(), 6);
  });

  test('the zeros before the number of a version go', async () => {
    await using place = await createSqlitePlace();
    const padded = ['000000000000/us-east-1/f0/000000000010', '0/r/f-20/000000000001'];
    {
      await using store = await place.open();
      await store.registry.put(padded.map((key) => create('version', key, 1)));
      await store.registry.put([create('function', padded[0] ?? '', 1)]);
    }
    takeBackTo(place, 2);
    await using store = await place.open();
    const keysOf = async (kind: string) => (await store.registry.list(kind)).map(({ key }) => key);
    assert.deepEqual(await keysOf('version'), ['0/r/f-20/1', '000000000000/us-east-1/f0/10']);
    assert.deepEqual(await keysOf('function'), [padded[0]]);
  });

  test('a version 3 database gets a place for work that waits and keeps its records', async () => {
    await using place = await createSqlitePlace();
    {
      await using store = await place.open();
      await store.registry.put([create('function', 'greet', 1)]);
    }
    takeBackTo(place, 3);
    {
      await using store = await place.open();
      assert.equal(store.migrated?.from, 3);
      assert.equal((await store.registry.list('function')).length, 1);
      await store.due.accept([item('a')]);
      assert.equal((await store.due.claim([want('lane')], 0, 1)).length, 1);
    }
    await using again = await place.open();
    assert.equal(again.migrated, undefined);
    assert.equal((await again.due.get('event', 'a'))?.id, 'a');
  });

  test('a new database has the current version and needs no copy', async () => {
    await using place = await createSqlitePlace();
    {
      await using store = await place.open();
      assert.equal(store.migrated, undefined);
      await store.registry.put([create('k', 'a', 1)]);
    }
    using database = new DatabaseSync(place.databaseFile);
    assert.equal(versionOf(database), schemaVersion);
    const names = await readdir(dirname(place.databaseFile));
    assert.deepEqual(
      names.filter((name) => name.startsWith('lambkin.db.')),
      [],
    );
  });

  test('a newer database is refused and left as it is', async () => {
    await using place = await createSqlitePlace();
    await (await place.open())[Symbol.asyncDispose]();
    changeDatabase(place, `PRAGMA user_version = ${schemaVersion + 5}`);
    await assert.rejects(place.open(), {
      name: 'DataDirectoryRefused',
      message:
        `${place.databaseFile} has schema version ${schemaVersion + 5}; this lambkin knows versions up to ` +
        `${schemaVersion}. Start the newer lambkin that wrote it, or start this one with --data OTHER.`,
    });
    using database = new DatabaseSync(place.databaseFile);
    assert.equal(versionOf(database), schemaVersion + 5);
  });

  test('a database that lambkin did not make, and a file that is none, are refused', async () => {
    await using place = await createSqlitePlace();
    await mkdir(dirname(place.databaseFile), { recursive: true });
    changeDatabase(place, 'CREATE TABLE songs (title TEXT)');
    await assert.rejects(place.open(), {
      name: 'DataDirectoryRefused',
      message: /lambkin\.db is a database, but not one that lambkin made/,
    });

    await using other = await createSqlitePlace();
    await mkdir(dirname(other.databaseFile), { recursive: true });
    await writeFile(other.databaseFile, 'a text of more than a hundred bytes '.repeat(20));
    await assert.rejects(other.open(), {
      name: 'DataDirectoryRefused',
      message: /lambkin\.db cannot be opened: file is not a database/,
    });
  });

  test('a refused opening gives the data directory back', async () => {
    await using place = await createSqlitePlace();
    await mkdir(dirname(place.databaseFile), { recursive: true });
    changeDatabase(place, 'PRAGMA user_version = 99');
    await assert.rejects(place.open(), { message: /schema version 99/ });
    changeDatabase(place, 'PRAGMA user_version = 0');
    await using store = await place.open();
    assert.equal(await store.registry.head(), 0);
  });

  test('a migration that fails leaves the old database as it was', async () => {
    await using place = await createSqlitePlace();
    await placeDatabase(place, 'v1.db');
    // Two records of one revision cannot be in the newer layout.
    changeDatabase(place, "UPDATE record SET revision = 5 WHERE key = 'greet'");
    await assert.rejects(place.open(), { message: /UNIQUE constraint failed: record.revision/ });
    using database = new DatabaseSync(place.databaseFile);
    assert.equal(versionOf(database), 1);
    assert.equal(database.prepare('SELECT count(*) AS n FROM record').get()?.['n'], 4);
    assert.equal(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'], 2);
  });

  test('what a crash left of a copy is removed', async () => {
    await using place = await createSqlitePlace();
    await placeDatabase(place, 'v1.db');
    const partial = `${place.databaseFile}.v1.2025-01-01T00-00-00.000Z.partial`;
    await writeFile(partial, 'half');
    await using _store = await place.open();
    const names = await readdir(dirname(place.databaseFile));
    assert.deepEqual(
      names.filter((name) => name.endsWith('.partial')),
      [],
    );
  });

  test('the stored fixture is what its text says', async () => {
    using fromText = new DatabaseSync(':memory:');
    fromText.exec(await readFile(join(fixtures, 'v1.sql'), 'utf8'));
    await using place = await createSqlitePlace();
    await placeDatabase(place, 'v1.db');
    using stored = new DatabaseSync(place.databaseFile);
    assert.equal(versionOf(stored), versionOf(fromText));
    for (const table of ['sqlite_schema', 'record']) {
      const all = `SELECT * FROM ${table}`;
      assert.deepEqual(stored.prepare(all).all(), fromText.prepare(all).all());
    }
  });
});

async function placeDatabase(place: SqlitePlace, fixture: string): Promise<void> {
  await mkdir(dirname(place.databaseFile), { recursive: true });
  await copyFile(join(fixtures, fixture), place.databaseFile);
}

function changeDatabase(place: SqlitePlace, sql: string): void {
  using database = new DatabaseSync(place.databaseFile);
  database.exec(sql);
}

/** A database of the current layout that holds nothing of the later steps becomes one of an older version. */
function takeBackTo(place: SqlitePlace, version: 2 | 3): void {
  changeDatabase(place, `DROP TABLE due; DROP TABLE due_state; PRAGMA user_version = ${version}`);
}

function versionOf(database: DatabaseSync): unknown {
  return database.prepare('PRAGMA user_version').get()?.['user_version'];
}
