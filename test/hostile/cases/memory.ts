// Functions that take more memory than MemorySize. All of them stop by themselves far below what a machine has.
import assert from 'node:assert/strict';
import { type CaseRun, type HostileCase, returns, runsOutOfMemory } from '../case.ts';

/** Without a control group, the space that a process may ask for ends at MemorySize and 640 MB. */
const SPACE = 'more than MemorySize and 640 MB cannot be had, touched or not';

const small = { MemorySize: 128, Timeout: 30 };
const medium = { MemorySize: 256, Timeout: 30 };
/** So many numbers are some 800 MB. */
const MANY = 100_000_000;

/** Where space is limited as well, the function may be refused it before it takes the memory. */
async function runsOutOfMemoryOrSpace(run: CaseRun): Promise<void> {
  if (run.tier === 'full' || run.tier === 'partial-uid') return await runsOutOfMemory(run);
  const { functionError, payload } = await run.attack();
  assert.equal(functionError, 'Unhandled');
  const { errorType } = payload as { errorType: string }; // every error's form
  assert.match(errorType, /^(RangeError|Runtime\.OutOfMemory)$/);
}

export const memory: readonly HostileCase[] = [
  {
    number: 11,
    what: 'an array of numbers that grows',
    attack: `for (let i = 0; i < ${MANY}; i += 1) kept.push(Math.random()); await forever();`,
    settings: small,
    check: runsOutOfMemory,
  },
  {
    number: 12,
    what: 'a Map that grows',
    attack: `const all = new Map(); for (let i = 0; i < ${MANY / 10}; i += 1) all.set('key ' + i, { i, text: 'value ' + i }); await forever();`,
    settings: medium,
    check: runsOutOfMemory,
  },
  {
    number: 12,
    what: 'an object that gets more and more keys',
    attack: `const all = {}; for (let i = 0; i < ${MANY / 10}; i += 1) all['key ' + i] = { i, text: 'value ' + i }; await forever();`,
    settings: small,
    check: runsOutOfMemory,
  },
  {
    number: 13,
    what: 'huge arrays, filled at once',
    attack:
      'for (let i = 0; i < 8; i += 1) kept.push(new Array(2 ** 24).fill(0.5)); await forever();',
    settings: medium,
    check: runsOutOfMemory,
  },
  {
    number: 14,
    what: 'buffers of twice MemorySize, touched',
    attack:
      'for (let i = 0; i < 128; i += 1) kept.push(Buffer.alloc(4 * MIB, 1)); await forever();',
    settings: medium,
    check: runsOutOfMemory,
    everyTier: true,
  },
  {
    number: 15,
    what: 'buffers of twice MemorySize, untouched',
    attack: 'kept.push(Buffer.allocUnsafeSlow(512 * MIB)); return kept[0].length / MIB;',
    settings: medium,
    check: returns((payload) => assert.equal(payload, 512)),
    instead: { partial: SPACE, none: SPACE },
  },
  {
    number: 16,
    what: 'shared memory of twice MemorySize, touched',
    attack: 'const all = new Uint8Array(new SharedArrayBuffer(512 * MIB)); all.fill(1); for (;;);',
    settings: medium,
    check: runsOutOfMemoryOrSpace,
  },
  {
    number: 16,
    what: 'memory of WebAssembly of twice MemorySize, touched',
    attack:
      'const memory = new WebAssembly.Memory({ initial: 8192 }); new Uint8Array(memory.buffer).fill(1); for (;;);',
    settings: medium,
    check: runsOutOfMemoryOrSpace,
  },
  {
    number: 17,
    what: 'a child process that takes twice MemorySize',
    attack: `return spawnSync(process.execPath, ['-e', 'const all = []; for (let i = 0; i < 128; i += 1) all.push(Buffer.alloc(4194304, 1)); setInterval(() => all, 1000)']).signal;`,
    settings: medium,
    check: runsOutOfMemory,
    everyTier: true,
  },
  {
    number: 18,
    what: 'a leak from invocation to invocation',
    attack: 'kept.push(Buffer.alloc(8 * MIB, 1)); return kept.length;',
    settings: { MemorySize: 128, Timeout: 10 },
    async check(run) {
      const used: number[] = [];
      let held = 0;
      for (let i = 0; i < 40; i += 1) {
        const { functionError, payload, log } = await run.attack();
        used.push(Number(/Max Memory Used: (\d+) MB/.exec(log)?.[1]));
        if (functionError !== undefined) {
          assert.equal((payload as { errorType: string }).errorType, 'Runtime.OutOfMemory'); // every error's form
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
      assert.equal((await run.attack()).payload, 1, 'a new environment has none of it');
    },
  },
];
