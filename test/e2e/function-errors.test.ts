// Every way in which a function can fail, as its caller sees it: type, text, kind; and the next invocation works.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../support/exchange.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CODE = `const big = 'x';
const ways = {
  throws: () => { throw new TypeError('thrown'); },
  throwsText: () => { throw 'a text'; },
  throwsNull: () => { throw null; },
  rejects: async () => { throw new RangeError('rejected'); },
  custom: () => { class Mine extends Error { name = 'Mine'; } throw new Mine('own'); },
  unhandled: () => { Promise.reject(new Error('nobody looks')); return new Promise(() => setTimeout(() => {}, 10_000)); },
  timer: () => new Promise(() => { setTimeout(() => { throw new EvalError('in a timer'); }, 1); setTimeout(() => {}, 10_000); }),
  exit0: () => process.exit(0),
  exit7: () => process.exit(7),
  exit200: () => process.exit(200),
  abort: () => process.abort(),
  segv: () => { process.kill(process.pid, 'SIGSEGV'); for (;;); },
  term: () => { process.kill(process.pid, 'SIGKILL'); for (;;); },
  never: () => new Promise(() => {}),
  bigint: () => 1n,
  cycle: () => { const a = {}; a.a = a; return a; },
  ok: () => 'ok',
};
export const handler = async ({ way }) => await ways[way]();
export const later = async ({ arm }) => {
  if (arm) setTimeout(() => { throw new Error('from before'); }, 500);
  return 'armed';
};`;

interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** What the caller of each way sees; the id stands for the request's. */
const HANDLED: readonly (readonly [way: string, errorType: string, errorMessage: string])[] = [
  ['throws', 'TypeError', 'thrown'],
  ['throwsText', 'string', 'a text'],
  ['throwsNull', 'object', 'null'],
  ['rejects', 'RangeError', 'rejected'],
  ['custom', 'Mine', 'own'],
  ['unhandled', 'Runtime.UnhandledPromiseRejection', 'Error: nobody looks'],
  ['timer', 'EvalError', 'in a timer'],
  ['bigint', 'Runtime.JSONStringifyError', 'Unable to stringify response body'],
  ['cycle', 'Runtime.JSONStringifyError', 'Unable to stringify response body'],
];

const ENDED = 'Runtime exited with error:';
const UNHANDLED: readonly (readonly [way: string, text: string])[] = [
  ['exit0', 'Runtime exited without providing a reason'],
  ['exit7', `${ENDED} exit status 7`],
  ['exit200', `${ENDED} exit status 200`],
  ['abort', `${ENDED} signal: aborted`],
  ['segv', `${ENDED} signal: segmentation fault`],
  ['term', `${ENDED} signal: killed`],
  ['never', `${ENDED} exit status 13`],
];

suite('a function that fails', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
    await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 30 });
    await t.deploy('later', { 'index.mjs': CODE }, { Handler: 'index.later' });
  });
  after(() => t[Symbol.asyncDispose]());

  async function fail(name: string, event: object) {
    const Payload = JSON.stringify(event);
    const answer = await exchange(t.client, { FunctionName: name, Payload, LogType: 'Tail' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-amz-function-error'], 'Unhandled');
    assert.equal(answer.headers['x-amz-executed-version'], '$LATEST');
    assert.equal(answer.headers['content-type'], 'application/json');
    return {
      id: answer.headers['x-amzn-requestid'] ?? '',
      kind: answer.headers['x-lambkin-error-kind'],
      body: JSON.parse(answer.text) as Failure, // the form of every error
      keys: Object.keys(JSON.parse(answer.text) as object),
      log: answer.log.toString(),
    };
  }

  async function works(): Promise<void> {
    const answer = await t.invoke('f', { way: 'ok' });
    assert.equal(answer.text, '"ok"');
    assert.equal(answer.functionError, undefined);
  }

  for (const [way, errorType, errorMessage] of HANDLED)
    test(`${way} is ${errorType}, reported by the function`, async () => {
      const { kind, body, keys, log, id } = await fail('f', { way });
      assert.equal(kind, 'handled');
      assert.deepEqual(keys, ['errorType', 'errorMessage', 'trace']);
      assert.equal(body.errorType, errorType);
      assert.equal(body.errorMessage, errorMessage);
      assert.match(log, new RegExp(`\t${id}\tERROR\t`));
      const reported = errorType.startsWith('Runtime.');
      assert.match(
        log,
        reported ? new RegExp(`\tStatus: error\tError Type: ${errorType}\n$`) : /\t\n$/,
      );
      await works();
    });

  for (const [way, text] of UNHANDLED)
    test(`${way} is Runtime.ExitError, found by the platform`, async () => {
      const { kind, body, id, log } = await fail('f', { way });
      assert.equal(kind, 'unhandled');
      assert.deepEqual(body, {
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${id} Error: ${text}`,
      });
      assert.match(log, /\tStatus: error\tError Type: Runtime\.ExitError\n$/);
      assert.equal(log.split('\n').filter((line) => line.startsWith('REPORT ')).length, 1);
      assert.equal(log.split('\n').filter((line) => line.startsWith('END ')).length, 1);
      await works();
    });

  test('a promise that never settles says so in the log', async () => {
    const { log, id } = await fail('f', { way: 'never' });
    assert.match(log, new RegExp(`\\t${id}\\tERROR\\tInvoke Error \\t.*"Runtime.NodeJsExit"`));
    assert.match(log, /a Promise that was never settled/);
  });

  test('what a timer throws after the answer fails the next invocation', async () => {
    assert.equal((await t.invoke('later', { arm: true })).text, '"armed"');
    // Due by the next invocation; until then nothing runs.
    await sleep(600);
    const { kind, body } = await fail('later', {});
    assert.equal(kind, 'handled');
    assert.equal(body.errorType, 'Error');
    assert.equal(body.errorMessage, 'from before');
    assert.equal((await t.invoke('later')).text, '"armed"');
  });

  test('an error that the function reported leaves its environment as it is', async () => {
    const stream = async () => (await t.invoke('f', { way: 'throws' })).log.split('\t')[1];
    const counted = `let n = 0; export const handler = async () => { n += 1; throw new Error(String(n)); };`;
    await t.deploy('counts', { 'index.mjs': counted });
    const message = async () => ((await t.invoke('counts')).payload as Failure).errorMessage;
    assert.deepEqual([await message(), await message(), await message()], ['1', '2', '3']);
    assert.ok((await stream()) !== undefined);
  });
});
