// Who is told of an outcome, how often it is tried, and what is kept of what never arrived.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { DeadLetterHead } from '../../host/queue/dead-letter.ts';
import { QueueOperator } from '../../host/queue/operator.ts';
import {
  DEAD_LETTER_KIND,
  DELIVERY_KIND,
  type DeliveryHead,
} from '../../host/queue/outcomes/outcome.ts';
import { DLQ, failed, SCOPE, TestQueue } from './functions.ts';

const HOUR = 3_600_000;
const onSuccess = 'arn:aws:sqs:us-east-1:000000000000:good';
const onFailure = 'arn:aws:sqs:us-east-1:000000000000:bad';
const once = { maximumRetryAttempts: 0 };

function operatorOf({ due, queue, time }: TestQueue): QueueOperator {
  return new QueueOperator({ due, queue, epochMs: time.epochMs });
}

suite('An outcome', () => {
  test('of a success goes to its destination alone', async () => {
    const q = await TestQueue.open();
    q.add('f', { config: { onSuccess, onFailure }, deadLetterQueue: DLQ });
    await q.accept('f');
    await q.time.pass(0);
    assert.deepEqual(
      q.delivered.map(({ lane }) => lane),
      [onSuccess],
    );
    assert.deepEqual(await q.heads(DEAD_LETTER_KIND), []);
  });

  test('of a failure goes to its destination and to the dead-letter queue, and is kept as well', async () => {
    const q = await TestQueue.open();
    q.add('f', {
      run: () => failed,
      config: { ...once, onSuccess, onFailure },
      deadLetterQueue: DLQ,
    });
    await q.accept('f', { a: 1 });
    await q.time.pass(0);
    assert.deepEqual(q.delivered.map(({ lane }) => lane).toSorted(), [onFailure, DLQ].toSorted());
    const dead = q.delivered.find(({ lane }) => lane === DLQ);
    assert.ok(dead);
    assert.equal(Buffer.from(dead.payload).toString(), '{"a":1}');
    const { errorCode, errorMessage } = dead.head as DeliveryHead; // as: of this kind
    assert.deepEqual([errorCode, errorMessage], [200, 'no']);
    assert.equal((await q.heads(DEAD_LETTER_KIND)).length, 1);
    assert.deepEqual(await q.heads(DELIVERY_KIND), []);
  });

  test('is delivered with its settlement or not at all: a host that is killed in between runs the event again', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { config: { onSuccess } });
    const settle = q.due.settle.bind(q.due);
    q.due.settle = () => new Promise(() => {});
    await q.accept('f');
    await q.time.pass(0);
    assert.equal(f.attempts.length, 1);
    assert.deepEqual(q.delivered, []);
    q.due.settle = settle;
    await q.restart();
    await q.time.pass(0);
    assert.equal(f.attempts.length, 2);
    assert.equal(q.delivered.length, 1);
  });
});

suite('A destination that fails', () => {
  test('is tried for six hours from 1 s to every 5 min, then the record is kept', async () => {
    const q = await TestQueue.open();
    let tries = 0;
    q.deliver = () => {
      tries += 1;
      return { kind: 'notDelivered', isRetryable: true, reason: 'down' };
    };
    q.add('f', { config: { onSuccess } });
    await q.accept('f');
    await q.time.pass(6 * HOUR - 300_000);
    assert.deepEqual(await q.heads(DEAD_LETTER_KIND), []);
    await q.time.pass(HOUR);
    const [letter] = await q.heads<DeadLetterHead>(DEAD_LETTER_KIND);
    assert.deepEqual(
      [letter?.what, letter?.reason, letter?.condition],
      ['delivery', 'down', 'Success'],
    );
    assert.ok(tries > 70 && tries < 90, String(tries));
    assert.equal(q.queue.counters.total.destinationDeliveryFailures, 1);
    assert.equal(q.queue.counters.total.deadLetterErrors, 0);
  });

  test('for good is not tried again, and counted by what it is', async () => {
    const q = await TestQueue.open();
    q.deliver = () => ({ kind: 'notDelivered', isRetryable: false, reason: 'too large' });
    q.add('f', { run: () => failed, config: once, deadLetterQueue: DLQ });
    await q.accept('f');
    await q.time.pass(0);
    assert.equal(q.queue.counters.total.deadLetterErrors, 1);
    assert.equal(q.queue.counters.total.destinationDeliveryFailures, 0);
    const letters = await q.heads<DeadLetterHead>(DEAD_LETTER_KIND);
    assert.deepEqual(letters.map(({ what }) => what).toSorted(), ['delivery', 'event']);
  });

  test('does not hold up another one', async () => {
    const q = await TestQueue.open();
    q.deliver = ({ lane }) =>
      lane === onFailure
        ? { kind: 'notDelivered', isRetryable: true, reason: 'down' }
        : { kind: 'delivered' };
    q.add('f', { run: () => failed, config: { ...once, onFailure }, deadLetterQueue: DLQ });
    for (let at = 0; at < 500; at += 1) await q.accept('f');
    await q.time.pass(1_000);
    assert.equal(q.delivered.length, 500);
  });
});

suite('Another function as destination', () => {
  const next = 'arn:aws:lambda:us-east-1:000000000000:function:next';

  test('gets the record as an event of its own, with the chain it belongs to', async () => {
    const q = await TestQueue.open();
    const payloads: string[] = [];
    q.add('f', { config: { onSuccess: next } });
    const target = q.add('next', {
      run: (event) => {
        payloads.push(Buffer.from(event.payload).toString());
        return { kind: 'returned', payload: Buffer.from('1') };
      },
    });
    const id = await q.accept('f', { n: 1 });
    await q.time.pass(0);
    assert.equal(target.attempts.length, 1);
    assert.notEqual(target.attempts[0]?.id, id);
    const record: unknown = JSON.parse(payloads[0] ?? '');
    assert.deepEqual(Object(record).requestPayload, { n: 1 });
    assert.equal(Object(record).requestContext.requestId, id);
    assert.match(target.attempts[0]?.trace ?? '', /;Lineage=1:[0-9a-f]{8}:0\|1:[0-9a-f]{8}:0$/);
    assert.equal(q.queue.counters.total.delivered, 1);
    assert.equal(q.queue.counters.total.accepted, 2);
  });

  test('that is gone leaves the record as a dead letter, which can be sent to it when it is back', async () => {
    const q = await TestQueue.open();
    q.add('f', { config: { onSuccess: next } });
    await q.accept('f');
    await q.time.pass(0);
    assert.equal(q.queue.counters.total.destinationDeliveryFailures, 1);
    const target = q.add('next');
    assert.deepEqual(await operatorOf(q).redriveAll(SCOPE, 'f'), { redriven: 1 });
    await q.time.pass(0);
    assert.equal(target.attempts.length, 1);
    assert.deepEqual(await q.heads(DEAD_LETTER_KIND), []);
  });

  test('and that one as its destination stop after 16 rounds', async () => {
    const q = await TestQueue.open();
    const back = 'arn:aws:lambda:us-east-1:000000000000:function:f';
    const f = q.add('f', { config: { onSuccess: next } });
    const target = q.add('next', { config: { onSuccess: back } });
    await q.accept('f');
    await q.time.pass(HOUR);
    assert.deepEqual([f.attempts.length, target.attempts.length], [16, 16]);
    const letters = await q.heads<DeadLetterHead>(DEAD_LETTER_KIND);
    assert.deepEqual(
      letters.map(({ condition }) => condition),
      ['RecursiveInvocationTerminated'],
    );
  });

  test('goes on for ever where the function allows it', async () => {
    const q = await TestQueue.open();
    const back = 'arn:aws:lambda:us-east-1:000000000000:function:f';
    let rounds = 0;
    const f = q.add('f', {
      recursiveLoop: 'Allow',
      config: { onSuccess: next },
      run: () => {
        rounds += 1;
        // Nothing else ends it.
        if (rounds === 40) f.config = {};
        return { kind: 'returned', payload: Buffer.from('1') };
      },
    });
    q.add('next', { recursiveLoop: 'Allow', config: { onSuccess: back } });
    await q.accept('f');
    await q.time.pass(HOUR);
    assert.equal(f.attempts.length, 40);
  });
});

suite('A dead letter', () => {
  test('is kept for its time and no longer', async () => {
    const q = await TestQueue.open({ keepDeadLettersMs: 10 * HOUR });
    q.add('f', { run: () => failed, config: once });
    await q.accept('f');
    await q.time.pass(10 * HOUR - 1);
    assert.equal((await q.heads(DEAD_LETTER_KIND)).length, 1);
    await q.time.pass(1);
    assert.equal((await q.heads(DEAD_LETTER_KIND)).length, 0);
    assert.equal(q.queue.counters.total.deadLettersExpired, 1);
  });

  test('is not kept where none are to be', async () => {
    const q = await TestQueue.open({ keepDeadLettersMs: 0 });
    q.add('f', { run: () => failed, config: once });
    await q.accept('f');
    await q.time.pass(0);
    assert.equal(q.queue.counters.total.dropped, 1);
    assert.deepEqual(await q.heads(DEAD_LETTER_KIND), []);
  });

  test('that is sent again runs under its old id, with all its attempts before it', async () => {
    const q = await TestQueue.open();
    const f = q.add('f', { run: () => failed, config: once });
    const id = await q.accept('f', { again: true });
    await q.time.pass(0);
    f.config = {};
    await q.time.pass(8 * HOUR);
    await operatorOf(q).redriveAll(SCOPE, 'f');
    await q.time.pass(HOUR);
    assert.deepEqual(
      f.attempts.map((each) => each.id),
      [id, id, id, id],
    );
    assert.equal((await q.heads(DEAD_LETTER_KIND)).length, 1);
  });
});

test('dead letters are all sent again once, however many are given up again at once', async () => {
  const q = await TestQueue.open();
  q.add('f', { run: () => failed, config: once });
  const count = 1_001;
  for (let n = 0; n < count; n += 1) await q.accept('f');
  await q.time.pass(HOUR);
  const lettersNow = async () => (await q.heads(DEAD_LETTER_KIND)).length;
  assert.equal(await lettersNow(), count);
  assert.deepEqual(await operatorOf(q).redriveAll(SCOPE, 'f'), { redriven: count });
  await q.time.pass(HOUR);
  assert.equal(await lettersNow(), count);
});

test('what operators see and do is of their own account and region', async () => {
  const q = await TestQueue.open();
  q.add('f', { run: () => failed, config: once });
  q.add('waiting', { room: 0 });
  await q.accept('f', { a: [1] });
  for (let at = 0; at < 5; at += 1) await q.accept('waiting');
  await q.time.pass(5_000);
  const operator = operatorOf(q);
  const summary = Object(await operator.summary(SCOPE));
  const [figures] = summary.functions;
  assert.deepEqual(
    [figures.functionName, figures.count, figures.oldestAgeMs],
    ['waiting', 5, 5_000],
  );
  assert.equal(summary.deadLetters[0].functionName, 'f');
  const other = { account: '111111111111', region: 'us-east-1' };
  const elsewhere = Object(await operator.summary(other));
  assert.deepEqual([elsewhere.functions, elsewhere.deadLetters], [[], []]);

  const page = { functionName: 'waiting', after: undefined, limit: 3 };
  const first = Object(await operator.events(SCOPE, page));
  assert.deepEqual([first.events.length, first.events[0].attempts], [3, 0]);
  const second = Object(await operator.events(SCOPE, { ...page, after: first.next }));
  assert.deepEqual([second.events.length, second.next], [2, undefined]);

  const letters = Object(await operator.deadLetters(SCOPE, { ...page, functionName: 'f' }));
  const [{ id }] = letters.deadLetters;
  const letter = Object(await operator.deadLetter(SCOPE, id));
  assert.deepEqual([letter.payload, letter.reason], [{ a: [1] }, 'no']);
  const gone = { name: 'ResourceNotFoundException' };
  await assert.rejects(operator.deadLetter(other, id), gone);
  await assert.rejects(operator.redrive(other, id), gone);
  assert.deepEqual(await operator.purge(SCOPE, 'deadLetters', 'f'), { purged: 1 });
  await assert.rejects(operator.redrive(SCOPE, id), gone);
});
