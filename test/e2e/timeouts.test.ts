// The deadline ends whatever the function does, with all its processes; the caller hears of it at once.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { runningProcesses } from '../../runtime/sandbox/process-tree.ts';
import { failure, result } from '../support/function-answers.ts';
import { commandLines } from '../support/machine.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

/** Sleeps that nobody else asks for, so that they can be told from others' in the list of processes. */
const CHILD_SLEEP = 86_311;
const DAEMON_SLEEP = 86_312;

const CODE = `import { execSync, spawn } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { openSync, readFileSync } from 'node:fs';
const ways = {
  loop: () => { for (;;); },
  wait: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  promise: () => new Promise(() => setInterval(() => {}, 1000)),
  microtasks: async () => { for (;;) await null; },
  finally: async () => { try { for (;;); } finally { for (;;); } },
  regex: () => /(a+)+$/.test('a'.repeat(60) + 'b'),
  pbkdf2: () => pbkdf2Sync('a', 'b', 1e8, 64, 'sha512'),
  fifo: () => { execSync('mkfifo /tmp/f'); return readFileSync(openSync('/tmp/f', 'r')); },
  child: () => execSync('sleep ${CHILD_SLEEP}'),
  signals: () => { for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {}); for (;;); },
  daemons: () => {
    for (let i = 0; i < 3; i += 1)
      spawn('/bin/sh', ['-c', '(setsid sh -c "trap : TERM; sleep ${DAEMON_SLEEP}; sleep ${DAEMON_SLEEP}" &) &'], { detached: true, stdio: 'ignore' }).unref();
    for (;;);
  },
  ok: () => 'ok',
};
console.log('static');
export const handler = async ({ way }) => await ways[way]();`;

const WAYS = [
  'loop',
  'wait',
  'promise',
  'microtasks',
  'finally',
  'regex',
  'pbkdf2',
  'fifo',
  'child',
  'signals',
  'daemons',
] as const;

suite('a function that does not end in time', { concurrency: 3 }, () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
    await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 1 });
    await t.deploy('neighbour', { 'index.mjs': 'export const handler = async () => 1;' });
  });
  after(() => t[Symbol.asyncDispose]());

  for (const way of WAYS)
    test(`${way}: is stopped, answered, and gone`, async () => {
      const begin = performance.now();
      const answer = failure(t, 'f', { way }, 'Sandbox.Timedout');
      assert.equal(await result(t, 'neighbour'), 1);
      const { errorMessage, log } = await answer;
      const elapsed = performance.now() - begin;
      assert.ok(elapsed >= 1000 && elapsed < 8000, `${elapsed} ms`);
      const id = /^START RequestId: (\S+)/m.exec(log)?.[1];
      assert.equal(errorMessage, `RequestId: ${id} Error: Task timed out after 1.00 seconds`);
      assert.match(
        log,
        new RegExp(
          `^END RequestId: ${id}\nREPORT RequestId: ${id}\tDuration: 1000\\.00 ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\t(Init Duration: [\\d.]+ ms\t)?Status: timeout\n$`,
          'm',
        ),
      );
      const sleeps = new Map<string, number>([
        ['child', CHILD_SLEEP],
        ['daemons', DAEMON_SLEEP],
      ]);
      await waitFor('its processes are gone', () =>
        commandLines().every((line) => !line.includes(`sleep ${sleeps.get(way)}`)),
      );
      assert.equal(await result(t, 'f', { way: 'ok' }), 'ok');
    });

  test('many at once are all answered, and none is left', async () => {
    const ended = Array.from({ length: 8 }, () =>
      failure(t, 'f', { way: 'loop' }, 'Sandbox.Timedout'),
    );
    await Promise.all(ended);
    assert.equal(await result(t, 'f', { way: 'ok' }), 'ok');
    await waitFor('no slot of it runs', () => {
      const busy = runningProcesses().filter(
        ({ pid, state }) => state === 'R' && pid !== process.pid,
      );
      return busy.every(({ pid }) => !commandLines([pid]).join().includes('/var/runtime/main.mjs'));
    });
  });
});
