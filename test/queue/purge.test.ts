// What a purge removes: all that waits, whether the queue has claimed it ahead or not, and nothing that runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_KIND } from '../../host/queue/event.ts';
import { QueueOperator } from '../../host/queue/operator.ts';
import { returned, SCOPE, TestQueue } from './functions.ts';

function operatorOf({ due, queue, time }: TestQueue): QueueOperator {
  return new QueueOperator({ due, queue, epochMs: time.epochMs });
}

for (const count of [4, 300])
  test(`Of ${count} events that wait for room none is left by a purge, those in hand included`, async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { room: 0 });
    const other = q.add('other', { room: 0 });
    for (let n = 0; n < count; n += 1) await q.accept('f');
    await q.accept('other');
    await q.time.pass(1_000);

    assert.deepEqual(await operatorOf(q).purge(SCOPE, 'events', 'f'), { purged: count });
    assert.equal((await q.heads(EVENT_KIND)).length, 1);
    f.room = 10;
    other.room = 10;
    const id = await q.accept('f');
    await q.time.pass(1_000);
    assert.deepEqual(
      f.attempts.map((attempt) => attempt.id),
      [id],
    );
    assert.equal(other.attempts.length, 1);
    assert.deepEqual(await q.heads(EVENT_KIND), []);
  });

test('A purge lets what runs come to its end', async () => {
  const q = await TestQueue.open();
  const end = Promise.withResolvers<typeof returned>();
  const f = q.add('f', { room: 1, run: () => end.promise });
  for (let n = 0; n < 6; n += 1) await q.accept('f');
  await q.time.pass(1_000);
  assert.equal(f.attempts.length, 1);

  assert.deepEqual(await operatorOf(q).purge(SCOPE, 'events', 'f'), { purged: 5 });
  assert.equal((await q.heads(EVENT_KIND)).length, 1);
  end.resolve(returned);
  await q.time.pass(1_000);
  assert.deepEqual(await q.heads(EVENT_KIND), []);
  assert.equal(f.attempts.length, 1);
  assert.equal(q.queue.counters.total.succeeded, 1);
});

test('What is being claimed at the moment of a purge is removed with the rest', async () => {
  const q = await TestQueue.open();
  const f = q.add('f', { room: 0 });
  const answer = Promise.withResolvers<void>();
  const claim = q.due.claim.bind(q.due);
  q.due.claim = async (...wants) => {
    const claimed = await claim(...wants);
    await answer.promise;
    return claimed;
  };
  for (let n = 0; n < 3; n += 1) await q.accept('f');
  const purge = operatorOf(q).purge(SCOPE, 'events', 'f');
  await q.time.pass(1_000);
  answer.resolve();
  assert.deepEqual(await purge, { purged: 3 });
  f.room = 10;
  await q.time.pass(1_000);
  assert.deepEqual(await q.heads(EVENT_KIND), []);
  assert.deepEqual(f.attempts, []);
});
