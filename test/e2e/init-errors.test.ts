// Functions that cannot be loaded: the static code runs twice, both inits are reported, the caller learns why.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { exchange } from '../support/exchange.ts';
import { OWN_PATH, onlyOwn } from '../support/own-path.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

interface Case {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly handler?: string;
  readonly errorType: string;
  readonly message: RegExp;
}

const CALLBACKS =
  /^ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node\.js 24\. /;

const POSTED: readonly Case[] = [
  {
    what: 'a missing module',
    files: { 'index.cjs': 'require("absent"); exports.handler = async () => 1;' },
    errorType: 'Runtime.ImportModuleError',
    message: /^Error: Cannot find module 'absent'\nRequire stack:\n- \/var\/task\/index\.cjs/,
  },
  {
    what: 'a missing handler file',
    files: { 'other.mjs': 'export const handler = async () => 1;' },
    errorType: 'Runtime.ImportModuleError',
    message: /^Error: Cannot find module 'index'/,
  },
  {
    what: 'a missing handler',
    files: { 'index.mjs': 'export const other = async () => 1;' },
    errorType: 'Runtime.HandlerNotFound',
    message: /^index\.handler is undefined or not exported$/,
  },
  {
    what: 'a handler that is no function',
    files: { 'index.mjs': 'export const handler = 1;' },
    errorType: 'Runtime.HandlerNotFound',
    message: /^index\.handler is not a function$/,
  },
  {
    what: 'a syntax error',
    files: { 'index.mjs': 'export const handler = async ( => 1;' },
    errorType: 'Runtime.UserCodeSyntaxError',
    message: /^SyntaxError: /,
  },
  {
    what: 'a handler name without a dot',
    files: { 'index.mjs': 'export const handler = async () => 1;' },
    handler: 'index',
    errorType: 'Runtime.MalformedHandlerName',
    message: /^Bad handler$/,
  },
  {
    what: 'a handler with three parameters',
    files: {
      'index.mjs': 'export const handler = (event, context, callback) => callback(null, 1);',
    },
    errorType: 'Runtime.CallbackHandlerDeprecated',
    message: CALLBACKS,
  },
  {
    what: 'static code that throws',
    files: { 'index.mjs': 'console.log("static"); throw new RangeError("too early");' },
    errorType: 'RangeError',
    message: /^too early$/,
  },
  {
    what: 'static code that leaves a rejection',
    files: {
      'index.mjs': 'Promise.reject(new Error("lost")); export const handler = async () => 1;',
    },
    errorType: 'Runtime.UnhandledPromiseRejection',
    message: /^Error: lost$/,
  },
];

const REPORT_INIT =
  /^INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: (init|invoke)\tStatus: error\tError Type: (\S+)\n$/;

/** A runtime that came up has used tens of MB. */
const USED_MEMORY = /\tMax Memory Used: [1-9]\d+ MB\t/;

suite('a function that cannot be loaded', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  async function fail(name: string) {
    const answer = await exchange(t.client, { FunctionName: name, LogType: 'Tail' });
    assert.equal(answer.status, 200);
    assert.equal(answer.functionError, 'Unhandled');
    assert.equal(answer.headers['x-lambkin-error-kind'], 'unhandled');
    const id = answer.headers['x-amzn-requestid'] ?? '';
    const body = JSON.parse(answer.text) as {
      errorType: string;
      errorMessage: string;
      trace?: string[];
    }; // every error's form
    return { id, body, tail: answer.log.toString() };
  }

  async function linesOf(name: string): Promise<readonly string[]> {
    return await readLog(t, `/aws/lambda/${name}`);
  }

  POSTED.forEach(({ what, files, handler = 'index.handler', errorType, message }, index) => {
    test(`${what} is ${errorType}`, async () => {
      const name = `posted-${index}`;
      await t.deploy(name, files, { Handler: handler });
      const { id, body, tail } = await fail(name);
      assert.equal(body.errorType, errorType);
      assert.match(body.errorMessage, message);
      assert.ok(Array.isArray(body.trace));
      const recorded = /^(Runtime|Function)\./.test(errorType) ? errorType : 'Runtime.Unknown';
      const lines = await linesOf(name);
      assert.deepEqual(
        lines.flatMap((line) => {
          const [, phase, type] = REPORT_INIT.exec(line) ?? [];
          return phase === undefined ? [] : [[phase, type]];
        }),
        [
          ['init', recorded],
          ['invoke', recorded],
        ],
      );
      assert.equal(lines.filter((line) => line.startsWith('INIT_START ')).length, 1);
      assert.deepEqual(
        lines.slice(-3).map((line) => line.split(' ')[0]),
        ['START', 'END', 'REPORT'],
      );
      assert.ok(
        tail.startsWith(`START RequestId: ${id} Version: $LATEST\nEND RequestId: ${id}\nREPORT `),
      );
      assert.ok(tail.endsWith(`\tStatus: error\tError Type: ${recorded}\n`), tail);
      assert.equal(tail.includes('Init Duration'), false);
      assert.match(tail, USED_MEMORY);
    });
  });

  test('its static code runs twice for one invocation, and again for the next', async () => {
    const code = 'console.log("ran"); process.exit(4);';
    await t.deploy('exits', { 'index.mjs': code });
    const ran = async () =>
      (await linesOf('exits')).filter((line) => line.endsWith('\tran\n')).length;
    const { id, body, tail } = await fail('exits');
    assert.deepEqual(body, {
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${id} Error: Runtime exited with error: exit status 4`,
    });
    assert.match(tail, /\tStatus: error\tError Type: Runtime\.ExitError\n$/);
    assert.match(tail, USED_MEMORY);
    assert.equal(await ran(), 2);
    await fail('exits');
    assert.equal(await ran(), 4);
  });

  test('an init that works the second time serves the call, and its time is part of Duration', async () => {
    // Whether it is the first time is remembered outside: the function's own environment is new each time.
    const { createServer } = await import('node:http');
    let starts = 0;
    const memory = createServer(
      onlyOwn((_request, response) => response.end(String((starts += 1)))),
    );
    await new Promise<void>((resolve) => memory.listen(0, '127.0.0.1', resolve));
    try {
      const address = memory.address();
      assert.ok(typeof address === 'object' && address !== null);
      const code = `const n = Number(await (await fetch('http://127.0.0.1:${address.port}${OWN_PATH}')).text());
        if (n === 1) throw new Error('the first time');
        const end = performance.now() + 60; while (performance.now() < end);
        export const handler = async () => n;`;
      await t.deploy('second', { 'index.mjs': code });
      const answer = await t.invoke('second');
      assert.equal(answer.payload, 2);
      const duration = Number(/\tDuration: ([\d.]+) ms/.exec(answer.log)?.[1]);
      assert.ok(duration >= 60, answer.log);
      assert.equal(answer.log.includes('Init Duration'), false);
      assert.equal((await t.invoke('second')).payload, 2, 'that environment stays');
    } finally {
      memory.closeAllConnections();
      memory.close();
    }
  });
});
