// Streaming handlers under a plain Invoke: what they write is collected and becomes the payload.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BootstrapPeer, type PeerOptions } from '../support/bootstrap-peer.ts';

function start(handler: string, runtime: PeerOptions['runtime'], env = {}) {
  return BootstrapPeer.start({ code: 'streaming', handler: `index.${handler}`, runtime, env });
}

async function answer(handler: string, runtime: PeerOptions['runtime']) {
  await using peer = await start(handler, runtime);
  return { ...(await peer.invoke({})), logs: peer.logs.map(({ text }) => text).join('') };
}

for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
  suite(runtime, () => {
    test('texts, bytes and objects are put together', async () => {
      const { kind, text } = await answer('text', runtime);
      assert.deepEqual([kind, text], ['O', 'one two !{"id":false} end']);
    });

    test('HttpResponseStream puts its prelude and eight NULs ahead of the first write', async () => {
      const { text } = await answer('http', runtime);
      assert.equal(text, `{"statusCode":201,"headers":{"X-A":"b"}}${'\0'.repeat(8)}<p>`);
    });

    test('pipeline() works', async () => {
      assert.equal((await answer('piped', runtime)).text, 'abc');
    });

    test('setContentType after the first write is Runtime.InvalidStreamingOperation', async () => {
      const found = await answer('late', runtime);
      assert.ok(found.kind === 'E');
      assert.equal(found.errorType, 'Runtime.InvalidStreamingOperation');
      assert.match(found.text, /"errorMessage":"Cannot set content-type, too late\."/);
    });

    test('an error is an error, logged', async () => {
      const found = await answer('failsEarly', runtime);
      assert.ok(found.kind === 'E');
      assert.match(found.text, /^\{"errorType":"Error","errorMessage":"before the first byte"/);
      assert.match(found.logs, /\tERROR\tInvoke Error \t/);
    });

    test('a returned value is ignored with a warning', async () => {
      const found = await answer('returns', runtime);
      assert.equal(found.text, 'x');
      assert.match(found.logs, /\tWARN\tStreaming handlers ignore return values\.\n$/);
    });

    test('a stream that is never ended is an error as soon as nothing can end it any more', async () => {
      await using peer = await start('neverEnds', runtime);
      for (let round = 0; round < 2; round++) {
        const found = await peer.invoke({});
        assert.ok(found.kind === 'E');
        assert.match(found.text, /"errorMessage":"Response stream is not finished\."/);
      }
    });

    test('streamifyResponse sets the high-water mark; three parameters are no callback', async () => {
      assert.equal((await answer('water', runtime)).text, '77');
      const three = await answer('three', runtime);
      assert.deepEqual([three.text, three.logs], ['fixture', '']);
    });
  });
}

test('a handler without a promise: an Error in v4, a text in v3', async () => {
  const message = '"errorMessage":"Streaming does not support non-async handlers."';
  const v4 = await answer('notAsync', 'nodejs24.x');
  assert.ok(v4.text.startsWith(`{"errorType":"Error",${message}`), v4.text);
  const v3 = await answer('notAsync', 'nodejs22.x');
  assert.equal(v3.text, `{"errorType":"string",${message},"trace":[]}`);
});
