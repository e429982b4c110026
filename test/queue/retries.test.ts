// When an event is tried again and when it is given up, on a clock that the test moves.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { DeadLetterHead } from '../../host/queue/dead-letter.ts';
import { EVENT_KIND, type EventHead } from '../../host/queue/event.ts';
import { DEAD_LETTER_KIND } from '../../host/queue/outcomes/outcome.ts';
import { ServiceError } from '../../host/service-error.ts';
import { failed, type TestFunction, TestQueue, throttled } from './functions.ts';

const HOUR = 3_600_000;

/** Seconds between the first attempt and each. */
function secondsOf({ attempts }: TestFunction): readonly number[] {
  const [first] = attempts;
  return attempts.map(({ atMs }) => (atMs - (first?.atMs ?? 0)) / 1000);
}

async function conditions(q: TestQueue): Promise<readonly unknown[]> {
  const heads = await q.heads<DeadLetterHead>(DEAD_LETTER_KIND);
  return heads.map(({ condition, original }) => [
    condition,
    'attempts' in original ? original.attempts : undefined,
  ]);
}

suite('After an error of the function', () => {
  test('the event runs again after 60 s, then after 120 s more, under the same id; then it is given up', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { run: () => failed });
    const id = await q.accept('f');
    await q.time.pass(59_999);
    assert.equal(f.attempts.length, 1);
    await q.time.pass(1);
    assert.equal(f.attempts.length, 2);
    await q.time.pass(119_999);
    assert.equal(f.attempts.length, 2);
    await q.time.pass(24 * HOUR);
    assert.deepEqual(secondsOf(f), [0, 60, 180]);
    assert.deepEqual(new Set(f.attempts.map((each) => each.id)), new Set([id]));
    assert.deepEqual(await conditions(q), [['RetriesExhausted', 3]]);
    assert.deepEqual(await q.heads(EVENT_KIND), []);
  });

  test('a success ends it', async () => {
    const q = await TestQueue.open();
    let runs = 0;
    const f = q.add('f', {
      run: () => {
        runs += 1;
        return runs === 1 ? failed : { kind: 'returned', payload: Buffer.from('1') };
      },
    });
    await q.accept('f');
    await q.time.pass(24 * HOUR);
    assert.deepEqual(secondsOf(f), [0, 60]);
    assert.deepEqual(await conditions(q), []);
    assert.equal(q.queue.counters.total.succeeded, 1);
  });

  test('what the config says at the time of the decision counts', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { run: () => failed });
    await q.accept('f');
    await q.time.pass(1_000);
    f.config = { maximumRetryAttempts: 1 };
    await q.time.pass(24 * HOUR);
    assert.deepEqual(secondsOf(f), [0, 60]);
    assert.deepEqual(await conditions(q), [['RetriesExhausted', 2]]);
  });

  for (const [age, attempts] of [
    [60, 1],
    [100, 2],
    [181, 3],
  ] as const)
    test(`with a greatest age of ${age} s there are ${attempts} attempts: a retry beyond it is not waited for`, async () => {
      const q = await TestQueue.open();
      const f = q.add('f', {
        // As long as the shortest handler takes.
        run: () => new Promise((resolve) => q.time.after(1, () => resolve(failed))),
        config: { maximumEventAgeSeconds: age },
      });
      await q.accept('f');
      await q.time.pass(24 * HOUR);
      assert.equal(f.attempts.length, attempts);
      const condition = attempts === 3 ? 'RetriesExhausted' : 'EventAgeExceeded';
      assert.deepEqual(await conditions(q), [[condition, attempts]]);
    });

  test('an event that became too old while it waited is given up before its attempt', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { run: () => failed });
    await q.accept('f');
    await q.time.pass(1_000);
    f.config = { maximumEventAgeSeconds: 30 };
    await q.time.pass(24 * HOUR);
    assert.deepEqual(secondsOf(f), [0]);
    assert.deepEqual(await conditions(q), [['EventAgeExceeded', 1]]);
  });

  test('an error whose message is no text is one like any other', async () => {
    const q = await TestQueue.open();
    const payload = Buffer.from('{"errorMessage":{"toString":1,"valueOf":1}}');
    const f = q.add('f', { run: () => ({ kind: 'functionError', errorType: '', payload }) });
    await q.accept('f');
    await q.time.pass(24 * HOUR);
    assert.equal(f.attempts.length, 3);
    assert.deepEqual(await conditions(q), [['RetriesExhausted', 3]]);
    assert.deepEqual(q.problems, []);
  });
});

suite('After a throttle or a fault of the host', () => {
  test('the event is tried from 1 s up to every 5 min until it is too old, and no attempt counts', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { run: throttled });
    await q.accept('f');
    await q.time.pass(24 * HOUR);
    const waits = secondsOf(f).map((at, index, all) => at - (all[index - 1] ?? 0));
    assert.deepEqual(waits.slice(0, 10), [0, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert.deepEqual(new Set(waits.slice(9, -1)), new Set([300]));
    assert.equal(secondsOf(f).at(-1), 6 * 3_600, 'once more at the very end');
    assert.deepEqual(await conditions(q), [['EventAgeExceeded', 0]]);
  });

  test('retries that count begin anew behind it', async () => {
    const q = await TestQueue.open();
    let runs = 0;
    const f = q.add('f', {
      run: () => {
        runs += 1;
        return runs < 4 ? throttled() : failed;
      },
    });
    await q.accept('f');
    await q.time.pass(24 * HOUR);
    assert.deepEqual(secondsOf(f), [0, 2, 6, 14, 74, 194]);
    assert.deepEqual(await conditions(q), [['RetriesExhausted', 3]]);
  });

  for (const [name, isFinal] of [
    ['ServiceException', false],
    ['InvalidRuntimeException', false],
    ['ResourceConflictException', false],
    ['ResourceNotFoundException', true],
    ['InvalidParameterValueException', true],
    ['NoPublishedVersionException', true],
  ] as const)
    test(`${name} is ${isFinal ? 'the end' : 'waited out'}`, async () => {
      const q = await TestQueue.open();
      const f = q.add('f', {
        run: () => {
          throw new ServiceError(name, 'not now');
        },
      });
      await q.accept('f');
      await q.time.pass(10_000);
      assert.equal(f.attempts.length > 1, !isFinal);
      assert.deepEqual(await conditions(q), isFinal ? [['RetriesExhausted', 1]] : []);
      assert.deepEqual(q.problems, []);
    });

  test('a fault of ours is reported, and tried again', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', {
      run: () => {
        throw new TypeError('a bug');
      },
    });
    await q.accept('f');
    await q.time.pass(2_000);
    assert.equal(f.attempts.length, 2);
    assert.match(q.problems[0] ?? '', /^an event of f \(request request-\d+\) met a fault$/);
  });
});

suite('An event is given up without an attempt', () => {
  test('while nothing of its function may run', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { reservedConcurrency: 0 });
    await q.accept('f');
    await q.time.pass(0);
    assert.equal(f.attempts.length, 0);
    assert.deepEqual(await conditions(q), [['ZeroReservedConcurrency', 0]]);
  });

  test('when its function has been deleted: the dead letter stays, whoever is called so later', async () => {
    const q = await TestQueue.open();
    q.add('f', { room: 0 });
    const id = await q.accept('f', { keep: 'me' });
    q.functions.delete('f');
    await q.time.pass(1_000);
    const [letter] = await q.heads<DeadLetterHead>(DEAD_LETTER_KIND);
    assert.equal(letter?.original.requestId, id);
    assert.match(letter?.reason ?? '', /^Function not found: /);
    assert.equal(letter?.condition, 'RetriesExhausted');
  });
});

test('while there is no room an event waits without an attempt, and runs when there is', async () => {
  const q = await TestQueue.open();
  const f = q.add('f', { room: 0 });
  await q.accept('f');
  await q.time.pass(5_000);
  assert.equal(f.attempts.length, 0);
  f.room = 1;
  await q.time.pass(100);
  assert.equal(f.attempts.length, 1);
  assert.ok(q.queue.counters.total.ageMaxMs >= 5_000);
});

test('an event that cannot be stored is refused with an error that clients try again', async () => {
  const q = await TestQueue.open();
  q.add('f');
  q.due.accept = () => Promise.reject(new Error('no room'));
  await assert.rejects(q.accept('f'), { name: 'ServiceException', status: 500 });
  await q.time.pass(HOUR);
  assert.equal(q.functions.get('f')?.attempts.length, 0);
  assert.deepEqual(q.problems, ['events cannot be accepted']);
  assert.deepEqual(await q.heads<EventHead>(EVENT_KIND), []);
});
