// bench/run.ts as its users run it: what it lists, what it prints, what it leaves behind.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { processesUnder } from '../support/traces.ts';

const RUN = path.join(import.meta.dirname, '../../bench/run.ts');

/** A bench whose temporary folders are below one of its own, which must be empty in the end. */
async function startBench(args: readonly string[]) {
  const folder = await mkdtemp(path.join(tmpdir(), 'lambkin-test-bench-'));
  const child = spawn(process.execPath, [RUN, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'close');
  return {
    child,
    folder,
    finished: Promise.all([text(child.stdout), text(child.stderr), exit]),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function runBench(args: readonly string[]) {
  await using bench = await startBench(args);
  const [stdout, stderr] = await bench.finished;
  assert.deepEqual(await readdir(bench.folder), [], 'nothing is left in the temporary folder');
  assert.deepEqual(processesUnder(bench.folder), [], 'no process is left');
  return { stdout, stderr, code: bench.child.exitCode };
}

function stderrSays(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (pattern.test(said)) resolve();
    });
    child.on('exit', () => reject(new Error(`ended early: ${said}`)));
  });
}

test('bench lists its scenarios when none is given', async () => {
  const { stdout, code } = await runBench([]);
  assert.equal(code, 0);
  for (const name of [
    'warm-invoke',
    'cold-start',
    'api',
    'hostile',
    'soak',
    'micro/store',
    'micro/sigv4',
  ])
    assert.match(stdout, new RegExp(`^${name} +\\S`, 'm'));
});

test('bench names the scenarios when one is unknown, and refuses flags it does not know', async () => {
  const unknown = await runBench(['warm-invokes']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no scenario 'warm-invokes'[^]*cold-start/);
  const flag = await runBench(['cold-start', '--callers', '3']);
  assert.equal(flag.code, 2);
  assert.match(flag.stderr, /Unknown option '--callers'/);
  const rounds = await runBench(['cold-start', '--rounds', '0']);
  assert.equal(rounds.code, 2);
});

test('cold-start prints its figures as JSON and leaves nothing behind', async () => {
  const args = ['cold-start', '--rounds', '2', '--bundles', '1', '--bursts', '1', '--json'];
  const { stdout, stderr, code } = await runBench(args);
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.scenario, 'cold-start');
  assert.equal(result.machine.node, process.version);
  const [first, burst, bundle] = result.figures.tables;
  assert.equal(first.rows.length, 3);
  for (const row of [...first.rows, ...bundle.rows])
    assert.ok(row['p50 ms'].median > 0 && row['p99 ms'] >= row['p50 ms'].median, row.what);
  // A handler that takes its time gets an environment for every call, unless the machine is too busy to start them in time.
  const { environments } = burst.rows[1];
  assert.ok(environments.median > 2 && environments.median <= 20, `${environments.median}`);
});

test('api measures the same reads with few and with more functions', async () => {
  const args = ['api', '--functions', '1,60', '--versions', '2', '--rounds', '2', '--json'];
  const { stdout, stderr, code } = await runBench([...args, '--patience', '1']);
  assert.equal(code, 0, stderr);
  const [latency, memory, starts] = JSON.parse(stdout).figures.tables;
  assert.deepEqual(
    latency.rows.map((row: { functions: number }) => row.functions),
    [1, 1, 1, 60, 60, 60],
  );
  for (const row of latency.rows) assert.ok(row['µs'].median > 0, row.what);
  assert.equal(memory.rows.length, 2);
  assert.equal(starts.rows[0].starts, 5);
});

test('hostile counts who came through, and says where a case does not hold', async () => {
  const args = ['hostile', '--runs', '2', '--cases', '9,20', '--tiers', 'full,none', '--json'];
  const { stdout, stderr, code } = await runBench(args);
  assert.equal(code, 0, stderr);
  const [survived, impact] = JSON.parse(stdout).figures.tables;
  const counts = survived.rows.map((row: Record<string, string>) => [row['full'], row['none']]);
  assert.deepEqual(counts, [
    ['2', '2'],
    ['2', '–'],
    ['2', '2'],
  ]);
  for (const row of impact.rows) {
    assert.equal(row.failed, 0, stdout);
    assert.equal(row['left behind'], 'nothing');
    assert.ok(row['overshoot p99 ms'] > 0 && row['p99 ms'] >= row['p50 ms']);
  }
});

test('soak answers all who mean well, and leaves nothing', async () => {
  const args = ['soak', '--minutes', '0.1', '--rate', '20', '--percent', '20', '--json'];
  const { stdout, stderr, code } = await runBench(args);
  assert.equal(code, 0, stderr);
  const { tables, notes } = JSON.parse(stdout).figures;
  const [row] = tables[0].rows;
  assert.equal(row.calls, 120);
  assert.ok(row.attacks > 0 && row.attacks < 60, `${row.attacks} attacks`);
  assert.deepEqual([row.errors, row['neighbour errors']], [0, 0], notes.join('\n'));
  assert.deepEqual([row['host crashed'], row['left behind']], ['no', 'nothing']);
});

test('a bench that is told to end ends its host and removes its folder', async () => {
  await using bench = await startBench(['cold-start']);
  await stderrSays(bench.child, /in turns with a bare spawn/);
  assert.notDeepEqual(processesUnder(bench.folder), [], 'the host runs');
  bench.child.kill('SIGTERM');
  await bench.finished;
  assert.equal(bench.child.exitCode, 143);
  assert.deepEqual(await readdir(bench.folder), []);
  assert.deepEqual(processesUnder(bench.folder), []);
});
