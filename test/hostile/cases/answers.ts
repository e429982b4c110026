// Functions whose output or result is too much, or is none.
import assert from 'node:assert/strict';
import { fails, type HostileCase, returns, timesOut } from '../case.ts';

const RESULTS = 'test/bootstrap/results.test.ts';

async function isNoJson(run: Parameters<HostileCase['check']>[0]): Promise<void> {
  await fails('Runtime.JSONStringifyError')(run);
}

export const answers: readonly HostileCase[] = [
  {
    number: 36,
    what: 'a result one byte too large',
    attack: "return 'x'.repeat(6_291_555);",
    settings: { MemorySize: 256 },
    async check(run) {
      const { errorMessage } = await fails('Function.ResponseSizeTooLarge')(run);
      assert.match(errorMessage, /maximum allowed payload size \(6291556 bytes\)\.$/);
    },
    provenBy: 'test/e2e/payload-limits.test.ts',
  },
  {
    number: 37,
    what: 'output without end',
    attack: "const line = 'x'.repeat(199); for (;;) console.log(line);",
    settings: { Timeout: 2, MemorySize: 256 },
    check: timesOut,
    provenBy: 'test/e2e/log-gigabyte.test.ts',
  },
  {
    number: 38,
    what: 'a line of 10 MB, then bytes that are no text',
    attack:
      "process.stdout.write('y'.repeat(10 * MIB)); process.stdout.write(Buffer.from([0xff, 0xfe, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0a])); return 'said';",
    settings: { Timeout: 20, MemorySize: 256 },
    check: returns((payload) => assert.equal(payload, 'said')),
    provenBy: 'test/e2e/log-flood.test.ts',
  },
  { number: 39, what: 'a BigInt', attack: 'return 1n;', check: isNoJson, provenBy: RESULTS },
  {
    number: 39,
    what: 'a cycle',
    attack: 'const all = {}; all.all = all; return all;',
    check: isNoJson,
    provenBy: RESULTS,
  },
  {
    number: 39,
    what: 'undefined, or a function',
    attack: 'return event.isFunction ? () => 1 : undefined;',
    async check(run) {
      assert.equal((await run.attack()).text, 'null');
      // JSON has nothing for it, and neither has the body.
      assert.equal((await run.attack({ isFunction: true })).text, '');
    },
    provenBy: RESULTS,
  },
  {
    number: 41,
    what: 'built-ins replaced by broken ones',
    attack: `const broken = () => { throw new Error('patched'); };
      for (const [owner, name] of [[JSON, 'stringify'], [JSON, 'parse'], [Promise.prototype, 'then'], [Promise, 'resolve'], [Object.prototype, 'toJSON'], [globalThis, 'fetch'], [globalThis, 'setImmediate'], [fs, 'readSync'], [fs, 'writeSync'], [Function.prototype, 'call'], [Uint8Array.prototype, 'set']]) owner[name] = broken;
      return 'patched';`,
    async check(run) {
      // Its own results may be wrong; they come, are reported, and the next environment has none of it.
      for (let i = 0; i < 3; i += 1) assert.match((await run.attack()).log, /\nREPORT RequestId: /);
    },
  },
];
