// Aggregates: roots with parts, changed one at a time, all or nothing, the same after a restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregates } from '../../host/store/aggregates.ts';
import type { Registry } from '../../host/store/store.ts';
import { createSqlitePlace } from './place.ts';

interface Root {
  readonly n: number;
}

interface Parts {
  leaf: { readonly colour: string };
  fruit: { readonly kg: number };
}

const open = (registry: Registry) =>
  Aggregates.open<Root, Parts>(registry, { root: 'tree', parts: ['leaf', 'fruit'] });

test('a root and its parts are there after the store was opened again', async () => {
  await using place = await createSqlitePlace();
  {
    await using store = await place.open();
    const trees = await open(store.registry);
    await trees.change('a/b/oak', () => ({
      change: {
        root: { n: 1 },
        parts: [
          { kind: 'leaf', name: '1', value: { colour: 'green' } },
          { kind: 'leaf', name: '2', value: { colour: 'red' } },
          { kind: 'fruit', name: '1', value: { kg: 2 } },
        ],
      },
      result: undefined,
    }));
    await trees.change('a/b/oak', () => ({
      change: { root: { n: 2 }, parts: [{ kind: 'leaf', name: '1', value: undefined }] },
      result: undefined,
    }));
  }
  await using store = await place.open();
  const oak = (await open(store.registry)).get('a/b/oak');
  assert.deepEqual(oak?.root, { n: 2 });
  assert.deepEqual([...oak.parts('leaf')], [['2', { colour: 'red' }]]);
  assert.deepEqual(oak.part('fruit', '1'), { kg: 2 });
});

test('parts go with their root, and neighbours with a longer name stay', async () => {
  await using place = await createSqlitePlace();
  await using store = await place.open();
  const trees = await open(store.registry);
  for (const key of ['a/b/oak', 'a/b/oak-2'])
    await trees.change(key, () => ({
      change: { root: { n: 1 }, parts: [{ kind: 'leaf', name: '1', value: { colour: 'green' } }] },
      result: undefined,
    }));
  await trees.change('a/b/oak', () => ({ change: undefined, result: undefined }));
  assert.equal(trees.get('a/b/oak'), undefined);
  assert.deepEqual(
    (await store.registry.list('leaf')).map(({ key }) => key),
    ['a/b/oak-2/1'],
  );
  assert.deepEqual(trees.names('a/b'), ['oak-2']);
});

test('names are listed by scope in order, whatever the order of creation', async () => {
  await using place = await createSqlitePlace();
  await using store = await place.open();
  const trees = await open(store.registry);
  for (const key of ['a/b/m', 'a/b/z', 'a/c/x', 'a/b/a', 'a/b/n'])
    await trees.change(key, () => ({ change: { root: { n: 0 } }, result: undefined }));
  await trees.change('a/b/z', () => ({ change: undefined, result: undefined }));
  assert.deepEqual(trees.names('a/b'), ['a', 'm', 'n']);
  assert.deepEqual(trees.names('a/c'), ['x']);
  assert.deepEqual(trees.names('none'), []);
  assert.equal(trees.size, 4);
});

test('changes made at once all take effect, and one that throws changes nothing', async () => {
  await using place = await createSqlitePlace();
  await using store = await place.open();
  const trees = await open(store.registry);
  const add = (fails: boolean) =>
    trees.change('a/b/oak', (current) => {
      if (fails) throw new RangeError('no');
      const n = (current?.root.n ?? 0) + 1;
      return { change: { root: { n } }, result: n };
    });
  const results = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => add(i % 3 === 0)));
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 10);
  assert.deepEqual(trees.get('a/b/oak')?.root, { n: 20 });
});

test('a listener hears of what was and what is', async () => {
  await using place = await createSqlitePlace();
  await using store = await place.open();
  const trees = await open(store.registry);
  const heard: (readonly [number | undefined, number | undefined])[] = [];
  trees.listen((before, after) => heard.push([before?.root.n, after?.root.n]));
  for (const n of [1, 2])
    await trees.change('a/b/oak', () => ({ change: { root: { n } }, result: undefined }));
  await trees.change('a/b/oak', () => ({ change: undefined, result: undefined }));
  assert.deepEqual(heard, [
    [undefined, 1],
    [1, 2],
    [2, undefined],
  ]);
});
