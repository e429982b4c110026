// pool.memoryBudget bounds what all environments take together: idle ones of others make way, calls wait for their turn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { ownRoute } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CODE = `const id = Math.random();
const kept = Buffer.alloc(60 * 2 ** 20, 1);
export const handler = async ({ ms = 0 }) => {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  return id + kept.length * 0;
};`;

async function environments(
  t: TestHost,
): Promise<{ idle: number; busy: number; starting: number }> {
  const health = (await (await ownRoute(t, '/_lambkin/health')).json()) as {
    environments: { idle: number; busy: number; starting: number };
  }; // our own route
  return health.environments;
}

test('idle environments make way in the order of their last use', async () => {
  // Room for three that idle (about 110 MiB each) beside one that starts.
  await using t = await startTestHost({ env: { LAMBKIN_POOL_MEMORY_BUDGET: '500MiB' } });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const name of names) await t.deploy(name, { 'index.mjs': CODE });
  const ids = new Map<string, unknown>();
  for (const name of names) ids.set(name, await result(t, name));
  const { idle } = await environments(t);
  assert.ok(idle >= 2 && idle <= 4, `${idle} idle environments`);
  assert.equal(await result(t, 'f'), ids.get('f'), 'the last one is still there');
  assert.notEqual(await result(t, 'a'), ids.get('a'), 'the first one had to go');
});

test('what does not fit waits, and is served fairly', async () => {
  await using t = await startTestHost({
    env: { LAMBKIN_POOL_MEMORY_BUDGET: '256MiB', LAMBKIN_DISPATCH_QUEUE_WAIT_MS: '60000' },
  });
  await t.deploy('many', { 'index.mjs': CODE }, { Timeout: 60 });
  await t.deploy('one', { 'index.mjs': CODE }, { Timeout: 60 });
  let answered = 0;
  const load = Array.from({ length: 12 }, async () => {
    await result(t, 'many', { ms: 300 });
    answered += 1;
  });
  await result(t, 'one', { ms: 1 });
  assert.ok(answered < 12, 'the other function did not wait until all was over');
  await Promise.all(load);
  const { idle, busy, starting } = await environments(t);
  assert.ok(idle + busy + starting <= 3, `${idle} + ${busy} + ${starting}`);
});

test('a function larger than the budget still runs', async () => {
  await using t = await startTestHost({ env: { LAMBKIN_POOL_MEMORY_BUDGET: '128MiB' } });
  await t.deploy('large', { 'index.mjs': CODE }, { MemorySize: 512 });
  assert.equal(typeof (await result(t, 'large')), 'number');
});

test('nobody starves behind functions that are always busy', async () => {
  await using t = await startTestHost({ env: { LAMBKIN_POOL_MEMORY_BUDGET: '256MiB' } });
  for (const name of ['busy', 'busier', 'late'])
    await t.deploy(name, { 'index.mjs': CODE }, { Timeout: 60 });
  let isDone = false;
  const load = ['busy', 'busier', 'busy', 'busier'].map(async (name) => {
    while (!isDone) await result(t, name, { ms: 100 });
  });
  await Promise.all([result(t, 'busy'), result(t, 'busier')]);
  for (let i = 0; i < 3; i += 1) await result(t, 'late', { ms: 10 });
  isDone = true;
  await Promise.all(load);
});
