// Functions that end, throw late, or never come up.
import assert from 'node:assert/strict';
import type { InvokeAnswer } from '../../support/test-host.ts';
import { exits, fails, type HostileCase } from '../case.ts';

const ERRORS = 'test/e2e/function-errors.test.ts';
const INIT = 'test/e2e/init-errors.test.ts';
const ENDED = 'Runtime exited with error:';

const typeOf = ({ payload }: InvokeAnswer) => (payload as { errorType: string }).errorType; // every error's form

export const ends: readonly HostileCase[] = [
  {
    number: 19,
    what: 'process.exit(0)',
    attack: 'process.exit(0);',
    check: exits('Runtime exited without providing a reason'),
    provenBy: ERRORS,
  },
  {
    number: 20,
    what: 'process.exit(7)',
    attack: 'process.exit(7);',
    check: exits(`${ENDED} exit status 7`),
    provenBy: ERRORS,
    everyTier: true,
  },
  {
    number: 21,
    what: 'process.abort()',
    attack: 'process.abort();',
    check: exits(`${ENDED} signal: aborted`),
    provenBy: ERRORS,
    everyTier: true,
  },
  {
    number: 22,
    what: 'SIGSEGV to itself',
    attack: "process.kill(process.pid, 'SIGSEGV'); for (;;);",
    settings: { Timeout: 10 },
    check: exits(`${ENDED} signal: segmentation fault`),
    provenBy: ERRORS,
    everyTier: true,
  },
  {
    number: 24,
    what: 'an error in a timer, after the answer',
    attack:
      "if (event.arms) setTimeout(() => { throw new Error('late'); }, 500); else await forever(); return 'armed';",
    settings: { Timeout: 10 },
    async check(run) {
      assert.equal((await run.attack({ arms: true })).payload, 'armed');
      const { errorMessage } = await fails('Error')(run);
      assert.equal(errorMessage, 'late');
    },
    provenBy: ERRORS,
  },
  {
    number: 25,
    what: 'a rejection that nobody handles',
    attack: "Promise.reject(new Error('nobody looks')); await forever();",
    settings: { Timeout: 10 },
    async check(run) {
      await fails('Runtime.UnhandledPromiseRejection')(run);
    },
    provenBy: ERRORS,
  },
  broken('no handler', 'export const other = 1;', 'Runtime.HandlerNotFound'),
  broken('a syntax error', 'export const handler = (', 'Runtime.UserCodeSyntaxError'),
  broken('an error at import', "throw new RangeError('early');", 'RangeError'),
  {
    ...broken('a loop at import', 'for (;;);', 'Sandbox.Timedout'),
    settings: { Timeout: 1 },
    provenBy: 'test/e2e/slow-init.test.ts',
  },
  ...[{ readme: 'no bootstrap' }, { bootstrap: '#!/bin/sh\nsleep 60\n' }].map(
    (files): HostileCase => ({
      ...broken('', '', 'Runtime.InvalidEntrypoint'),
      number: 43,
      what: 'bootstrap' in files ? 'a bootstrap that cannot be executed' : 'no bootstrap',
      files: { ...files },
      settings: { Runtime: 'provided.al2023' },
      provenBy: 'test/e2e/custom-runtime-failures.test.ts',
    }),
  ),
  {
    number: 45,
    what: 'an init that ends, fifty times',
    attack: '',
    files: { 'index.mjs': 'process.exit(1);' },
    isBroken: true,
    everyTier: true,
    async check(run) {
      const answers: InvokeAnswer[] = [];
      for (let i = 0; i < 10; i += 1)
        answers.push(...(await Promise.all(Array.from({ length: 5 }, () => run.attack()))));
      assert.deepEqual(new Set(answers.map(typeOf)), new Set(['Runtime.ExitError']));
      // An environment is started for a call, and once more in its invoke phase; none by itself.
      const inits = (await run.log()).filter((line) => line.startsWith('INIT_REPORT ')).length;
      assert.ok(inits <= 2 * answers.length, `${inits} inits for ${answers.length} calls`);
    },
  },
];

function broken(what: string, code: string, errorType: string): HostileCase {
  return {
    number: 42,
    what,
    attack: '',
    files: { 'index.mjs': code },
    isBroken: true,
    async check(run) {
      await fails(errorType)(run);
    },
    provenBy: INIT,
  };
}
