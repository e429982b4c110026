// A function that prints without end harms nobody: the host's memory stays bounded, its neighbour answers, its log says what is missing.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { failure, result } from '../support/function-answers.ts';
import { residentMib } from '../support/machine.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CODE = `import { spawnSync } from 'node:child_process';
const MIB = 2 ** 20;
const line = 'x'.repeat(99) + '\\n';
const ways = {
  console: () => { for (let i = 0; ; i += 1) console.log(i, 'and some more text'); },
  stdout: () => { for (;;) process.stdout.write(line.repeat(1000)); },
  oneLine: ({ mib }) => { for (let i = 0; i < mib; i += 1) process.stdout.write('y'.repeat(MIB)); },
  bytes: () => { for (;;) process.stdout.write('z'); },
  empty: () => { for (;;) process.stdout.write('\\n'.repeat(10_000)); },
  child: () => spawnSync('/usr/bin/yes', ['from a child'], { stdio: 'inherit' }),
  binary: () => { process.stdout.write(Buffer.from([0xff, 0xfe, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0a])); },
  thenThrows: () => { process.stdout.write(line.repeat(80_000)); setTimeout(() => { throw new Error('last word'); }); return new Promise(() => {}); },
  long: ({ mib }) => console.log('w'.repeat(mib * MIB)),
};
export const handler = async (event) => { await ways[event.way](event); return 'done'; };`;

suite('a function that prints without end', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost({ env: { LAMBKIN_LOGS_MAX_BYTES_PER_GROUP: '4MiB' } });
    await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 2, MemorySize: 256 });
    await t.deploy('neighbour', { 'index.mjs': 'export const handler = async () => 1;' });
    await result(t, 'neighbour');
  });
  after(() => t[Symbol.asyncDispose]());

  async function neighbourWaits(until: Promise<unknown>): Promise<readonly number[]> {
    let isOver = false;
    const over = until.finally(() => {
      isOver = true;
    });
    const waits: number[] = [];
    while (!isOver) {
      const begin = performance.now();
      assert.equal(await result(t, 'neighbour'), 1);
      waits.push(performance.now() - begin);
    }
    await over;
    return waits.toSorted((a, b) => a - b);
  }

  for (const way of ['console', 'stdout', 'bytes', 'empty', 'child'])
    test(`by ${way}: times out like any other, and the neighbour is served`, async () => {
      const before = residentMib(process.pid);
      const ended = failure(t, 'f', { way }, 'Sandbox.Timedout');
      const waits = await neighbourWaits(ended);
      const median = waits[waits.length >> 1] ?? Number.POSITIVE_INFINITY;
      assert.ok(median < 300, `the neighbour waited ${median} ms in the median`);
      const { log } = await ended;
      assert.match(log, /\nREPORT .*\tStatus: timeout\n$/);
      const grown = residentMib(process.pid) - before;
      assert.ok(grown < 200, `the host has grown by ${grown} MiB`);
    });

  test('its log is bounded and has a notice where events are missing', async () => {
    const lines = await readLog(t, '/aws/lambda/f');
    const size = lines.reduce((sum, line) => sum + line.length, 0);
    assert.ok(size > 100_000 && size < 4.5 * 2 ** 20, `${size} characters`);
  });

  test('a line without an end is cut into events of at most 256 KiB', async () => {
    assert.equal(await result(t, 'f', { way: 'oneLine', mib: 2 }), 'done');
    const lines = (await readLog(t, '/aws/lambda/f')).filter((line) => line.startsWith('yyy'));
    assert.equal(
      lines.reduce((sum, line) => sum + line.trimEnd().length, 0),
      2 * 2 ** 20,
    );
    assert.ok(lines.every((line) => line.length <= 262_145));
  });

  test('a console message of several MiB is one answer and several events', async () => {
    for (const mib of [3, 8]) {
      const answer = await t.invoke('f', { way: 'long', mib });
      assert.equal(answer.payload, 'done');
      assert.equal(answer.log.length, 4096);
    }
  });

  test('what it says at its very end is not lost behind the flood', async () => {
    const { errorMessage, log } = await failure(t, 'f', { way: 'thenThrows' }, 'Error');
    assert.equal(errorMessage, 'last word');
    assert.match(
      log,
      /\tERROR\tUncaught Exception \t\{"errorType":"Error","errorMessage":"last word"/,
    );
  });

  test('bytes that are no text do not break the log', async () => {
    const answer = await t.invoke('f', { way: 'binary' });
    assert.equal(answer.log.split('\n')[1], '\ufffd\ufffd\u001b[31m');
  });
});
