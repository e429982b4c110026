// Work that waits in SQLite, beyond the conformance suite: full disks, shared commits, the size of files and of lanes.
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { type Due, StoreError } from '../../host/store/store.ts';
import { again, done, item, want } from './conformance-due.ts';
import { create } from './conformance-registry.ts';
import { createSqlitePlace } from './place.ts';

const everything = Number.MAX_SAFE_INTEGER;
const full = { name: 'StoreError', reason: 'full' };
const mebibyte = 1024 * 1024;

suite('work that waits in SQLite', () => {
  test('on a full database nothing is stored, claims stay, and what is done can still be settled', async () => {
    await using place = await createSqlitePlace({ maxDatabaseBytes: mebibyte });
    await using store = await place.open();
    const { due } = store;
    await due.accept([item('a'), item('b'), item('c')]);
    const [a, b] = await due.claim([want('lane', 2)], 0, everything);
    assert.ok(a !== undefined && b !== undefined);
    const huge = item('huge', { kind: 'delivery', payload: Buffer.alloc(2 * mebibyte) });
    const small = item('small', { kind: 'delivery' });

    const [before, refused, settling, claiming, after] = await Promise.allSettled([
      store.registry.put([create('k', 'before', 1)]),
      due.accept([small, huge]),
      due.settle([done(b), { ...done(a), followedBy: [huge] }]),
      due.claim([want('lane')], 0, everything),
      store.registry.put([create('k', 'after', 1)]),
    ]);
    assert.equal(before.status, 'fulfilled');
    assert.equal(after.status, 'fulfilled');
    assert.equal(refused.status === 'rejected' && refused.reason.reason, 'full');
    assert.equal(settling.status === 'rejected' && settling.reason.reason, 'full');
    assert.deepEqual(
      claiming.status === 'fulfilled' && claiming.value.map(({ id }) => id),
      ['c'],
      'the other two are still claimed',
    );
    await assert.rejects(due.replace([], [huge]), full);
    assert.deepEqual(await due.list('delivery', undefined, undefined, 9), []);
    assert.deepEqual(
      await due.settle([{ ...done(a), followedBy: [small] }, again(b, { dueAtMs: 5, head: 1 })]),
      [true, true],
    );
    assert.equal((await due.list('delivery', undefined, undefined, 9)).length, 1);
  });

  test('a database that work has filled empties again and takes new work', async () => {
    await using place = await createSqlitePlace({ maxDatabaseBytes: mebibyte });
    await using store = await place.open();
    const { due } = store;
    const stored = await fillUp(due);
    assert.ok(stored > 100, `${stored} items found room`);
    const claimed = await due.claim([want('lane', stored)], 0, everything);
    assert.equal(claimed.length, stored);
    assert.ok((await due.settle(claimed.map(done))).every(Boolean));
    assert.equal(await fillUp(due), stored, 'as much as before');
  });

  test('accepts, settlements and puts of one turn each succeed or fail alone', async () => {
    await using place = await createSqlitePlace();
    await using store = await place.open();
    const { due, registry } = store;
    await due.accept([item('a'), item('taken')]);
    const [a] = await due.claim([want('lane')], 0, everything);
    assert.ok(a !== undefined);
    const results = await Promise.allSettled([
      due.accept([item('b', { payload: Buffer.from('bytes of b') })]),
      due.accept([item('c', { payload: Buffer.from('never') }), item('taken')]),
      registry.put([create('k', 'key', 1)]),
      registry.put([create('k', 'key', 2)]),
      due.settle([{ ...done(a), followedBy: [item('d', { payload: Buffer.from('bytes of d') })] }]),
      due.accept([item('e', { payload: Buffer.from('bytes of e') })]),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status === 'fulfilled'),
      [true, false, true, false, true, true],
    );
    for (const id of ['b', 'd', 'e']) {
      const found = await due.get('event', id);
      assert.equal(String(Buffer.from(found?.payload ?? [])), `bytes of ${id}`);
    }
    assert.equal(await due.get('event', 'c'), undefined);
  });

  test('claims end in the middle of a lane without holding the log back', async () => {
    await using place = await createSqlitePlace();
    await using store = await place.open();
    const { due } = store;
    const payload = Buffer.alloc(mebibyte);
    // Much more than a log may hold before it is copied back and begun anew.
    for (let n = 0; n < 120; n++) {
      await due.accept([item(`i${n}`, { payload })]);
      assert.equal((await due.claim([want('lane', 9)], 0, mebibyte)).length, 1);
      await due.accept([item(`j${n}`, { payload, lane: 'other' })]);
      const [other] = await due.claim([want('other')], 0, everything);
      assert.ok(other !== undefined);
      await due.settle([done(other)]);
    }
    const { size } = await stat(`${place.databaseFile}-wal`);
    assert.ok(size <= 64 * mebibyte, `the log has ${size} bytes`);
  });

  test('a long lane has pages in the order of ids, as a short one has', async () => {
    await using place = await createSqlitePlace();
    await using store = await place.open();
    const { due } = store;
    const count = 6_000;
    const names = Array.from({ length: count }, (_, n) => `id-${(n * 7_919) % count}`);
    await due.accept(names.map((id) => item(id)));
    await due.accept(['id-1x', 'id-2x'].map((id) => item(id, { lane: 'short' })));
    const expected = names.toSorted();
    const listed: string[] = [];
    for (let after: string | undefined; ; after = listed.at(-1)) {
      const page = await due.list('event', 'lane', after, 1_000);
      if (page.length === 0) break;
      listed.push(...page.map(({ id }) => id));
    }
    assert.deepEqual(listed, expected);
    const short = await due.list('event', 'short', 'id-1', 9);
    assert.deepEqual(
      short.map(({ id }) => id),
      ['id-1x', 'id-2x'],
    );
  });
});

/** One item after the other until the database is full; how many it were. */
async function fillUp(due: Due): Promise<number> {
  for (let count = 0; ; count++) {
    try {
      await due.accept([item(`i${count}`, { payload: Buffer.alloc(3_000) })]);
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'full') throw error;
      return count;
    }
  }
}
