// Provisioned environments are initialised before calls come, serve them first, are replaced when they end, and last until their
// config goes.
import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import {
  DeleteFunctionCommand,
  PutFunctionConcurrencyCommand,
  TooManyRequestsException,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { createMovedClock } from '../support/moved-clock.ts';
import { provision, unprovision, untilProvisioned } from '../support/provisioned.ts';
import { ownRoute, readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { processesUnder } from '../support/traces.ts';
import { startTurnstile } from '../support/turnstile.ts';
import { alias, settled } from '../support/versions.ts';
import { waitFor } from '../support/wait-for.ts';

const ENV = { LAMBKIN_POOL_MEMORY_BUDGET: '8GiB' };

/** Says which environment answers, and of what sort it is. */
const TELLING = {
  'index.mjs': `const id = Math.random();
    export const handler = async ({ way }) => {
      if (way === 'exit') process.exit(1);
      if (way === 'loop') for (;;);
      return { id, pid: process.pid, type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE };
    };`,
};

interface Told {
  readonly id: number;
  readonly type: string;
}

async function told(t: TestHost, name: string, Qualifier?: string): Promise<Told> {
  const { payload, text } = await t.invoke(name, {}, { Qualifier });
  const answer = payload as Told; // as: what TELLING returns
  assert.equal(typeof answer.id, 'number', text);
  return answer;
}

async function environments(t: TestHost): Promise<{ idle: number; busy: number }> {
  const health = (await (await ownRoute(t, '/_lambkin/health')).json()) as {
    environments: { idle: number; busy: number };
  }; // as: our own route
  return health.environments;
}

const inits = (lines: readonly string[]) => lines.filter((line) => line.startsWith('INIT_START '));

test('environments are initialised ahead of calls, say so, and calls start none', async () => {
  await using t = await startTestHost({ env: ENV });
  await t.deploy('f', TELLING, { Publish: true });
  const put = await provision(t.client, 'f', '1', 3);
  assert.equal(put.Status, 'IN_PROGRESS');
  const ready = await untilProvisioned(t.client, 'f', '1');
  assert.equal(ready.AvailableProvisionedConcurrentExecutions, 3);
  assert.equal(ready.AllocatedProvisionedConcurrentExecutions, 3);
  const before = await readLog(t, '/aws/lambda/f');
  assert.equal(inits(before).length, 3);
  const reports = before.filter((line) => line.startsWith('INIT_REPORT '));
  assert.equal(reports.length, 3);
  for (const report of reports)
    assert.match(report, /^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: success\n$/);
  for (let i = 0; i < 5; i += 1) {
    const { payload, log } = await t.invoke('f', {}, { Qualifier: '1' });
    assert.equal((payload as Told).type, 'provisioned-concurrency');
    assert.doesNotMatch(log, /Init Duration/);
  }
  assert.equal(inits(await readLog(t, '/aws/lambda/f')).length, 3);
  assert.equal((await told(t, 'f')).type, 'on-demand', 'of $LATEST none are provisioned');
  assert.deepEqual(t.reports, []);
});

test('the log in JSON names the sort of each environment', async () => {
  await using t = await startTestHost({ env: ENV });
  const LoggingConfig = { LogFormat: 'JSON', SystemLogLevel: 'DEBUG' } as const;
  await t.deploy('f', TELLING, { Publish: true, LoggingConfig });
  await provision(t.client, 'f', '1', 1);
  await untilProvisioned(t.client, 'f', '1');
  await told(t, 'f');
  const records = (await readLog(t, '/aws/lambda/f')).map(
    (line) => JSON.parse(line) as { type: string; record: Record<string, unknown> }, // as: platform records
  );
  for (const type of ['platform.initStart', 'platform.initReport'])
    assert.deepEqual(
      records.filter((each) => each.type === type).map((each) => each.record['initializationType']),
      ['provisioned-concurrency', 'on-demand'],
    );
});

test('when all are busy calls spill over to others; where all is reserved for them they do not', async () => {
  using stop = await startTurnstile();
  await using t = await startTestHost({ env: ENV });
  const code = stop.handler('process.env.AWS_LAMBDA_INITIALIZATION_TYPE');
  await t.deploy('f', code, { Publish: true, Timeout: 60 });
  await provision(t.client, 'f', '1', 2);
  await untilProvisioned(t.client, 'f', '1');
  const types: string[] = [];
  const call = async (Qualifier: string) => {
    types.push((await t.invoke('f', {}, { Qualifier })).text);
  };
  const calls = [call('1'), call('1'), call('1')];
  await waitFor('three run', () => stop.waiting === 3);
  await t.client.send(
    new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 2 }),
  );
  for (const qualifier of ['1', '$LATEST'])
    await assert.rejects(call(qualifier), (error) => {
      assert.ok(error instanceof TooManyRequestsException, String(error));
      assert.equal(error.Reason, 'ReservedFunctionConcurrentInvocationLimitExceeded');
      return true;
    });
  stop.open();
  await Promise.all(calls);

  assert.equal(types.filter((type) => type === '"on-demand"').length, 1);
  assert.equal(types.filter((type) => type === '"provisioned-concurrency"').length, 2);
});

test('one that ends is replaced: killed while idle, exited, timed out', async () => {
  await using t = await startTestHost({ env: ENV });
  await t.deploy('f', TELLING, { Publish: true, Timeout: 1 });
  await provision(t.client, 'f', '1', 1);
  await untilProvisioned(t.client, 'f', '1');
  let last = (await told(t, 'f', '1')).id;
  for (const way of ['exit', 'loop']) {
    const { functionError } = await t.invoke('f', { way }, { Qualifier: '1' });
    assert.equal(functionError, 'Unhandled');
    await untilProvisioned(t.client, 'f', '1');
    const next = await told(t, 'f', '1');
    assert.equal(next.type, 'provisioned-concurrency');
    assert.notEqual(next.id, last);
    last = next.id;
  }
  await waitFor('the one that timed out is gone', () => processesOf(t).length === 1);
  for (const pid of processesOf(t)) process.kill(pid, 'SIGKILL');
  await waitFor('another one answers', async () => {
    const next = await told(t, 'f', '1');
    return next.type === 'provisioned-concurrency' && next.id !== last;
  });
});

/** Those that have a function's code. */
function processesOf(t: TestHost): readonly number[] {
  const pids = processesUnder(t.dataDir).map((line) => Number(line.split(' ')[1]));
  return pids.filter((pid) => workingDirectory(pid).endsWith('/var/task'));
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''; // it has ended
    throw error;
  }
}

test('they come up with the host, and are there when it starts again', async () => {
  await using dir = await dataDirectory();
  {
    await using t = await startTestHost({ env: ENV, dataDir: dir.path });
    await t.deploy('f', TELLING, { Publish: true });
    await t.deploy('g', TELLING, { Publish: true });
    await alias(t.client, 'g', 'live', '1');
    await provision(t.client, 'f', '1', 2);
    await provision(t.client, 'g', 'live', 1);
    await untilProvisioned(t.client, 'f', '1');
  }
  await using t = await startTestHost({ env: ENV, dataDir: dir.path });
  await waitFor('all are initialised', async () => (await environments(t)).idle === 3);
  await untilProvisioned(t.client, 'f', '1');
  await untilProvisioned(t.client, 'g', 'live');
  assert.equal((await told(t, 'g', '1')).type, 'provisioned-concurrency');
  assert.equal((await told(t, 'f', '1')).type, 'provisioned-concurrency');
  assert.deepEqual(t.reports, []);
});

test('an alias takes them along when it moves, and shares them out by its weights', async () => {
  await using t = await startTestHost({ env: ENV });
  await t.deploy('f', TELLING, { Publish: true });
  await alias(t.client, 'f', 'live', '1');
  await provision(t.client, 'f', 'live', 4);
  await untilProvisioned(t.client, 'f', 'live');
  assert.equal((await told(t, 'f', 'live')).type, 'provisioned-concurrency');
  const ZipFile = await zipOf({ ...TELLING, 'more.txt': 'another version' });
  await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile, Publish: true }));
  await settled(t.client, 'f');
  const move = { FunctionName: 'f', Name: 'live', FunctionVersion: '2' };
  await t.client.send(new UpdateAliasCommand(move));
  await untilProvisioned(t.client, 'f', 'live');
  assert.equal((await told(t, 'f', '2')).type, 'provisioned-concurrency');
  assert.equal((await told(t, 'f', '1')).type, 'on-demand');
  const RoutingConfig = { AdditionalVersionWeights: { 1: 0.25 } };
  await t.client.send(new UpdateAliasCommand({ ...move, RoutingConfig }));
  await untilProvisioned(t.client, 'f', 'live');
  assert.equal((await told(t, 'f', '1')).type, 'provisioned-concurrency');
  await waitFor('four are kept', () => processesOf(t).length === 4 + 1);
  assert.deepEqual(t.reports, []);
});

test('fewer are ended, and all go with the config, the alias or the function', async () => {
  using stop = await startTurnstile();
  await using t = await startTestHost({ env: ENV });
  await t.deploy('f', stop.handler(), { Publish: true, Timeout: 60 });
  const count = (n: number) => waitFor(`${n} are left`, () => processesOf(t).length === n);
  await provision(t.client, 'f', '1', 3);
  await untilProvisioned(t.client, 'f', '1');
  await count(3);
  const call = t.invoke('f', 'done', { Qualifier: '1' });
  await waitFor('one is busy', () => stop.waiting === 1);
  await provision(t.client, 'f', '1', 1);
  await count(1);
  await unprovision(t.client, 'f', '1');
  await count(1);
  stop.open();
  assert.equal((await call).payload, 'done', 'it ends after what it has in hand');
  await count(0);
  await provision(t.client, 'f', '1', 2);
  await count(2);
  await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
  await count(0);
  assert.deepEqual(t.reports, []);
});

test('neither time nor the need of others ends them, but those that have grown old are replaced', async () => {
  const clock = createMovedClock();
  await using t = await startTestHost({
    clock,
    env: { LAMBKIN_POOL_MEMORY_BUDGET: '512MiB', LAMBKIN_POOL_IDLE_MS: '1000' },
  });
  await t.deploy('f', TELLING, { Publish: true });
  await provision(t.client, 'f', '1', 3);
  await untilProvisioned(t.client, 'f', '1');
  const ids = new Set<number>();
  for (const name of ['a', 'b', 'c']) {
    await t.deploy(name, TELLING);
    assert.equal((await told(t, name)).type, 'on-demand');
  }
  clock.advance(60 * 60 * 1000);
  await waitFor('the others are retired', async () => (await environments(t)).idle === 3);
  const before = (await told(t, 'f', '1')).id;
  assert.equal((await told(t, 'f', '1')).id, before);
  ids.add(before);
  clock.advance(4 * 60 * 60 * 1000);
  await waitFor('another one is there', async () => {
    const { id, type } = await told(t, 'f', '1');
    return type === 'provisioned-concurrency' && !ids.has(id);
  });
  await untilProvisioned(t.client, 'f', '1');
  assert.deepEqual(t.reports, []);
});

test('an init that fails is a failed config until it succeeds; one that takes long is on its way', async () => {
  using stop = await startTurnstile();
  using database = await startDatabase();
  await using t = await startTestHost({ env: ENV });
  const url = /fetch\('([^']*)'\)/.exec(stop.handler()['index.mjs'] ?? '')?.[1];
  const connects = `if (!(await fetch('${database.url}')).ok) throw new Error('not yet');`;
  const broken = { 'index.mjs': `${connects} ${TELLING['index.mjs']}` };
  await t.deploy('broken', broken, { Publish: true });
  await provision(t.client, 'broken', '1', 2);
  const failed = await untilProvisioned(t.client, 'broken', '1', 'FAILED');
  assert.equal(failed.StatusReason, 'FUNCTION_ERROR_INIT_FAILURE');
  assert.equal(failed.AllocatedProvisionedConcurrentExecutions, 0);
  assert.equal(failed.AvailableProvisionedConcurrentExecutions, 0);
  assert.equal(failed.RequestedProvisionedConcurrentExecutions, 2);
  database.isUp = true;
  await untilProvisioned(t.client, 'broken', '1');
  assert.equal((await told(t, 'broken', '1')).type, 'provisioned-concurrency');
  const slow = `await (await fetch('${url}')).text();`;
  await t.deploy('slow', { 'index.mjs': `${slow} ${TELLING['index.mjs']}` }, { Publish: true });
  const { Status } = await provision(t.client, 'slow', '1', 1);
  assert.equal(Status, 'IN_PROGRESS');
  await waitFor('its init runs', () => stop.waiting === 1);
  assert.equal(
    (await untilProvisioned(t.client, 'slow', '1', 'IN_PROGRESS')).StatusReason,
    undefined,
  );
  stop.open();
  await untilProvisioned(t.client, 'slow', '1');
  assert.equal((await told(t, 'slow', '1')).type, 'provisioned-concurrency');
});

/** Something that functions need in their init. */
async function startDatabase() {
  const server = createServer((_request, response) => {
    response.statusCode = database.isUp ? 200 : 503;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const database = {
    url: `http://127.0.0.1:${address.port}`,
    isUp: false,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  return database;
}

test('what does not fit into the memory of the host fails and says why; what is there stays', async () => {
  await using t = await startTestHost({ env: { LAMBKIN_POOL_MEMORY_BUDGET: '400MiB' } });
  for (const name of ['f', 'g']) await t.deploy(name, TELLING, { Publish: true });
  await provision(t.client, 'f', '1', 2);
  await untilProvisioned(t.client, 'f', '1');
  await provision(t.client, 'g', '1', 2);
  const { StatusReason } = await untilProvisioned(t.client, 'g', '1', 'FAILED');
  assert.equal(
    StatusReason,
    '2 environments of 128 MiB do not fit into the 400 MiB that this host has for environments beside 256 MiB that are provisioned already (pool.memoryBudget)',
  );
  await untilProvisioned(t.client, 'f', '1');
  assert.equal((await told(t, 'g', '1')).type, 'on-demand');
  await unprovision(t.client, 'f', '1');
  await untilProvisioned(t.client, 'g', '1');
  assert.equal((await told(t, 'g', '1')).type, 'provisioned-concurrency');
});

test('provisioned environments that fill the machine leave one place to all others', async () => {
  await using t = await startTestHost({ env: { LAMBKIN_POOL_MEMORY_BUDGET: '256MiB' } });
  for (const name of ['f', 'g', 'h']) await t.deploy(name, TELLING, { Publish: true });
  await provision(t.client, 'f', '1', 2);
  await untilProvisioned(t.client, 'f', '1');
  for (const name of ['g', 'h', 'g']) assert.equal((await told(t, name)).type, 'on-demand');
  await untilProvisioned(t.client, 'f', '1');
});
