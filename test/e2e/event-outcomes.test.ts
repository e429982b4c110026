// Outcomes of asynchronous invocations, from a function to everybody who is told of them: the whole way through a host.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import {
  type DestinationConfig,
  InvokeCommand,
  type InvokeCommandInput,
  ListFunctionsCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { ARN, returning } from '../support/functions.ts';
import { permit } from '../support/policies.ts';
import { startLocalEventBridge } from '../support/receivers/eventbridge.ts';
import { HOST_KEY } from '../support/receivers/host-credentials.ts';
import { signerOf } from '../support/receivers/receiver.ts';
import { startLocalBuckets } from '../support/receivers/s3.ts';
import { startLocalSns } from '../support/receivers/sns.ts';
import { sqsError, startLocalSqs } from '../support/receivers/sqs.ts';
import { startLocalWebhook } from '../support/receivers/webhook.ts';
import {
  createClient,
  deploy,
  ROLE,
  SECRET_ACCESS_KEY,
  startTestHost,
  type TestHost,
  type TestHostOptions,
} from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:told';
const DEAD = 'arn:aws:sqs:us-east-1:000000000000:dead';
const TOPIC = 'arn:aws:sns:us-east-1:000000000000:told';
const DEAD_TOPIC = 'arn:aws:sns:us-east-1:000000000000:dead';
const BUS = 'arn:aws:events:us-east-1:000000000000:event-bus/told';
const BUCKET = 'arn:aws:s3:::told';

const failing = {
  'index.mjs': `export const handler = async (event) => { throw new RangeError('no ' + event.order); };`,
};

/** All services, and a host that sends to them. */
async function startWithServices(options: TestHostOptions = {}) {
  const stack = new AsyncDisposableStack();
  const sqs = stack.use(await startLocalSqs());
  const sns = stack.use(await startLocalSns());
  const events = stack.use(await startLocalEventBridge());
  const s3 = stack.use(await startLocalBuckets());
  const t = stack.use(
    await startTestHost({
      ...options,
      env: {
        AWS_ENDPOINT_URL_SQS: sqs.url,
        AWS_ENDPOINT_URL_SNS: sns.url,
        AWS_ENDPOINT_URL_EVENTBRIDGE: events.url,
        AWS_ENDPOINT_URL_S3: s3.url,
        ...options.env,
      },
    }),
  );
  return { sqs, sns, events, s3, t, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Configures without retries, so that the first failure is the last. */
async function configure(t: TestHost, FunctionName: string, destinations: DestinationConfig) {
  const DestinationConfig = destinations;
  await t.client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName,
      MaximumRetryAttempts: 0,
      DestinationConfig,
    }),
  );
}

/** Sends an event, written with a space that a record has to keep; returns the request's id. */
async function sendEvent(
  t: TestHost,
  FunctionName: string,
  more: Partial<InvokeCommandInput> = {},
): Promise<string> {
  const Payload = '{"order": 7}';
  const input = { FunctionName, InvocationType: 'Event' as const, Payload, ...more };
  const answer = await t.client.send(new InvokeCommand(input));
  assert.equal(answer.StatusCode, 202);
  return answer.$metadata.requestId ?? '';
}

/** A record without its time, which must be one. */
function timeless(record: string): unknown {
  const { timestamp, ...rest } = JSON.parse(record);
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return rest;
}

function recordOf(requestId: string, condition: string, functionArn = `${ARN}:f:$LATEST`) {
  return {
    version: '1.0',
    requestContext: { requestId, functionArn, condition, approximateInvokeCount: 1 },
    requestPayload: { order: 7 },
  };
}

const returned = { statusCode: 200, executedVersion: '$LATEST' };
const unhandled = { ...returned, functionError: 'Unhandled' };

/** The trace of the error names files of the machine. */
function withoutTrace(record: unknown): unknown {
  const { responsePayload, ...rest } = record as { responsePayload: { trace: unknown } }; // as: compared as a whole
  const { trace, ...payload } = responsePayload;
  assert(Array.isArray(trace));
  return { ...rest, responsePayload: payload };
}

function failedRecord(requestId: string, functionArn?: string) {
  return {
    ...recordOf(requestId, 'RetriesExhausted', functionArn),
    responseContext: unhandled,
    responsePayload: { errorType: 'RangeError', errorMessage: 'no 7' },
  };
}

suite('A success is told', () => {
  test('to a queue, with the result', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', returning('[event.order]'));
    await configure(s.t, 'f', { OnSuccess: { Destination: QUEUE } });
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('a message', () => s.sqs.messages.length > 0);
    const [message] = s.sqs.messages;
    assert(message);
    assert.equal(message.queueUrl, `${s.sqs.url}/000000000000/told`);
    assert.match(message.body, /"requestPayload":\{"order": 7\},/);
    assert.deepEqual(timeless(message.body), {
      ...recordOf(requestId, 'Success'),
      responseContext: returned,
      responsePayload: [7],
    });
    const [request] = s.sqs.requests;
    assert(request);
    assert.equal(signerOf(request).accessKeyId, HOST_KEY);
  });

  test('to a topic and to a bus, of the version that ran', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', returning('null'), { Publish: true });
    await s.t.deploy('g', returning('null'));
    await s.t.client.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: 'f',
        Qualifier: '1',
        DestinationConfig: { OnSuccess: { Destination: TOPIC } },
      }),
    );
    await configure(s.t, 'g', { OnSuccess: { Destination: BUS } });
    const first = await sendEvent(s.t, 'f', { Qualifier: '1' });
    const second = await sendEvent(s.t, 'g');
    await waitFor('both', () => s.sns.published.length + s.events.entries.length === 2);
    assert.deepEqual(timeless(s.sns.published[0]?.message ?? ''), {
      ...recordOf(first, 'Success', `${ARN}:f:1`),
      responseContext: { statusCode: 200, executedVersion: '1' },
      responsePayload: null,
    });
    const [entry] = s.events.entries;
    assert.equal(entry?.Source, 'lambda');
    assert.equal(entry.DetailType, 'Lambda Function Invocation Result - Success');
    assert.deepEqual(entry.Resources, [BUS, `${ARN}:g:$LATEST`]);
    assert.deepEqual(timeless(entry.Detail), {
      ...recordOf(second, 'Success', `${ARN}:g:$LATEST`),
      responseContext: returned,
      responsePayload: null,
    });
  });

  test('to another function, whose own outcome is told in turn', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', returning('"done"'));
    await s.t.deploy('next', returning('event'));
    await configure(s.t, 'f', { OnSuccess: { Destination: `${ARN}:next` } });
    await configure(s.t, 'next', { OnSuccess: { Destination: QUEUE } });
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('the outcome of the second', () => s.sqs.messages.length > 0);
    const told = JSON.parse(s.sqs.messages[0]?.body ?? '');
    const record = {
      ...recordOf(requestId, 'Success'),
      responseContext: returned,
      responsePayload: 'done',
    };
    assert.deepEqual(timeless(JSON.stringify(told.requestPayload)), record);
    assert.deepEqual(told.responsePayload, told.requestPayload);
    assert.equal(told.requestContext.functionArn, `${ARN}:next:$LATEST`);
    assert.notEqual(told.requestContext.requestId, requestId);
  });

  test('to a function of another account only while its policy lets the role of the first in', async () => {
    await using s = await startWithServices();
    const other = '222222222222';
    const key = { accessKeyId: 'OTHERADMIN', secretAccessKey: SECRET_ACCESS_KEY, account: other };
    const principal = `arn:aws:iam::${other}:user/admin`;
    await writeFile(
      path.join(s.t.dataDir, 'secrets/credentials.json'),
      JSON.stringify([{ ...key, principal, rights: 'admin' }]),
      { mode: 0o600 },
    );
    using stack = new DisposableStack();
    const client = stack.adopt(createClient(s.t.url, key.accessKeyId), (each) => each.destroy());
    await waitFor('the key is known', () =>
      client.send(new ListFunctionsCommand()).then(
        () => true,
        () => false,
      ),
    );
    await deploy(client, 'next', returning('event'), { Role: ROLE.replace('000000000000', other) });
    const FunctionName = 'next';
    await client.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        DestinationConfig: { OnSuccess: { Destination: QUEUE } },
      }),
    );
    await s.t.deploy('f', returning('"done"'));
    const target = `arn:aws:lambda:us-east-1:${other}:function:next`;
    await configure(s.t, 'f', { OnSuccess: { Destination: target } });
    await sendEvent(s.t, 'f');
    await waitFor('the refusal', () => s.t.reports.some((report) => report.includes(target)));
    assert.equal(s.sqs.messages.length, 0);

    await permit(client, { FunctionName, Principal: ROLE });
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('the outcome of the second', () => s.sqs.messages.length > 0);
    const told = JSON.parse(s.sqs.messages[0]?.body ?? '');
    assert.equal(told.requestContext.functionArn, `${target}:$LATEST`);
    assert.equal(told.requestPayload.requestContext.requestId, requestId);
  });
});

suite('A failure is told', () => {
  test('to the destination with the error, and to the dead letters with the event', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', failing, { DeadLetterConfig: { TargetArn: DEAD } });
    await configure(s.t, 'f', {
      OnSuccess: { Destination: TOPIC },
      OnFailure: { Destination: QUEUE },
    });
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('two messages', () => s.sqs.messages.length === 2);
    const dead = s.sqs.messages.find(({ queueUrl }) => queueUrl.endsWith('/dead'));
    const told = s.sqs.messages.find(({ queueUrl }) => queueUrl.endsWith('/told'));
    assert.deepEqual(withoutTrace(timeless(told?.body ?? '')), failedRecord(requestId));
    assert.equal(dead?.body, '{"order": 7}');
    assert.deepEqual(dead.attributes, {
      RequestID: { DataType: 'String', StringValue: requestId },
      ErrorCode: { DataType: 'Number', StringValue: '200' },
      ErrorMessage: { DataType: 'String', StringValue: 'no 7' },
    });
    assert.deepEqual(s.sns.published, []);
  });

  test('to a bucket as an object, and to a dead-letter topic', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', failing, { DeadLetterConfig: { TargetArn: DEAD_TOPIC } });
    await configure(s.t, 'f', { OnFailure: { Destination: BUCKET } });
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('both', () => s.s3.objects.length + s.sns.published.length === 2);
    const [object] = s.s3.objects;
    assert.equal(object?.bucket, 'told');
    assert.match(
      object.key,
      /^aws\/lambda\/async\/f\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
    );
    assert.deepEqual(withoutTrace(timeless(object.body)), failedRecord(requestId));
    assert.equal(s.sns.published[0]?.topicArn, DEAD_TOPIC);
    assert.equal(s.sns.published[0].message, '{"order": 7}');
  });

  test('without an answer where nothing ran, because nothing may', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', returning('1'), { DeadLetterConfig: { TargetArn: DEAD } });
    await configure(s.t, 'f', { OnFailure: { Destination: QUEUE } });
    await s.t.client.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 0 }),
    );
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('two messages', () => s.sqs.messages.length === 2);
    const told = s.sqs.messages.find(({ queueUrl }) => queueUrl.endsWith('/told'));
    assert.deepEqual(timeless(told?.body ?? ''), {
      version: '1.0',
      requestContext: {
        requestId,
        functionArn: `${ARN}:f:$LATEST`,
        condition: 'ZeroReservedConcurrency',
        approximateInvokeCount: 0,
      },
      requestPayload: { order: 7 },
    });
  });
});

suite('An outcome', () => {
  test('waits for a target that fails, and reaches the others meanwhile', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', returning('1'));
    await s.t.deploy('g', returning('1'));
    await configure(s.t, 'f', { OnSuccess: { Destination: QUEUE } });
    await configure(s.t, 'g', { OnSuccess: { Destination: TOPIC } });
    s.sqs.fault = sqsError(500, 'InternalFailure', 'not now');
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('an attempt', () => s.sqs.requests.length > 0);
    await sendEvent(s.t, 'g');
    await waitFor('the other', () => s.sns.published.length === 1);
    s.sqs.fault = undefined;
    await waitFor('another attempt', () => s.sqs.messages.length === 1);
    const told = JSON.parse(s.sqs.messages[0]?.body ?? '');
    assert.equal(told.requestContext.requestId, requestId);
  });

  test('that a target can never take is given up at once, and its operator told', async () => {
    await using s = await startWithServices();
    await s.t.deploy('f', returning('1'));
    await configure(s.t, 'f', { OnSuccess: { Destination: TOPIC } });
    const Payload = JSON.stringify('x'.repeat(300_000));
    const requestId = await sendEvent(s.t, 'f', { Payload });
    const isTold = () => s.t.reports.find((text) => text.includes(requestId));
    await waitFor('a report', () => isTold() !== undefined);
    assert.match(isTold() ?? '', /did not get the outcome of f .* too large for SNS/);
    assert.deepEqual(s.sns.requests, []);
  });

  test('goes to a webhook that the operator has put in place of a queue', async () => {
    const secret = 'whsec_c2VjcmV0IG9mIGF0IGxlYXN0IDI0IGJ5dGVz';
    await using hook = await startLocalWebhook(secret);
    const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-webhook-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(dataDir, { recursive: true }));
    await mkdir(path.join(dataDir, 'secrets'));
    const webhooks = JSON.stringify({ [QUEUE]: { url: hook.url, secret } });
    await writeFile(path.join(dataDir, 'secrets', 'webhooks.json'), webhooks);
    const s = stack.use(await startWithServices({ dataDir }));
    await s.t.deploy('f', failing);
    await configure(s.t, 'f', { OnFailure: { Destination: QUEUE } });
    const requestId = await sendEvent(s.t, 'f');
    await waitFor('a request', () => hook.requests.length > 0);
    const body = hook.verified[0]?.body.toString() ?? '';
    assert.deepEqual(withoutTrace(timeless(body)), failedRecord(requestId));
    assert.deepEqual(s.sqs.requests, []);
  });
});
