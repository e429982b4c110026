// The body of a failed invocation and its log line, for errors and for all else that can be thrown.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BootstrapPeer, type PeerOptions } from '../support/bootstrap-peer.ts';

interface Body {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: string[];
}

async function failure(kind: string, runtime: PeerOptions['runtime'], env = {}) {
  await using peer = await BootstrapPeer.start({
    code: 'error-bodies',
    runtime,
    env,
  });
  const answer = await peer.invoke({ kind });
  assert.ok(answer.kind === 'E');
  const again = await peer.invoke({ kind: 'error' });
  assert.equal(again.kind, 'E', 'the process lives on');
  const text = peer.logs[0]?.text ?? '';
  return { ...answer, body: JSON.parse(answer.text) as Body, log: text };
}

const UNREADABLE =
  'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack';

for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
  suite(runtime, () => {
    test('an error gives its name, message and trace, in this order', async () => {
      const { errorType, body } = await failure('error', runtime);
      assert.equal(errorType, 'TypeError');
      assert.deepEqual(Object.keys(body), ['errorType', 'errorMessage', 'trace']);
      assert.deepEqual([body.errorType, body.errorMessage], ['TypeError', 'broken']);
      assert.equal(body.trace?.[0], 'TypeError: broken');
      assert.match(body.trace?.[1] ?? '', /^ {4}at .*error-bodies\/index\.mjs:/);
      assert.match(
        body.trace?.[2] ?? '',
        /^ {4}at Runtime\.handler \(file:.*error-bodies\/index\.mjs:/,
      );
    });

    test('the log line has stack instead of trace, code, and own properties', async () => {
      const { log, id } = await failure('named', runtime);
      const [, requestId, level, title, json] = log.split('\t');
      assert.deepEqual([requestId, level, title], [id, 'ERROR', 'Invoke Error ']);
      const logged = JSON.parse(json ?? '') as Record<string, unknown>;
      assert.deepEqual(Object.keys(logged).toSorted(), [
        'code',
        'detail',
        'errorMessage',
        'errorType',
        'name',
        'stack',
      ]);
      assert.deepEqual(
        [logged['errorType'], logged['errorMessage'], logged['code'], logged['detail']],
        ['NotFound', 'gone', 'E_GONE', { id: 7 }],
      );
      assert.ok(log.endsWith('}\n'));
    });

    test('a text, a number, an object', async () => {
      const text = await failure('text', runtime);
      assert.equal(text.text, '{"errorType":"string","errorMessage":"only text","trace":[]}');
      assert.match(text.log, /\tInvoke Error \t\{"errorType":"Error","errorMessage":"only text",/);
      const number = await failure('number', runtime);
      assert.equal(number.text, '{"errorType":"number","errorMessage":"42","trace":[]}');
      const object = await failure('object', runtime);
      assert.equal(
        object.text,
        '{"errorType":"object","errorMessage":"[object Object]","trace":[]}',
      );
    });

    test('a getter that throws makes the error unreadable', async () => {
      const { errorType, body } = await failure('hostile', runtime);
      assert.equal(errorType, 'handled');
      assert.deepEqual([body.errorType, body.errorMessage], ['handled', UNREADABLE]);
    });

    test('an object without toString() is unreadable too', async () => {
      assert.equal((await failure('noString', runtime)).body.errorMessage, UNREADABLE);
    });

    test('DEL is escaped in type, message and trace', async () => {
      const { errorType, body } = await failure('delete', runtime);
      assert.deepEqual([errorType, body.errorMessage], ['N%7F', 'a%7Fb']);
      assert.equal(body.trace?.[0], 'N%7F: a%7Fb');
    });

    test('an error with a cycle is still logged', async () => {
      const { log, body } = await failure('cyclic', runtime);
      assert.equal(body.errorMessage, 'round');
      assert.match(log, /\tInvoke Error \t\{"errorType":"Error","errorMessage":"round"/);
    });

    test('the JSON format logs the error itself', async () => {
      const { log, id } = await failure('named', runtime, { AWS_LAMBDA_LOG_FORMAT: 'JSON' });
      const { message, ...rest } = JSON.parse(log) as Record<string, Record<string, unknown>>;
      assert.deepEqual([rest['level'], rest['requestId']], ['ERROR', id]);
      assert.deepEqual(
        [message?.['errorType'], message?.['errorMessage'], message?.['code']],
        ['Error', 'gone', 'E_GONE'],
      );
      assert.ok(Array.isArray(message?.['stackTrace']));
    });
  });
}

test('nodejs24.x: null and undefined by name; an error without stack has an empty trace', async () => {
  assert.equal(
    (await failure('null', 'nodejs24.x')).text,
    '{"errorType":"object","errorMessage":"null","trace":[]}',
  );
  assert.equal(
    (await failure('undefined', 'nodejs24.x')).text,
    '{"errorType":"undefined","errorMessage":"undefined","trace":[]}',
  );
  assert.equal(
    (await failure('noStack', 'nodejs24.x')).text,
    '{"errorType":"Error","errorMessage":"bare","trace":[]}',
  );
});

test('nodejs22.x: null and undefined become the text handled; duck-typed errors are errors', async () => {
  const handled = '{"errorType":"string","errorMessage":"handled","trace":[]}';
  assert.equal((await failure('null', 'nodejs22.x')).text, handled);
  assert.equal((await failure('undefined', 'nodejs22.x')).text, handled);
  assert.equal(
    (await failure('duck', 'nodejs22.x')).text,
    '{"errorType":"Duck","errorMessage":"quacks","trace":["Duck: quacks","    at pond"]}',
  );
  assert.equal((await failure('noStack', 'nodejs22.x')).body.errorType, 'handled');
});

test('a synchronous throw is reported like a rejection', async () => {
  for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
    await using peer = await BootstrapPeer.start({
      code: 'error-bodies',
      handler: 'index.sync',
      runtime,
    });
    const answer = await peer.invoke({ kind: 'text' });
    assert.equal(answer.text, '{"errorType":"string","errorMessage":"only text","trace":[]}');
  }
});
