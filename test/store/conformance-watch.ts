// The watch's part of the conformance suite: order, no gaps between what was stored before and after, ways to end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Registry, RegistryEvent } from '../../host/store/store.ts';
import type { StorePlace } from './conformance.ts';
import { create, remove, replace } from './conformance-registry.ts';

export function watchConformance(createPlace: () => Promise<StorePlace>): void {
  test('a watch tells what was stored before it, deletions too, then what is stored later', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    await registry.put([create('k', 'a', 1), create('k', 'b', 2), create('j', 'c', 3)]);
    await registry.put([remove('k', 'b', 2)]);

    const watch = startWatch(registry, 0);
    assert.deepEqual(await watch.next(3), [
      { kind: 'k', key: 'a', revision: 1, value: 1 },
      { kind: 'j', key: 'c', revision: 3, value: 3 },
      { kind: 'k', key: 'b', revision: 4, value: undefined },
    ]);
    await registry.put([replace('k', 'a', 1, 'new'), create('k', 'b', 'again')]);
    await registry.put([remove('k', 'a', 5)]);
    assert.deepEqual(await watch.next(3), [
      { kind: 'k', key: 'a', revision: 5, value: 'new' },
      { kind: 'k', key: 'b', revision: 6, value: 'again' },
      { kind: 'k', key: 'a', revision: 7, value: undefined },
    ]);
    await watch.abort();
  });

  test('a watch from a revision leaves out what came before, also after the store was closed', async () => {
    await using place = await createPlace();
    {
      await using store = await place.open();
      await store.registry.put([create('k', 'a', 1), create('k', 'b', 2), create('k', 'c', 3)]);
      await store.registry.put([remove('k', 'a', 1)]);
    }
    await using store = await place.open();
    const watch = startWatch(store.registry, 2);
    const events = await watch.next(2);
    assert.deepEqual(
      events.map(({ key, value }) => [key, value]),
      [
        ['c', 3],
        ['a', undefined],
      ],
    );
    await watch.abort();
  });

  test('refused units are not told', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    const watch = startWatch(registry, 0);
    await Promise.allSettled([
      registry.put([create('k', 'a', 1)]),
      registry.put([create('k', 'x', 1), create('k', 'a', 2)]),
      registry.put([create('k', 'b', 3)]),
    ]);
    const events = await watch.next(2);
    assert.deepEqual(
      events.map(({ key, revision }) => [key, revision]),
      [
        ['a', 1],
        ['b', 2],
      ],
    );
    await watch.abort();
  });

  test('watches that begin while much is written miss nothing and see it in order', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    const watches: ReturnType<typeof startWatch>[] = [];
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; n < 60; n++) {
        await registry.put([
          create('k', `${writer}-${n}-a`, n),
          create('k', `${writer}-${n}-b`, n),
        ]);
        if (n % 15 === writer) watches.push(startWatch(registry, n));
      }
    });
    await Promise.all(writers);
    const total = 8 * 60 * 2;
    assert.equal(watches.length, 8 * 4);
    for (const watch of watches) {
      const events = await watch.next(total - watch.since);
      const told = events.map(({ revision }) => revision);
      assert.deepEqual(told, range(watch.since + 1, total), 'no gap, nothing twice');
      await watch.abort();
    }
  });

  test('a watcher that falls far behind still gets every record, each at its latest', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    const watch = registry.watch(0, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();
    await registry.put([create('k', 'first', 0)]);
    await watch.next();
    for (let n = 0; n < 6; n++) {
      await registry.put(range(1, 1_000).map((each) => create('k', `${n}-${each}`, n)));
    }
    await registry.put([replace('k', 'first', 1, 'latest')]);

    const told = new Map<string, unknown>();
    let last = 1;
    while (last < 6_002) {
      const { value: event, done } = await watch.next();
      assert.ok(done !== true);
      assert.ok(event.revision > last, 'revisions rise');
      last = event.revision;
      told.set(event.key, event.value);
    }
    assert.equal(told.size, 6_001);
    assert.equal(told.get('first'), 'latest');
    await watch.return?.();
  });

  test('a watch ends when its signal aborts, before, during and after waiting', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    await registry.put([create('k', 'a', 1), create('k', 'b', 1)]);

    assert.deepEqual(await Array.fromAsync(registry.watch(0, AbortSignal.abort())), []);

    const controller = new AbortController();
    const seen: string[] = [];
    for await (const { key } of registry.watch(0, controller.signal)) {
      seen.push(key);
      controller.abort();
    }
    assert.deepEqual(seen, ['a']);

    const waiting = startWatch(registry, 2);
    await waiting.abort();
  });

  test('a watch ends when the store is disposed', async () => {
    await using place = await createPlace();
    const store = await place.open();
    const watching = Array.fromAsync(store.registry.watch(0, AbortSignal.timeout(60_000)));
    await store.registry.put([create('k', 'a', 1)]);
    await store[Symbol.asyncDispose]();
    const events = await watching;
    assert.ok(events.length <= 1);
  });

  test('since must be a revision', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    for (const since of [-1, 0.5, Number.NaN]) {
      assert.throws(() => store.registry.watch(since, AbortSignal.abort()), RangeError);
    }
  });
}

/** Begins to read at once, as a host would; what it gets waits for next(). */
function startWatch(registry: Registry, since: number) {
  const controller = new AbortController();
  const iterator = registry.watch(since, controller.signal)[Symbol.asyncIterator]();
  let ahead = iterator.next();
  const take = () => {
    const taken = ahead;
    ahead = taken.then((result) => (result.done === true ? result : iterator.next()));
    return taken;
  };
  return {
    since,
    async next(count: number): Promise<readonly RegistryEvent[]> {
      const events: RegistryEvent[] = [];
      while (events.length < count) {
        const { value, done } = await take();
        assert.ok(done !== true, 'the watch ended early');
        events.push(value);
      }
      return events;
    },
    async abort(): Promise<void> {
      controller.abort();
      assert.equal((await ahead).done, true);
    },
  };
}

export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}
