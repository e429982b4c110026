// Invocations while a function is updated: each runs all of the old version or all of the new one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

/** Two modules and a variable that must always say the same number. */
function files(generation: number): Record<string, string> {
  return {
    'part.mjs': `export const part = ${generation};`,
    'index.mjs': `import { part } from './part.mjs';
      export const handler = async () => {
        await new Promise((resolve) => setTimeout(resolve, 3));
        return { code: [${generation}, part], variable: process.env.GENERATION };
      };`,
  };
}

async function updated(t: TestHost): Promise<void> {
  const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.01, maxDelay: 0.05 };
  await waitUntilFunctionUpdatedV2(waiting, { FunctionName: 'f' });
}

test('Invocations during updates run the old or the new function whole, and none fails', async () => {
  await using t = await startTestHost();
  const Environment = (generation: number) => ({ Variables: { GENERATION: `${generation}` } });
  await t.deploy('f', files(0), { Environment: Environment(0) });
  const seen: { code: number[]; variable: string }[] = [];
  let isUpdating = true;
  const callers = Array.from({ length: 3 }, async () => {
    while (isUpdating) {
      const { payload, functionError, text } = await t.invoke('f');
      assert.equal(functionError, undefined, text);
      seen.push(payload as (typeof seen)[number]); // as: what the handler above returns
    }
  });
  for (let generation = 1; generation <= 4; generation += 1) {
    const ZipFile = await zipOf(files(generation));
    await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile }));
    await updated(t);
    const configuration = { FunctionName: 'f', Environment: Environment(generation) };
    await t.client.send(new UpdateFunctionConfigurationCommand(configuration));
    await updated(t);
    // What was updated is what runs from now on.
    assert.deepEqual((await t.invoke('f')).payload, {
      code: [generation, generation],
      variable: `${generation}`,
    });
  }
  isUpdating = false;
  await Promise.all(callers);
  assert.ok(seen.length > 0);
  for (const { code, variable } of seen) {
    assert.equal(code[0], code[1]);
    const behind = Number(code[0]) - Number(variable);
    assert.ok(behind === 0 || behind === 1, `code ${code[0]} with variable ${variable}`);
  }
});
