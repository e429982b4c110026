// What arrives at each service, from real clients of the SDK at servers that speak its protocol.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { invocationRecord } from '../../host/queue/outcomes/record.ts';
import { startLocalEventBridge } from '../support/receivers/eventbridge.ts';
import { HOST_KEY } from '../support/receivers/host-credentials.ts';
import { signerOf } from '../support/receivers/receiver.ts';
import { startLocalBuckets } from '../support/receivers/s3.ts';
import { startLocalSns } from '../support/receivers/sns.ts';
import { startLocalSqs } from '../support/receivers/sqs.ts';
import { BUCKET, BUS, createDeliverer, itemFor, never, QUEUE, TOPIC } from './deliveries.ts';
import { outcomeOf } from './outcomes.ts';

const DELIVERED = { kind: 'delivered' };
const TRACE =
  'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0';
const ATTRIBUTES = {
  RequestID: { DataType: 'String', StringValue: outcomeOf().requestId },
  ErrorCode: { DataType: 'Number', StringValue: '200' },
  ErrorMessage: { DataType: 'String', StringValue: 'no' },
};

const success = { condition: 'Success' as const };

suite('A queue gets', () => {
  test('the record as a message without attributes, signed for its own region', async () => {
    await using sqs = await startLocalSqs();
    await using deliverer = createDeliverer({ endpoints: { sqs: sqs.url } });
    assert.deepEqual(
      await deliverer.deliver(itemFor({ onSuccess: QUEUE }, success), never),
      DELIVERED,
    );
    assert.deepEqual(sqs.messages, [
      {
        queueUrl: `${sqs.url}/111111111111/orders`,
        body: invocationRecord(outcomeOf(success)).toString(),
        attributes: {},
        systemAttributes: {},
      },
    ]);
    const [request] = sqs.requests;
    assert(request);
    const expected = { accessKeyId: HOST_KEY, region: 'eu-west-1', service: 'sqs' };
    assert.deepEqual(signerOf(request), expected);
  });

  test('the event itself as a dead letter, with why it is dead', async () => {
    await using sqs = await startLocalSqs();
    await using deliverer = createDeliverer({ endpoints: { sqs: sqs.url } });
    assert.deepEqual(
      await deliverer.deliver(itemFor({ deadLetterQueue: QUEUE }), never),
      DELIVERED,
    );
    assert.equal(sqs.messages[0]?.body, '{"order": 7}');
    assert.deepEqual(sqs.messages[0]?.attributes, ATTRIBUTES);
  });

  test('the trace as a system attribute, but nothing that is no trace', async () => {
    await using sqs = await startLocalSqs();
    await using deliverer = createDeliverer({ endpoints: { sqs: sqs.url } });
    for (const traceHeader of [TRACE, 'whatever a caller sent', ''])
      await deliverer.deliver(itemFor({ onFailure: QUEUE }, { traceHeader }), never);
    assert.deepEqual(
      sqs.messages.map(({ systemAttributes }) => systemAttributes),
      [{ AWSTraceHeader: { DataType: 'String', StringValue: TRACE } }, {}, {}],
    );
  });
});

suite('A topic gets', () => {
  test('the record as a message', async () => {
    await using sns = await startLocalSns();
    await using deliverer = createDeliverer({ endpoints: { sns: sns.url } });
    assert.deepEqual(await deliverer.deliver(itemFor({ onFailure: TOPIC }), never), DELIVERED);
    const message = invocationRecord(outcomeOf()).toString();
    assert.deepEqual(sns.published, [{ topicArn: TOPIC, message, attributes: {} }]);
  });

  test('the event itself as a dead letter, with why it is dead', async () => {
    await using sns = await startLocalSns();
    await using deliverer = createDeliverer({ endpoints: { sns: sns.url } });
    assert.deepEqual(
      await deliverer.deliver(itemFor({ deadLetterQueue: TOPIC }), never),
      DELIVERED,
    );
    assert.deepEqual(sns.published, [
      { topicArn: TOPIC, message: '{"order": 7}', attributes: ATTRIBUTES },
    ]);
  });
});

suite('A bus gets', () => {
  for (const [title, targets, outcome, detailType] of [
    ['a success', { onSuccess: BUS }, success, 'Success'],
    ['a failure', { onFailure: BUS }, {}, 'Failure'],
  ] as const)
    test(`${title} as an entry that names bus and function`, async () => {
      await using events = await startLocalEventBridge();
      await using deliverer = createDeliverer({ endpoints: { events: events.url } });
      const item = itemFor(targets, { ...outcome, traceHeader: TRACE });
      assert.deepEqual(await deliverer.deliver(item, never), DELIVERED);
      assert.deepEqual(events.entries, [
        {
          Source: 'lambda',
          DetailType: `Lambda Function Invocation Result - ${detailType}`,
          EventBusName: BUS,
          Resources: [BUS, outcomeOf().functionArn],
          Time: outcomeOf().finishedAtMs / 1_000,
          TraceHeader: TRACE,
          Detail: invocationRecord(outcomeOf(outcome)).toString(),
        },
      ]);
    });
});

suite('A bucket gets', () => {
  test('the record of a failure as an object, and the same one when it is sent again', async () => {
    await using s3 = await startLocalBuckets();
    await using deliverer = createDeliverer({ endpoints: { s3: s3.url } });
    const item = itemFor({ onFailure: BUCKET });
    for (const _ of [1, 2]) assert.deepEqual(await deliverer.deliver(item, never), DELIVERED);
    const object = {
      bucket: 'failures',
      key: `aws/lambda/async/f/2026/11/24/2026-11-24T01.02.03-${outcomeOf().requestId}`,
      type: 'application/json',
      body: invocationRecord(outcomeOf()).toString(),
    };
    assert.deepEqual(s3.objects, [object, object]);
    const [request] = s3.requests;
    assert(request);
    // A bucket's ARN names no region: that of the function.
    assert.equal(signerOf(request).region, 'us-east-1');
  });
});
