// The context object of both generations, and what an invocation sets beside it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import { BootstrapPeer, type InvokeOptions, type PeerOptions } from '../support/bootstrap-peer.ts';

type Runtime = PeerOptions['runtime'];

async function invoke(handler: string, runtime: Runtime, options: InvokeOptions = {}, event = {}) {
  await using peer = await BootstrapPeer.start({
    code: 'context',
    handler: `index.${handler}`,
    runtime,
  });
  return (await peer.result(event, options)) as never;
}

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:fixture:alias';

test('nodejs24.x: keys in the order of v4', async () => {
  const { keys, has } = await invoke('keys', 'nodejs24.x');
  assert.deepEqual(keys, [
    'clientContext',
    'identity',
    'invokedFunctionArn',
    'awsRequestId',
    'tenantId',
    'xRayTraceId',
    'getRemainingTimeInMillis',
    'w3c',
    'functionName',
    'functionVersion',
    'memoryLimitInMB',
    'logGroupName',
    'logStreamName',
  ]);
  assert.equal(has, true);
});

test('nodejs22.x: keys in the order of v3', async () => {
  const { keys, has } = await invoke('keys', 'nodejs22.x');
  assert.deepEqual(keys, [
    'callbackWaitsForEmptyEventLoop',
    'succeed',
    'fail',
    'done',
    'functionVersion',
    'functionName',
    'memoryLimitInMB',
    'logGroupName',
    'logStreamName',
    'clientContext',
    'identity',
    'invokedFunctionArn',
    'awsRequestId',
    'tenantId',
    'getRemainingTimeInMillis',
  ]);
  assert.equal(has, true);
});

test('JSON.stringify(context) of both, letter by letter', async () => {
  const id = randomUUID();
  const options = {
    id,
    arn: ARN,
    clientContext: '{"custom":{"k":"v"}}',
    tenantId: 'blue',
    traceId: 'Root=1',
  };
  const v4 = (await invoke('keys', 'nodejs24.x', options)) as { json: string };
  assert.equal(
    v4.json,
    `{"clientContext":{"custom":{"k":"v"}},"invokedFunctionArn":"${ARN}","awsRequestId":"${id}","tenantId":"blue","xRayTraceId":"Root=1","functionName":"fixture","functionVersion":"$LATEST","memoryLimitInMB":"128","logGroupName":"/aws/lambda/fixture","logStreamName":"2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef"}`,
  );
  const v3 = (await invoke('keys', 'nodejs22.x', options)) as { json: string };
  assert.equal(
    v3.json,
    `{"callbackWaitsForEmptyEventLoop":true,"functionVersion":"$LATEST","functionName":"fixture","memoryLimitInMB":"128","logGroupName":"/aws/lambda/fixture","logStreamName":"2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef","clientContext":{"custom":{"k":"v"}},"invokedFunctionArn":"${ARN}","awsRequestId":"${id}","tenantId":"blue"}`,
  );
});

for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
  suite(runtime, () => {
    test('absent texts are left out of the JSON', async () => {
      const context = (await invoke('whole', runtime)) as Record<string, unknown>;
      for (const name of ['clientContext', 'identity', 'tenantId', 'xRayTraceId']) {
        assert.equal(name in context, false, name);
      }
    });

    test('getRemainingTimeInMillis counts down from the frame and needs no receiver', async () => {
      const [first, later] = (await invoke(
        'remaining',
        runtime,
        { remainingMs: 1000 },
        { waitMs: 50 },
      )) as number[];
      assert.ok(first !== undefined && first <= 1000 && first > 900, `${first}`);
      assert.ok(later !== undefined && later <= first - 49, `${later}`);
    });

    test('it may go below zero', async () => {
      const [, later] = (await invoke(
        'remaining',
        runtime,
        { remainingMs: 10 },
        { waitMs: 30 },
      )) as number[];
      assert.ok(later !== undefined && later < 0, `${later}`);
    });

    test('_X_AMZN_TRACE_ID is set and deleted with each invocation', async () => {
      await using peer = await BootstrapPeer.start({
        code: 'context',
        handler: 'index.trace',
        runtime,
        env: { _X_AMZN_TRACE_ID: 'left over' },
      });
      assert.equal(await peer.result({}), null);
      assert.equal(await peer.result({}, { traceId: 'Root=1-a;Sampled=0' }), 'Root=1-a;Sampled=0');
      assert.equal(await peer.result({}, { traceId: 'Root=2' }), 'Root=2');
      assert.equal(await peer.result({}), null);
    });
  });
}

test('a client context that is no JSON fails the invocation: PlatformError in v4, Error in v3', async () => {
  for (const [runtime, type, message] of [
    [
      'nodejs24.x',
      'Runtime.PlatformError',
      /^Failed to parse lambda-runtime-client-context as JSON: /,
    ],
    ['nodejs22.x', 'Error', /^Cannot parse ClientContext as json: SyntaxError: /],
  ] as const) {
    await using peer = await BootstrapPeer.start({
      code: 'context',
      handler: 'index.keys',
      runtime,
    });
    const answer = await peer.invoke({}, { clientContext: '{broken' });
    assert.ok(answer.kind === 'E');
    assert.equal(answer.errorType, type);
    assert.match((JSON.parse(answer.text) as { errorMessage: string }).errorMessage, message);
  }
});

test('nodejs24.x: an incomplete environment is Runtime.PlatformError', async () => {
  const env = { AWS_LAMBDA_LOG_GROUP_NAME: '', AWS_LAMBDA_FUNCTION_VERSION: '' };
  await using peer = await BootstrapPeer.start({ code: 'context', handler: 'index.keys', env });
  const answer = await peer.invoke({});
  assert.ok(answer.kind === 'E');
  assert.equal(answer.errorType, 'Runtime.PlatformError');
  assert.match(
    answer.text,
    /Missing required environment variables: AWS_LAMBDA_FUNCTION_VERSION, AWS_LAMBDA_LOG_GROUP_NAME"/,
  );
});

test('nodejs24.x: w3c() takes the trace fields out of the client context', async () => {
  const clientContext = JSON.stringify({
    w3c: { traceparent: '00-a-b-01', tracestate: 5, other: 'x', baggage: 'k=v' },
    custom: 1,
  });
  assert.deepEqual(await invoke('w3c', 'nodejs24.x', { clientContext }), [
    { traceparent: '00-a-b-01', baggage: 'k=v' },
    { custom: 1 },
  ]);
  assert.deepEqual(await invoke('w3c', 'nodejs24.x'), [{}, null]);
});
