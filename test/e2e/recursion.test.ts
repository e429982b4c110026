// Functions that call themselves in a loop are stopped, with the SDK that they bring passing the trace header on as it does everywhere.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { InvokeCommand, PutFunctionRecursionConfigCommand } from '@aws-sdk/client-lambda';
import { build } from 'esbuild';
import { startCollector } from '../support/collector.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** A handler that tells the test of each run and calls itself with the SDK in it, until `event.left` is 0. */
async function callingItself(url: string, InvocationType: 'Event' | 'RequestResponse') {
  const source = `
    import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
    const client = new LambdaClient({ maxAttempts: 1 });
    export const handler = async ({ left }) => {
      await fetch('${url}', { method: 'POST', body: JSON.stringify({ left }) });
      if (left === 0) return 'the end';
      const answer = await client.send(new InvokeCommand({
        FunctionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
        InvocationType: '${InvocationType}',
        Payload: JSON.stringify({ left: left - 1 }),
      }));
      return answer.StatusCode === 202 ? 'handed on' : JSON.parse(Buffer.from(answer.Payload).toString());
    };`;
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: PROJECT, loader: 'js' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    write: false,
    absWorkingDir: PROJECT,
    logLevel: 'silent',
  });
  return { 'index.js': outputFiles[0]?.text ?? '' };
}

const SETTINGS = { Timeout: 60, MemorySize: 128 };

async function allow(t: TestHost, FunctionName: string): Promise<void> {
  const command = new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' });
  await t.client.send(command);
}

suite('A function that calls itself', () => {
  test('by events is stopped after 16 runs, and the event is given up', async () => {
    await using collector = await startCollector();
    await using t = await startTestHost();
    await t.deploy('loop', await callingItself(collector.url, 'Event'), SETTINGS);
    await t.client.send(
      new InvokeCommand({ FunctionName: 'loop', InvocationType: 'Event', Payload: '{"left":30}' }),
    );
    await waitFor('an event is given up', async () => {
      const health = await (await fetch(`${t.url}/_lambkin/health`)).json();
      return Object(health).queue.counts.dropped === 1;
    });
    assert.equal(collector.count, 16);
  });

  test('and waits is refused at the 17th call, unless loops are allowed', async () => {
    await using collector = await startCollector();
    await using t = await startTestHost({ env: { LAMBKIN_POOL_MEMORY_BUDGET: '8GiB' } });
    await t.deploy('loop', await callingItself(collector.url, 'RequestResponse'), SETTINGS);
    const stopped = await t.invoke('loop', { left: 20 });
    assert.equal(collector.count, 16);
    const { errorType, errorMessage } = Object(stopped.payload);
    assert.equal(errorType, 'RecursiveInvocationException');
    assert.match(
      errorMessage,
      /^We have detected that your function is being invoked in a recursive/,
    );
    await allow(t, 'loop');
    assert.equal((await t.invoke('loop', { left: 20 })).payload, 'the end');
    assert.equal(collector.count, 16 + 21);
  });
});
