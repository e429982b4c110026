// A function that meddles with the runtime's own socket and descriptors hurts itself and nobody else.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const CODE = `import { closeSync, writeSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
const frame = (kind, body) => {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.writeUInt32LE(1 + body.length);
  bytes.write(kind, 4, 'latin1');
  body.copy(bytes, 5);
  return bytes;
};
const answer = (id, text) => frame('O', Buffer.concat([Buffer.from(id), Buffer.alloc(8), Buffer.from(text)]));
// Its first bytes announce a frame of gigabytes, of which enough comes for the host to look at it.
const garbage = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7919) % 251));
const forever = () => new Promise(() => setTimeout(() => {}, 60_000));
const ways = {
  garbage: () => { writeSync(3, garbage); return forever(); },
  unknownKind: () => { writeSync(3, frame('Z', garbage)); return forever(); },
  emptyFrame: () => { writeSync(3, Buffer.alloc(4)); return forever(); },
  foreignAnswer: () => { writeSync(3, answer('01234567-89ab-cdef-0123-456789abcdef', '"stolen"')); return forever(); },
  shortAnswer: () => { writeSync(3, frame('O', Buffer.from('x'))); return forever(); },
  readyAgain: () => { writeSync(3, frame('R', Buffer.alloc(4))); return forever(); },
  brokenLog: () => { writeSync(3, frame('L', Buffer.alloc(3))); return forever(); },
  brokenError: (event, { awsRequestId }) => { writeSync(3, frame('E', Buffer.concat([Buffer.from(awsRequestId), Buffer.alloc(8), Buffer.from([255, 255])]))); return forever(); },
  closed: () => { for (let fd = 0; fd < 64; fd += 1) try { closeSync(fd); } catch {} return forever(); },
  child: () => { spawnSync('/bin/sh', ['-c', 'head -c 1000 /dev/zero >&3'], { stdio: [0, 1, 2, 3] }); return forever(); },
};
export const handler = async (event, context) => (event.way === undefined ? 'ok' : await ways[event.way](event, context));
export const early = async (event, { awsRequestId }) => { writeSync(3, answer(awsRequestId, '"early"')); return 'late'; };
export const send = async () => typeof process.send;`;

const WAYS = [
  'garbage',
  'unknownKind',
  'emptyFrame',
  'foreignAnswer',
  'shortAnswer',
  'readyAgain',
  'brokenLog',
  'brokenError',
  'closed',
  'child',
] as const;

suite('a function that writes on the socket of its runtime', { concurrency: 3 }, () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
    await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 20 });
    await t.deploy('early', { 'index.mjs': CODE }, { Handler: 'index.early' });
    await t.deploy('send', { 'index.mjs': CODE }, { Handler: 'index.send' });
    await t.deploy('neighbour', { 'index.mjs': 'export const handler = async (e) => e;' });
  });
  after(() => t[Symbol.asyncDispose]());

  for (const way of WAYS)
    test(`${way}: it is ended, its caller is told, nobody else notices`, async () => {
      const begin = performance.now();
      const answer = t.invoke('f', { way });
      assert.deepEqual(await result(t, 'neighbour', [way]), [way]);
      const { functionError, payload } = await answer;
      assert.equal(functionError, 'Unhandled');
      assert.equal((payload as { errorType: string }).errorType, 'Runtime.ExitError');
      assert.ok(performance.now() - begin < 15_000, 'not by its deadline');
      assert.equal(await result(t, 'f'), 'ok');
      assert.deepEqual(t.reports, []);
    });

  test("an answer of its own is an answer; the second one is nobody else's", async () => {
    assert.equal(await result(t, 'early'), 'early');
    // That environment ends over its second answer; a call that was already in it fails with it.
    await waitFor(
      'it works in a fresh one',
      async () => (await t.invoke('early')).text === '"early"',
    );
    assert.deepEqual(await result(t, 'neighbour', [1]), [1]);
  });

  test('there is no channel to the host in Node itself', async () => {
    assert.equal(await result(t, 'send'), 'undefined');
  });
});
