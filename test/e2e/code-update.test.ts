// One environment serves one version: after an update of code or configuration no call is answered by the old one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { result } from '../support/function-answers.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const code = (version: number) => ({
  'index.mjs': `export const handler = async ({ ms = 0 }) => {
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    return ${version} + (process.env.SUFFIX ?? '');
  };`,
});

async function update(t: TestHost, version: number): Promise<void> {
  const ZipFile = await zipOf(code(version));
  await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile }));
  await updated(t);
}

async function updated(t: TestHost): Promise<void> {
  const waiting = { client: t.client, maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 };
  await waitUntilFunctionUpdatedV2(waiting, { FunctionName: 'f' });
}

test('under concurrent load a call that begins after an update sees the new version only', async () => {
  await using t = await startTestHost();
  await t.deploy('f', code(0), { Timeout: 20 });
  let newest = 0;
  let isDone = false;
  let calls = 0;
  async function caller(): Promise<void> {
    while (!isDone) {
      const least = newest;
      const version = Number(await result(t, 'f'));
      calls += 1;
      assert.ok(version >= least, `version ${version} after ${least} was complete`);
    }
  }
  const callers = Array.from({ length: 6 }, caller);
  for (let version = 1; version <= 8; version += 1) {
    await update(t, version);
    newest = version;
    assert.equal(Number(await result(t, 'f')), version);
  }
  isDone = true;
  await Promise.all(callers);
  assert.ok(calls > 20, `${calls} calls`);
  assert.deepEqual(t.reports, []);
});

test('an invocation that runs during an update ends in its old environment', async () => {
  await using t = await startTestHost();
  await t.deploy('f', code(1), { Timeout: 20 });
  const running = result(t, 'f', { ms: 1500 });
  await update(t, 2);
  assert.equal(await result(t, 'f'), '2');
  assert.equal(await running, '1');
  assert.equal(await result(t, 'f'), '2');
});

test('a change of variables is a new environment too', async () => {
  await using t = await startTestHost();
  await t.deploy('f', code(1));
  assert.equal(await result(t, 'f'), '1');
  const Environment = { Variables: { SUFFIX: 'b' } };
  await t.client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Environment }));
  await updated(t);
  assert.equal(await result(t, 'f'), '1b');
});
