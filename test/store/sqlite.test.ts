// The SQLite store: the conformance suite, then what only this implementation promises.
import assert from 'node:assert/strict';
import { chmod, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { storeConformance } from './conformance.ts';
import { create, remove, replace } from './conformance-registry.ts';
import { range } from './conformance-watch.ts';
import { createSqlitePlace } from './place.ts';

storeConformance('SQLite', () => createSqlitePlace());

suite('SQLite store', () => {
  test('units asked for in one turn are committed in the order of asking', async () => {
    await using place = await createSqlitePlace();
    await using store = await place.open();
    const stored = await Promise.all(
      range(1, 50).map((n) => store.registry.put([create('k', String(n), n)])),
    );
    assert.deepEqual(
      stored.map(([record]) => record?.revision),
      range(1, 50),
    );
  });

  test('a put on a full database is refused as full and changes nothing; others go on', async () => {
    await using place = await createSqlitePlace({ maxDatabaseBytes: 256 * 1024 });
    await using store = await place.open();
    const { registry } = store;
    await registry.put([create('k', 'a', 'small')]);
    const watching = registry.watch(1, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();

    const huge = 'x'.repeat(1024 * 1024);
    const [before, refused, read, after] = await Promise.allSettled([
      registry.put([create('k', 'b', 'small')]),
      registry.put([replace('k', 'a', 1, 'changed'), create('k', 'huge', huge)]),
      registry.get('k', 'a'),
      registry.put([create('k', 'c', 'small')]),
    ]);
    assert.equal(before.status, 'fulfilled');
    assert.equal(after.status, 'fulfilled');
    assert.equal(read.status === 'fulfilled' && read.value?.value, 'small');
    assert.equal(refused.status, 'rejected');
    assert.equal(refused.reason.name, 'StoreError');
    assert.equal(refused.reason.reason, 'full');

    assert.deepEqual(
      (await registry.list('k')).map(({ key, value }) => [key, value]),
      [
        ['a', 'small'],
        ['b', 'small'],
        ['c', 'small'],
      ],
    );
    assert.equal(await registry.head(), 3);
    assert.equal((await watching.next()).value.key, 'b');
    assert.equal((await watching.next()).value.key, 'c');
    await watching.return?.();
  });

  test('a put waits for a shell that is writing to the database', async () => {
    await using place = await createSqlitePlace();
    await using store = await place.open();
    using shell = new DatabaseSync(place.databaseFile);
    shell.exec('BEGIN IMMEDIATE');
    let stored = false;
    const put = store.registry.put([create('k', 'a', 1)]).then(() => {
      stored = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100)); // nothing to wait for: it must not happen
    assert.equal(stored, false);
    shell.exec('COMMIT');
    await put;
  });

  test('a damaged database ends the store: calls under way, later ones and watches are refused', async () => {
    await using place = await createSqlitePlace();
    {
      await using store = await place.open();
      await store.registry.put(range(1, 2_000).map((n) => create('k', `${n}`, 'x'.repeat(500))));
    }
    await overwriteMiddle(place.databaseFile);

    const lost = { name: 'StoreError', reason: 'lost' };
    await using store = await place.open();
    const { registry } = store;
    const head = await registry.head();
    const watching = registry.watch(head, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();
    const waiting = assert.rejects(watching.next(), lost);
    await registry.head();
    await Promise.all([
      assert.rejects(registry.put([create('k', 'new', 1)]), lost),
      assert.rejects(registry.list('k'), lost),
      assert.rejects(registry.head(), lost),
    ]);
    await waiting;
    assert.equal((await store.lost).reason, 'lost');
    await assert.rejects(registry.get('k', '1'), lost);
    await assert.rejects(registry.put([]), lost);
  });

  test('deletions are forgotten beyond the bound, and a watch that needed them says so', async () => {
    await using place = await createSqlitePlace({ keptDeletions: 10 });
    {
      await using store = await place.open();
      await createAndDelete(store.registry, 100);
      await store.registry.put([create('k', 'stays', 1)]);
      const head = await store.registry.head();
      assert.equal(head, 201);

      const fromOld = store.registry.watch(50, AbortSignal.timeout(60_000));
      await assert.rejects(Array.fromAsync(fromOld), { name: 'RevisionCompacted', since: 50 });

      const told: unknown[] = [];
      for await (const event of store.registry.watch(0, AbortSignal.timeout(60_000))) {
        told.push(event);
        if (event.revision === head) break;
      }
      assert.ok(told.length > 10 && told.length <= 21, `${told.length} changes are left`);
    }
    await using store = await place.open();
    assert.equal(await store.registry.head(), 201);
    await createAndDelete(store.registry, 5);
    const recent = store.registry.watch(200, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();
    assert.equal((await recent.next()).value.key, 'stays');
    await recent.return?.();
  });

  test('what a crash left of a blob is removed on opening, as is what a failed source left', async () => {
    await using place = await createSqlitePlace();
    const blobs = join(place.dataDir, 'code', 'blobs');
    {
      await using store = await place.open();
      await assert.rejects(store.blobs.put(Readable.from([Buffer.from('x'), 7])), TypeError);
      assert.deepEqual(await readdir(blobs), []);
      await store.blobs.put(Buffer.from('content'));
      await writeFile(join(blobs, '.incoming-0'), 'half');
    }
    await using store = await place.open();
    const [group, ...others] = await readdir(blobs);
    assert.deepEqual(others, []);
    assert.equal((await readdir(join(blobs, group ?? ''))).length, 1);
    assert.equal((await store.blobs.sweep(new Set(), 0)).length, 1);
  });

  test('storing a blob again mends a file that the disk has damaged', async () => {
    await using place = await createSqlitePlace();
    await using store = await place.open();
    const { sha256 } = await store.blobs.put(Buffer.from('content'));
    const path = (await store.blobs.path(sha256)) ?? '';
    await chmod(path, 0o600);
    await truncate(path, 3);
    await store.blobs.put(Buffer.from('content'));
    assert.equal(await readFile(path, 'utf8'), 'content');
  });
});

async function createAndDelete(
  registry: Awaited<ReturnType<Awaited<ReturnType<typeof createSqlitePlace>>['open']>>['registry'],
  count: number,
) {
  for (let n = 0; n < count; n++) {
    const [record] = await registry.put([create('k', `temporary-${n}`, n)]);
    assert.ok(record !== undefined);
    await registry.put([remove('k', record.key, record.revision)]);
  }
}

/** The pages at both ends stay: what opening and a watch from the latest revision read. */
async function overwriteMiddle(file: string): Promise<void> {
  await using handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const quarter = Math.floor(size / 4);
  await handle.write(Buffer.alloc(2 * quarter, 0xa5), 0, 2 * quarter, quarter);
}
