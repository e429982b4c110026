// Between invocations nothing of the function runs: timers wait for the next one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

const CODE = `let fired = 0;
let firedAt = 0;
let beats = 0;
setInterval(() => { beats += 1; }, 10);
export const handler = async ({ arm, wait }) => {
  const now = Date.now();
  const seen = { beats, fired: fired, sinceFired: fired === 0 ? 0 : now - firedAt };
  if (arm) setTimeout(() => { fired += 1; firedAt = Date.now(); }, 20);
  if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
  return { ...seen, later: fired };
};`;

interface Seen {
  readonly beats: number;
  readonly fired: number;
  readonly later: number;
}

test('a timer does not fire between invocations; it fires in the next', async () => {
  await using t = await startTestHost();
  await t.deploy('f', { 'index.mjs': CODE });
  const invoke = async (event: object) => (await result(t, 'f', event)) as Seen; // as the fixture returns
  const first = await invoke({ arm: true });
  // The one place where time itself is the subject: 300 ms in which 30 beats would have been counted.
  await sleep(300);
  const second = await invoke({ wait: 30 });
  assert.ok(second.beats - first.beats <= 3, `${second.beats - first.beats} beats while frozen`);
  assert.equal(second.fired, 0);
  assert.equal(second.later, 1);
});

/** Each of them counts in what outlives its process: a file, or shared memory. */
const WORKERS = `import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
const FILE = process.env.TMPDIR ? process.env.TMPDIR + '/beats' : '/tmp/beats';
const shared = new Int32Array(new SharedArrayBuffer(4));
const ways = {
  child: {
    start: () => {
      writeFileSync(FILE, '');
      spawn('/bin/sh', ['-c', 'while :; do printf x >> "$1"; sleep 0.01; done', 'sh', FILE], { stdio: 'ignore' });
    },
    beats: () => readFileSync(FILE).length,
  },
  thread: {
    start: () => new Worker('const { workerData } = require("node:worker_threads"); setInterval(() => Atomics.add(workerData, 0, 1), 10)', { eval: true, workerData: shared }),
    beats: () => Atomics.load(shared, 0),
  },
};
const until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5)); };
export const handler = async ({ way, start }) => {
  if (way === undefined) return;
  const { beats } = ways[way];
  if (start) ways[way].start();
  const before = start ? 0 : beats();
  await until(() => beats() > before);
  return { before, after: beats() };
};`;

for (const way of ['child', 'thread'])
  test(`a ${way} that was left behind stands still between invocations, and goes on in the next`, async () => {
    await using t = await startTestHost();
    await t.deploy('f', { 'index.mjs': WORKERS }, { Timeout: 30 });
    // It has been seen without any, which is not to be believed for ever.
    await result(t, 'f', {});
    await sleep(200);
    const invoke = async (event: object) =>
      (await result(t, 'f', { way, ...event })) as { before: number; after: number }; // as the fixture returns
    const first = await invoke({ start: true });
    // Again time itself is the subject: a second has room for up to a hundred beats; it is stopped after a tenth of one.
    await sleep(1_000);
    const second = await invoke({});
    assert.ok(second.before - first.after <= 20, `${second.before - first.after} beats in between`);
    assert.ok(second.after > second.before);
  });
