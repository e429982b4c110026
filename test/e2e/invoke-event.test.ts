// Asynchronous invocation from the caller's side to the handler's: what is accepted runs, under the id that the caller was told, and
// its errors are the queue's matter.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  InvokeAsyncCommand,
  InvokeCommand,
  type InvokeCommandInput,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { temporaryFolder } from '../store/place.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { startCollector } from '../support/collector.ts';
import { ARN } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { refusalOf, send } from '../support/wire.ts';

const PATH = '/2015-03-31/functions/f/invocations';

/** Retries come at once. */
const AT_ONCE = { env: { LAMBKIN_ASYNC_RETRY_BASE_SECONDS: '0' } };

/** What a handler made by {@link telling} saw. */
interface Seen {
  readonly event: unknown;
  readonly id: string;
  readonly arn: string;
  readonly version: string;
  readonly trace: string;
  readonly clientContext?: unknown;
}

/** A handler that tells the test what it saw, and then does as it is told. */
function telling(url: string, then = '') {
  return {
    'index.mjs': `export const handler = async (event, context) => {
      const seen = {
        event, id: context.awsRequestId, arn: context.invokedFunctionArn, version: context.functionVersion,
        trace: process.env._X_AMZN_TRACE_ID, clientContext: context.clientContext,
      };
      await fetch('${url}', { method: 'POST', body: JSON.stringify(seen) });
      ${then}
    };`,
  };
}

async function post(t: TestHost, event: unknown, more: Partial<InvokeCommandInput> = {}) {
  const answer = await t.client.send(
    new InvokeCommand({
      FunctionName: 'f',
      InvocationType: 'Event',
      Payload: JSON.stringify(event),
      ...more,
    }),
  );
  assert.equal(answer.StatusCode, 202);
  return answer.$metadata.requestId;
}

suite('An asynchronous invocation', () => {
  test('is answered 202 with nothing but its id, under which it runs', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost();
    await t.deploy('f', telling(collector.url));
    const context = Buffer.from('{"custom":{}}').toString('base64');
    const headers = {
      'X-Amz-Invocation-Type': 'Event',
      'X-Amz-Log-Type': 'Tail',
      'X-Amz-Client-Context': context,
    };
    const answer = await send(t.url, { method: 'POST', path: PATH, headers, body: '{"a":1}' });
    assert.equal(answer.status, 202);
    assert.equal(answer.body, '');
    assert.equal(answer.headers['content-length'], '0');
    for (const name of ['x-amz-executed-version', 'x-amz-function-error', 'x-amz-log-result'])
      assert.equal(answer.headers[name], undefined, name);
    const [seen] = await collector.received(1);
    assert.deepEqual(seen?.event, { a: 1 });
    assert.equal(seen?.id, answer.headers['x-amzn-requestid']);
    assert.equal(seen?.arn, `${ARN}:f`);
    assert.equal(seen?.version, '$LATEST');
    assert.equal(seen?.clientContext, undefined, 'it is for synchronous calls only');
  });

  test('without a payload passes an empty object, and one of any JSON value that value', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost();
    await t.deploy('f', telling(collector.url));
    const headers = { 'X-Amz-Invocation-Type': 'Event' };
    for (const body of ['', ' [1] ', 'null', '"text"'])
      assert.equal((await send(t.url, { method: 'POST', path: PATH, headers, body })).status, 202);
    const seen = (await collector.received(4)).map(({ event }) => JSON.stringify(event));
    assert.deepEqual(seen.toSorted(), ['"text"', '[1]', 'null', '{}']);
  });

  test('takes payloads of up to 1 MiB, and those that are JSON, whatever their size', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost();
    await t.deploy('f', telling(collector.url, ''));
    const largest = JSON.stringify('x'.repeat(1_048_576 - 2));
    await post(t, JSON.parse(largest));
    assert.equal(JSON.stringify((await collector.received(1))[0]?.event), largest);
    const refused = (Payload: string) =>
      refusalOf(
        t.client.send(new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event', Payload })),
      );
    assert.deepEqual(await refused(JSON.stringify('x'.repeat(1_048_576 - 1))), {
      status: 413,
      name: 'RequestEntityTooLargeException',
      message:
        '1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)',
    });
    for (const text of ['{', `${'['.repeat(50_000)}`]) {
      const { status, name, message } = await refused(text);
      assert.deepEqual([status, name], [400, 'InvalidRequestContentException']);
      assert.match(
        message,
        /^Could not parse request body into json: Could not parse payload into/,
      );
    }
    assert.equal((await collector.received(1)).length, 1);
  });

  test('of a function that is not there is refused', async () => {
    await using t = await startTestHost();
    const command = new InvokeCommand({ FunctionName: 'missing', InvocationType: 'Event' });
    assert.deepEqual(await refusalOf(t.client.send(command)), {
      status: 404,
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:missing:$LATEST`,
    });
  });

  test('that fails is tried three times under one id, then no more', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost(AT_ONCE);
    await t.deploy('f', telling(collector.url, `throw new Error('no');`));
    const id = await post(t, 'again');
    const seen = await collector.received(3);
    assert.deepEqual(
      seen.map((each) => each.id),
      [id, id, id],
    );
    await waitFor('it is given up', async () => (await countsOf(t)).dropped === 1);
    const { functionErrors, retried, succeeded } = await countsOf(t);
    assert.deepEqual([functionErrors, retried, succeeded], [3, 2, 0]);
    assert.equal(collector.count, 3);
  });

  test('is tried as often as the config of its qualifier says at the time', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost(AT_ONCE);
    await t.deploy('f', telling(collector.url, `throw new Error('no');`));
    const MaximumRetryAttempts = 0;
    await t.client.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName: 'f', MaximumRetryAttempts }),
    );
    await post(t, 1);
    await waitFor('it is given up', async () => (await countsOf(t)).dropped === 1);
    assert.equal(collector.count, 1);
  });

  test('of an alias runs the version that the alias meant at the call, of $LATEST the newest code', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost();
    await t.deploy('f', telling(collector.url));
    const FunctionName = 'f';
    const { Version } = await t.client.send(new PublishVersionCommand({ FunctionName }));
    const alias = { FunctionName, Name: 'live', FunctionVersion: Version };
    await t.client.send(new CreateAliasCommand(alias));
    await t.client.send(
      new UpdateFunctionCodeCommand({
        FunctionName,
        ZipFile: await zipOf(telling(`${collector.url}/new`)),
      }),
    );
    await waitUntilFunctionUpdatedV2(
      { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
      { FunctionName },
    );
    await post(t, 'by alias', { Qualifier: 'live' });
    await post(t, 'latest', { Qualifier: '$LATEST' });
    const seen = (await collector.received(2)).map(({ event, arn, version }) => [
      event,
      arn,
      version,
    ]);
    assert.deepEqual(
      seen.toSorted(([a], [b]) => String(a).localeCompare(String(b))),
      [
        ['by alias', `${ARN}:f:live`, '1'],
        ['latest', `${ARN}:f:$LATEST`, '$LATEST'],
      ],
    );
  });

  test('waits while the function may not run, without an attempt that fails', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost();
    await t.deploy('f', telling(collector.url));
    await t.client.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 1 }),
    );
    await Promise.all(Array.from({ length: 20 }, (_, at) => post(t, at)));
    const events = (await collector.received(20)).map(({ event }) => Number(event));
    assert.deepEqual(
      events.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, at) => at),
    );
    assert.equal((await countsOf(t)).functionErrors, 0);
  });

  test('with a reserved concurrency of 0 is given up without an attempt', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost();
    await t.deploy('f', telling(collector.url));
    await t.client.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 0 }),
    );
    await post(t, 'never');
    await waitFor('it is given up', async () => (await countsOf(t)).dropped === 1);
    assert.equal(collector.count, 0);
  });

  test('of a function that is deleted meanwhile ends as a dead letter', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost({ env: { LAMBKIN_ASYNC_RETRY_BASE_SECONDS: '1' } });
    await t.deploy('f', telling(collector.url, `throw new Error('once');`));
    await post(t, 'orphan');
    await collector.received(1);
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    await waitFor('it is given up', async () => (await countsOf(t)).dropped === 1);
    assert.equal(collector.count, 1);
  });

  test('by InvokeAsync runs as well, up to the size this older operation has always had', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost();
    await t.deploy('f', telling(collector.url));
    const answer = await t.client.send(
      new InvokeAsyncCommand({ FunctionName: 'f', InvokeArgs: '{"old":true}' }),
    );
    assert.equal(answer.Status, 202);
    const [seen] = await collector.received(1);
    assert.deepEqual(seen?.event, { old: true });
    assert.equal(seen?.id, answer.$metadata.requestId);
    const tooLarge = new InvokeAsyncCommand({
      FunctionName: 'f',
      InvokeArgs: JSON.stringify('x'.repeat(262_143)),
    });
    assert.deepEqual(await refusalOf(t.client.send(tooLarge)), {
      status: 413,
      name: 'RequestEntityTooLargeException',
      message:
        '262145 byte payload is too large for the Event invocation type (limit 262144 bytes)',
    });
  });

  test('that the end of the host overtakes runs in the next one on the same data, if it ran at all before', async () => {
    await using collector = await startCollector<Seen>();
    await using folder = await temporaryFolder();
    const dataDir = folder.path;
    const ids = new Set<string | undefined>();
    {
      await using t = await startTestHost({ dataDir });
      await t.deploy('f', telling(collector.url));
      await t.client.send(
        new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 1 }),
      );
      for (const id of await Promise.all(Array.from({ length: 50 }, (_, at) => post(t, at))))
        ids.add(id);
    }
    const before = collector.all.map(({ id }) => id);
    await using t = await startTestHost({ dataDir });
    const all = await collector.received(50);
    assert.deepEqual(new Set(all.map(({ id }) => id)), ids);
    assert.equal(all.length, 50, `${before.length} had run before, and none runs twice`);
    assert.deepEqual(t.reports, []);
  });

  test('calls are told apart from those that wait for their answer: they are not counted per second', async () => {
    await using collector = await startCollector<Seen>();
    await using t = await startTestHost({
      env: { LAMBKIN_DISPATCH_REQUEST_RATE: 'on', LAMBKIN_DISPATCH_ACCOUNT_CONCURRENCY: '2' },
    });
    await t.deploy('f', telling(collector.url));
    await Promise.all(Array.from({ length: 60 }, (_, at) => post(t, at)));
    await collector.received(60);
    assert.equal((await countsOf(t)).refused, 0);
  });
});

/** Figures of the whole host. */
async function countsOf(t: TestHost): Promise<Record<string, number>> {
  const answer = await fetch(`${t.url}/_lambkin/health`);
  const { queue } = (await answer.json()) as { queue: { counts: Record<string, number> } }; // our own route
  return queue.counts;
}
