// Targets that refuse, fail, fall silent or are not there: what is worth another attempt, and that others do not wait for it.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { EventOutcome, OutcomeTargets } from '../../host/queue/outcomes/outcome.ts';
import { eventBridgeError, startLocalEventBridge } from '../support/receivers/eventbridge.ts';
import type { Answer, Receiver } from '../support/receivers/receiver.ts';
import { s3Error, startLocalBuckets } from '../support/receivers/s3.ts';
import { snsError, startLocalSns } from '../support/receivers/sns.ts';
import { sqsError, startLocalSqs } from '../support/receivers/sqs.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  BUCKET,
  BUS,
  closedUrl,
  createDeliverer,
  itemFor,
  never,
  QUEUE,
  TOPIC,
} from './deliveries.ts';

const services = [
  { name: 'sqs', start: startLocalSqs, target: QUEUE, error: sqsError },
  { name: 'sns', start: startLocalSns, target: TOPIC, error: snsError },
  { name: 'events', start: startLocalEventBridge, target: BUS, error: eventBridgeError },
  { name: 's3', start: startLocalBuckets, target: BUCKET, error: s3Error },
] as const;

/** What each may answer, and whether the same delivery may succeed later. */
const answers: readonly (readonly [status: number, name: string, isRetryable: boolean])[] = [
  [500, 'InternalFailure', true],
  [503, 'ServiceUnavailable', true],
  [400, 'ThrottlingException', true],
  [403, 'AccessDenied', true],
  [403, 'InvalidClientTokenId', true],
  [400, 'ExpiredToken', true],
  [400, 'InvalidParameterValue', false],
  [413, 'TooLong', false],
];

const missing = {
  sqs: 'QueueDoesNotExist',
  sns: 'NotFound',
  events: 'ResourceNotFoundException',
  s3: 'NoSuchBucket',
} as const;

for (const { name, start, target, error } of services)
  suite(`A target in ${name}`, () => {
    const item = itemFor({ onFailure: target });

    async function attempt(service: Receiver, attemptLimitMs?: number) {
      await using deliverer = createDeliverer({
        endpoints: { [name]: service.url },
        ...(attemptLimitMs === undefined ? {} : { attemptLimitMs }),
      });
      return await deliverer.deliver(item, never);
    }

    async function answered(fault: Answer) {
      await using service = await start();
      service.fault = fault;
      const result = await attempt(service);
      assert(result.kind === 'notDelivered');
      return result;
    }

    for (const [status, code, isRetryable] of answers)
      test(`that answers ${status} ${code} is ${isRetryable ? '' : 'not '}tried again later`, async () => {
        const result = await answered(error(status, code, 'the reason'));
        assert.equal(result.isRetryable, isRetryable);
        assert.match(result.reason, new RegExp(`${code}: the reason`));
      });

    test('that is missing is tried again later, since somebody may make it', async () => {
      const result = await answered(error(name === 'sqs' ? 400 : 404, missing[name], 'none'));
      assert.equal(result.isRetryable, true);
    });

    test('that says nothing is given up for this time', async () => {
      await using service = await start();
      service.fault = 'silence';
      const result = await attempt(service, 400);
      assert(result.kind === 'notDelivered' && result.isRetryable);
      assert.match(result.reason, /TimeoutError/);
    });

    test('that hangs up is tried again later, and takes it then', async () => {
      await using service = await start();
      service.fault = 'hangUp';
      const result = await attempt(service);
      assert(result.kind === 'notDelivered' && result.isRetryable);
      assert.match(result.reason, /ECONNRESET|socket hang up/);
      service.fault = undefined;
      assert.deepEqual(await attempt(service), { kind: 'delivered' });
    });

    test('that is not there is tried again later', async () => {
      await using deliverer = createDeliverer({ endpoints: { [name]: await closedUrl() } });
      const result = await deliverer.deliver(item, never);
      assert(result.kind === 'notDelivered' && result.isRetryable);
      assert.match(result.reason, /ECONNREFUSED/);
    });
  });

suite('A bus that takes the request but not the entry', () => {
  for (const [ErrorCode, isRetryable] of [
    ['InternalFailure', true],
    ['ThrottlingException', true],
    ['MalformedDetail', false],
  ] as const)
    test(`because of ${ErrorCode} has not taken the outcome`, async () => {
      await using events = await startLocalEventBridge();
      events.entryError = { ErrorCode, ErrorMessage: 'the reason' };
      await using deliverer = createDeliverer({ endpoints: { events: events.url } });
      assert.deepEqual(await deliverer.deliver(itemFor({ onFailure: BUS }), never), {
        kind: 'notDelivered',
        isRetryable,
        reason: `${ErrorCode}: the reason`,
      });
    });
});

suite('What no target takes is not sent at all', () => {
  const large = { requestPayload: Buffer.from(`"${'x'.repeat(1_048_574)}"`) };
  const cases: readonly (readonly [string, OutcomeTargets, Partial<EventOutcome>, RegExp])[] = [
    ['a record of more than 1 MiB to a queue', { onFailure: QUEUE }, large, /too large for SQS/],
    [
      'a dead letter that its attributes make too large',
      { deadLetterQueue: QUEUE },
      large,
      /too large for SQS/,
    ],
    [
      'a record of more than 1 MiB to a bus',
      { onFailure: BUS },
      large,
      /too large for EventBridge/,
    ],
    [
      'a record of more than 256 KiB to a topic',
      { onFailure: TOPIC },
      { requestPayload: Buffer.from(`"${'x'.repeat(262_144)}"`) },
      /too large for SNS \(limit 262144\)/,
    ],
    ['anything to a FIFO queue', { onFailure: `${QUEUE}.fifo` }, {}, /FIFO/],
    ['anything to a FIFO topic', { onFailure: `${TOPIC}.fifo` }, {}, /FIFO/],
    ['a dead letter to a bus', { deadLetterQueue: BUS }, {}, /no dead letters/],
    ['a success to a bucket', { onSuccess: BUCKET }, { condition: 'Success' }, /failures only/],
    ['anything to another service', { onFailure: 'arn:aws:kinesis:r:1:stream/s' }, {}, /kinesis/],
  ];
  for (const [title, targets, outcome, reason] of cases)
    test(title, async () => {
      await using any = await startLocalSqs();
      const endpoints = { sqs: any.url, sns: any.url, events: any.url, s3: any.url };
      await using deliverer = createDeliverer({ endpoints });
      const result = await deliverer.deliver(itemFor(targets, outcome), never);
      assert(result.kind === 'notDelivered' && !result.isRetryable);
      assert.match(result.reason, reason);
      assert.deepEqual(any.requests, []);
    });

  test('while what just fits is', async () => {
    await using sns = await startLocalSns();
    await using deliverer = createDeliverer({ endpoints: { sns: sns.url } });
    const requestPayload = Buffer.from(`"${'x'.repeat(262_142 - 75)}"`);
    const item = itemFor({ deadLetterQueue: TOPIC }, { requestPayload, errorMessage: '' });
    assert.deepEqual(await deliverer.deliver(item, never), { kind: 'delivered' });
    assert.equal(sns.published[0]?.message.length, requestPayload.length);
  });
});

suite('A delivery', () => {
  test('that is under way holds up none to another target, and ends with the deliverer', async () => {
    await using sqs = await startLocalSqs();
    sqs.fault = 'silence';
    await using sns = await startLocalSns();
    const deliverer = createDeliverer({ endpoints: { sqs: sqs.url, sns: sns.url } });
    const slow = Array.from({ length: 20 }, () =>
      deliverer.deliver(itemFor({ onFailure: QUEUE }), never),
    );
    await waitFor('slow requests', () => sqs.requests.length === slow.length);
    const other = await deliverer.deliver(itemFor({ onFailure: TOPIC }), never);
    assert.deepEqual(other, { kind: 'delivered' });
    await deliverer[Symbol.asyncDispose]();
    for (const result of await Promise.all(slow)) {
      assert(result.kind === 'notDelivered' && result.isRetryable);
      assert.match(result.reason, /the host ends/);
    }
    const late = await deliverer.deliver(itemFor({ onFailure: TOPIC }), never);
    assert(late.kind === 'notDelivered' && late.isRetryable);
    assert.equal(sns.published.length, 1);
  });

  test('ends when whoever asked for it does not want it any more', async () => {
    await using sqs = await startLocalSqs();
    sqs.fault = 'silence';
    await using deliverer = createDeliverer({ endpoints: { sqs: sqs.url } });
    const controller = new AbortController();
    const delivering = deliverer.deliver(itemFor({ onFailure: QUEUE }), controller.signal);
    await waitFor('the request', () => sqs.requests.length === 1);
    controller.abort(new Error('not any more'));
    assert.deepEqual(await delivering, {
      kind: 'notDelivered',
      isRetryable: true,
      reason: 'Error: not any more',
    });
  });
});
