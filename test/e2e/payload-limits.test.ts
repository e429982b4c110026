// Payloads at their limits, and bodies that are no JSON: refused before anything runs, or carried whole.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { exchange } from '../support/exchange.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const MAX_REQUEST = 6_291_456;
const MAX_RESPONSE = 6_291_556;
const NOT_JSON = /^Could not parse request body into json: Could not parse payload into json: \S.+/;

const CODE = `let n = 0;
export const handler = async ({ chars, text = '' }) => {
  n += 1;
  if (chars !== undefined) return 'x'.repeat(chars);
  return { n, length: text.length };
};
export const fails = async () => { throw new Error('x'.repeat(7_000_000)); };`;

interface Counted {
  readonly n: number;
  readonly length: number;
}

suite('a payload', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
    await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 30, MemorySize: 256 });
    await t.deploy('fails', { 'index.mjs': CODE }, { Handler: 'index.fails', MemorySize: 256 });
  });
  after(() => t[Symbol.asyncDispose]());

  const invoke = (Payload: string | Uint8Array) =>
    exchange(t.client, { FunctionName: 'f', Payload });
  const counted = async (Payload: string | Uint8Array = '{}') =>
    JSON.parse((await invoke(Payload)).text) as Counted; // what the fixture above returns

  test('of 6,291,456 bytes goes in', async () => {
    const text = 'y'.repeat(MAX_REQUEST - '{"text":""}'.length);
    const { length } = await counted(`{"text":"${text}"}`);
    assert.equal(length, text.length);
  });

  test('of one byte more is refused with 413', async () => {
    const text = 'y'.repeat(MAX_REQUEST + 1 - '{"text":""}'.length);
    await assert.rejects(
      invoke(`{"text":"${text}"}`),
      (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
        assert.equal(error.name, 'RequestEntityTooLargeException');
        assert.equal(error.$metadata?.httpStatusCode, 413);
        assert.equal(
          error.message,
          'Request must be smaller than 6291456 bytes for the InvokeFunction operation',
        );
        return true;
      },
    );
    assert.equal((await counted()).length, 0);
  });

  test('of 6,291,556 bytes comes out', async () => {
    const answer = await invoke(JSON.stringify({ chars: MAX_RESPONSE - 2 }));
    assert.equal(answer.functionError, undefined);
    assert.equal(answer.payload.length, MAX_RESPONSE);
    assert.ok(answer.payload.equals(Buffer.from(`"${'x'.repeat(MAX_RESPONSE - 2)}"`)));
  });

  for (const chars of [MAX_RESPONSE - 1, 20_000_000])
    test(`of ${chars + 2} bytes does not come out, and the environment lives on`, async () => {
      const { n } = await counted();
      const answer = await invoke(JSON.stringify({ chars }));
      assert.equal(answer.functionError, 'Unhandled');
      assert.equal(answer.headers['x-lambkin-error-kind'], 'unhandled');
      assert.equal(
        answer.text,
        '{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}',
      );
      assert.equal((await counted()).n, n + 2);
    });

  test('of an error may not be larger either', async () => {
    const answer = await exchange(t.client, { FunctionName: 'fails' });
    assert.match(answer.text, /"errorType":"Function.ResponseSizeTooLarge"/);
  });

  const long = (end: string) => `{"text":"${'z'.repeat(8000)}"${end}`;
  for (const [what, body] of [
    ['is cut off', '{"a":'],
    ['is a bare word', 'foo'],
    ['has two values', '{} {}'],
    ['is blank', '   '],
    ['is large and cut off', long('')],
    ['is large and has a trailing comma', long(',}')],
    ['has invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    [
      'is large and has invalid UTF-8',
      Buffer.concat([Buffer.from('"'), Buffer.alloc(8000, 0x99), Buffer.from('"')]),
    ],
  ] as const)
    test(`that ${what} is refused with 400 and runs nothing`, async () => {
      const { n } = await counted();
      await assert.rejects(
        invoke(body),
        (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
          assert.equal(error.name, 'InvalidRequestContentException');
          assert.equal(error.$metadata?.httpStatusCode, 400);
          assert.match(error.message, NOT_JSON);
          return true;
        },
      );
      assert.equal((await counted()).n, n + 1);
    });

  test('that is refused by the runtime leaves no line in the log, since nothing ran', async () => {
    const lines = async () => (await readLog(t, '/aws/lambda/f')).length;
    await counted();
    const before = await lines();
    await assert.rejects(invoke(long('')));
    assert.equal(await lines(), before);
    await counted(long('}'));
    assert.equal(await lines(), before + 3, 'START, END and REPORT of one that is JSON');
  });
});
