// MemorySize holds for all of a function's memory, whoever allocates it, and for nobody else's.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { failure, result } from '../support/function-answers.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CODE = `import { spawnSync } from 'node:child_process';
const MIB = 2 ** 20;
const kept = [];
let invocations = 0;
const ways = {
  buffers: () => { for (;;) kept.push(Buffer.alloc(4 * MIB, 1)); },
  numbers: () => { for (;;) kept.push(Math.random()); },
  objects: () => { const all = new Map(); for (let i = 0; ; i += 1) all.set('key ' + i, { i, text: 'value ' + i }); },
  array: () => { for (;;) kept.push(new Array(2 ** 24).fill(0.5)); },
  shared: ({ mib }) => { const all = new Uint8Array(new SharedArrayBuffer(mib * MIB)); all.fill(1); kept.push(all); for (;;); },
  child: ({ mib }) => spawnSync(process.execPath, ['-e', 'const a = []; for (let i = 0; i < ' + mib / 4 + '; i++) a.push(Buffer.alloc(4194304, 1)); setInterval(() => a, 1000)']).signal,
  untouched: ({ mib }) => { kept.push(Buffer.allocUnsafeSlow(mib * MIB)); return kept.at(-1).length / MIB; },
  leak: ({ mib }) => { kept.push(Buffer.alloc(mib * MIB, 1)); return kept.length; },
  ok: () => 'ok',
};
export const handler = async (event) => { invocations += 1; return ways[event.way](event) ?? invocations; };`;

suite('a function that takes more than MemorySize', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
    await Promise.all([
      t.deploy('small', { 'index.mjs': CODE }, { MemorySize: 128, Timeout: 30 }),
      t.deploy('medium', { 'index.mjs': CODE }, { MemorySize: 256, Timeout: 30 }),
      t.deploy('neighbour', {
        'index.mjs': 'let n = 0; export const handler = async () => { n += 1; return n; };',
      }),
    ]);
    assert.equal(await result(t, 'neighbour'), 1);
  });
  after(() => t[Symbol.asyncDispose]());

  const cases = [
    ['small', { way: 'buffers' }],
    ['small', { way: 'numbers' }],
    ['small', { way: 'objects' }],
    ['medium', { way: 'buffers' }],
    ['medium', { way: 'objects' }],
    ['medium', { way: 'array' }],
    ['medium', { way: 'shared', mib: 400 }],
    ['medium', { way: 'child', mib: 480 }],
  ] as const;
  for (const [name, event] of cases)
    test(`${event.way} in ${name}: Runtime.OutOfMemory, and the next invocation works`, async () => {
      const { errorMessage, log } = await failure(t, name, event, 'Runtime.OutOfMemory');
      const id =
        /START RequestId: (\S+)/.exec(log)?.[1] ?? /RequestId: (\S+)/.exec(errorMessage)?.[1];
      assert.equal(
        errorMessage,
        `RequestId: ${id} Error: Runtime exited with error: signal: killed`,
      );
      assert.match(log, /\tStatus: error\tError Type: Runtime\.OutOfMemory\n$/);
      assert.equal(await result(t, name, { way: 'ok' }), 'ok');
    });

  test('only touched memory counts', async () => {
    assert.equal(await result(t, 'medium', { way: 'untouched', mib: 512 }), 512);
  });

  test('what is kept from one invocation to the next counts too', async () => {
    await t.deploy('leaky', { 'index.mjs': CODE }, { MemorySize: 128, Timeout: 10 });
    const used: number[] = [];
    let held = 0;
    for (let i = 0; i < 40; i += 1) {
      const { functionError, payload, log } = await t.invoke('leaky', { way: 'leak', mib: 8 });
      used.push(Number(/Max Memory Used: (\d+) MB/.exec(log)?.[1]));
      if (functionError !== undefined) {
        assert.equal((payload as { errorType: string }).errorType, 'Runtime.OutOfMemory');
        break;
      }
      held = Number(payload);
    }
    // 128 MiB less what Node itself takes, in steps of 8; the poll may see it an invocation late.
    assert.ok(held >= 7 && held <= 20, `${held} invocations of 8 MiB each fitted`);
    assert.deepEqual(
      used,
      used.toSorted((a, b) => a - b),
    );
    assert.ok(used.every((mb) => mb <= 128));
    assert.equal(await result(t, 'leaky', { way: 'leak', mib: 8 }), 1);
  });

  test('the neighbour has not even noticed', async () => {
    assert.equal(await result(t, 'neighbour'), 2);
    assert.deepEqual(t.reports, []);
  });
});
