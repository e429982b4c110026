// Whose turn it is: a function with very many events does not keep the others waiting, and little of what waits is in memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_KIND, type EventHead } from '../../host/queue/event.ts';
import { StoreError } from '../../host/store/store.ts';
import { failed, returned, TestQueue } from './functions.ts';

test('a function with very many events does not starve one with two', async () => {
  const q = await TestQueue.open();
  q.room = 4;
  const order: string[] = [];
  const slow = (name: string) => () => {
    order.push(name);
    return new Promise<typeof returned>((resolve) => q.time.after(10, () => resolve(returned)));
  };
  q.add('many', { run: slow('many') });
  q.add('few', { run: slow('few') });
  for (let at = 0; at < 400; at += 1) await q.accept('many');
  await q.time.pass(100);
  const before = order.length;
  assert.ok(before >= 40 && before < 100, `${before} have run`);
  await q.accept('few');
  await q.accept('few');
  await q.time.pass(100);
  assert.equal(order.slice(before, before + 12).filter((name) => name === 'few').length, 2);
  await q.time.pass(2_000);
  assert.equal(order.length, 402);
});

test('each of many functions gets its turn, however many wait in front of it', async () => {
  const q = await TestQueue.open();
  q.room = 3;
  const order: string[] = [];
  for (let at = 0; at < 30; at += 1) {
    const name = `f${at}`;
    q.add(name, {
      run: () => {
        order.push(name);
        return new Promise((resolve) => q.time.after(10, () => resolve(returned)));
      },
    });
    for (let each = 0; each < 20; each += 1) await q.accept(name);
  }
  await q.time.pass(60_000);
  assert.equal(order.length, 600);
  // By the time one of them has run four events, all have run one.
  const counts = new Map<string, number>();
  const at = order.findIndex((name) => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts.get(name) === 8;
  });
  assert.ok(at > 0);
  assert.equal(counts.size, 30, `only ${counts.size} had had a turn after ${at} runs`);
});

test('of what waits for a function that is busy, only a few are claimed', async () => {
  const q = await TestQueue.open();
  q.add('f', { room: 1, run: () => new Promise(() => {}) });
  let claimed = 0;
  const claim = q.due.claim.bind(q.due);
  q.due.claim = async (...args) => {
    const items = await claim(...args);
    claimed += items.length;
    return items;
  };
  for (let at = 0; at < 300; at += 1) await q.accept('f');
  await q.time.pass(5_000);
  assert.ok(claimed <= 64, `${claimed} were claimed`);
});

test('what is being run when the host ends is run again by the next one, and what it had not begun runs once', async () => {
  const q = await TestQueue.open();
  const hung = new Set<string>();
  const f = q.add('f', {
    room: 3,
    run: ({ requestId }) => {
      hung.add(requestId);
      return new Promise(() => {});
    },
  });
  for (let at = 0; at < 20; at += 1) await q.accept('f');
  await q.time.pass(100);
  assert.equal(hung.size, 3);
  f.run = () => returned;
  await q.restart();
  await q.time.pass(1_000);
  const runs = Map.groupBy(f.attempts, ({ id }) => id);
  assert.equal(runs.size, 20);
  for (const [id, { length }] of runs) assert.equal(length, hung.has(id) ? 2 : 1, id);
});

test('what ends after the host has stopped waiting for it is not believed: environments end because the host does', async () => {
  const q = await TestQueue.open();
  const { promise, resolve } = Promise.withResolvers<typeof failed>();
  const f = q.add('f', { run: () => promise });
  await q.accept('f');
  await q.time.pass(10);
  const drained = q.queue.drain(500);
  await q.time.pass(500);
  await drained;
  resolve(failed);
  await q.time.pass(1_000);
  const [head] = await q.heads<EventHead>(EVENT_KIND);
  assert.equal(head?.attempts, 0);
  f.run = () => returned;
  await q.restart();
  await q.time.pass(0);
  assert.equal(f.attempts.length, 2);
});

test('a host that drains waits for what runs, begins nothing, and stores what came of it', async () => {
  const q = await TestQueue.open();
  const f = q.add('f', {
    room: 2,
    run: () => new Promise((resolve) => q.time.after(1_000, () => resolve(returned))),
  });
  for (let at = 0; at < 5; at += 1) await q.accept('f');
  await q.time.pass(10);
  let hasEnded = false;
  const ended = q.queue.drain(30_000).then(() => {
    hasEnded = true;
  });
  await q.time.pass(900);
  assert.equal(hasEnded, false);
  await q.time.pass(200);
  await ended;
  assert.deepEqual([f.attempts.length, q.queue.counters.total.succeeded], [2, 2]);
  assert.equal((await q.heads('event')).length, 3);
});

test('what came of events is held until a store without room takes it; meanwhile nothing more is begun, and nothing runs twice', async () => {
  const q = await TestQueue.open();
  const f = q.add('f');
  const settle = q.due.settle.bind(q.due);

  q.due.settle = () => Promise.reject(new StoreError('full', 'no room'));
  for (let at = 0; at < 5; at += 1) await q.accept('f');
  await q.time.pass(2_000);
  const begun = f.attempts.length;
  assert.ok(begun > 0);
  await q.accept('f');
  await q.time.pass(10_000);
  assert.equal(f.attempts.length, begun);
  assert.deepEqual(q.problems, ['what became of events cannot be stored for now']);
  q.due.settle = settle;
  await q.time.pass(1_000);
  assert.deepEqual(await q.heads('event'), []);
  assert.equal(f.attempts.length, 6);
  assert.equal(new Set(f.attempts.map(({ id }) => id)).size, 6);
});
