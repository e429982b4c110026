// Environments are kept and used again: the most recently used first, one event at a time, until they have idled too long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { createMovedClock } from '../support/moved-clock.ts';
import { ownRoute, readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const CODE = `import { randomUUID } from 'node:crypto';
const id = randomUUID();
let n = 0;
let running = 0;
process.on('SIGTERM', () => { console.log('told to end'); process.exit(0); });
export const handler = async ({ ms = 0 }) => {
  running += 1;
  const alone = running === 1;
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  running -= 1;
  n += 1;
  return { id, n, alone };
};`;

interface Seen {
  readonly id: string;
  readonly n: number;
  readonly alone: boolean;
}

async function seen(t: TestHost, event: object = {}): Promise<Seen> {
  return (await result(t, 'f', event)) as Seen; // as the fixture returns
}

async function idleEnvironments(t: TestHost): Promise<number> {
  const health = (await (await ownRoute(t, '/_lambkin/health')).json()) as {
    environments: { idle: number };
  }; // our own route
  return health.environments.idle;
}

test('the environment of the last call serves the next; concurrent calls have one each', async () => {
  await using t = await startTestHost();
  await t.deploy('f', { 'index.mjs': CODE });
  const first = await seen(t);
  for (const n of [2, 3, 4]) assert.deepEqual(await seen(t), { id: first.id, n, alone: true });

  const together = await Promise.all(Array.from({ length: 4 }, () => seen(t, { ms: 300 })));
  assert.equal(new Set(together.map(({ id }) => id)).size, 4);
  assert.ok(together.every(({ alone }) => alone));
  await waitFor('all four are idle', async () => (await idleEnvironments(t)) >= 4);
  const next = await seen(t);
  assert.equal((await seen(t)).id, next.id, 'the most recently used one');
});

test('20 first calls at once are all answered, each in an environment of its own', async () => {
  await using t = await startTestHost();
  await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 30 });
  const together = await Promise.all(Array.from({ length: 20 }, () => seen(t, { ms: 1500 })));
  assert.ok(together.every(({ alone }) => alone));
  const environments = new Set(together.map(({ id }) => id));
  assert.ok(environments.size >= 4, `${environments.size} environments`);
  assert.deepEqual(t.reports, []);
});

test('environments end when they have been idle for long, and are told so', async () => {
  const clock = createMovedClock();
  await using t = await startTestHost({ clock });
  await t.deploy('f', { 'index.mjs': CODE });
  const first = await seen(t);
  clock.advance(9 * 60_000);
  assert.equal((await seen(t)).id, first.id, 'nine minutes are not long');
  clock.advance(11 * 60_000);
  await waitFor('it has ended', async () => (await idleEnvironments(t)) === 0);
  const fresh = await seen(t);
  assert.notEqual(fresh.id, first.id);
  assert.equal(fresh.n, 1);
  await waitFor('its log says that it was told', async () => {
    const lines = await readLog(t, '/aws/lambda/f');
    return lines.some((line) => line.endsWith('\ttold to end\n'));
  });
});

test('an environment for which calls always wait is replaced all the same when it has lived for four hours', async () => {
  const clock = createMovedClock();
  await using t = await startTestHost({
    clock,
    env: {
      // Room for one.
      LAMBKIN_POOL_MEMORY_BUDGET: '128MiB',
      // Calls under way see the leap of the clock, too.
      LAMBKIN_DISPATCH_QUEUE_WAIT_MS: `${10 * 60 * 60 * 1000}`,
    },
  });
  await t.deploy('f', { 'index.mjs': CODE });
  const latest: Seen[] = [];
  let isOver = false;
  const callers = Array.from({ length: 6 }, async (_, at) => {
    while (!isOver) latest[at] = await seen(t, { ms: 20 });
  });
  const ids = () => new Set(latest.map(({ id }) => id));
  try {
    await waitFor('all were served', () => latest.filter(({ n }) => n > 6).length === 6);
    const [first] = ids();
    assert.equal(ids().size, 1);
    clock.advance(4 * 60 * 60 * 1000 + 1);
    await waitFor('another one serves', () => !latest.some(({ id }) => id === first));
  } finally {
    isOver = true;
    await Promise.all(callers);
  }
  assert.deepEqual(t.reports, []);
});
