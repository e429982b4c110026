// What a handler's result becomes in v4.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

async function answer(handler: string, event: unknown = {}) {
  await using peer = await BootstrapPeer.start({ code: 'results', handler: `index.${handler}` });
  return await peer.invoke(event);
}

test('a plain return value is the result', async () => {
  assert.equal((await answer('plain', { a: [1] })).text, '{"sync":true,"event":{"a":[1]}}');
});

test('no return value is null', async () => {
  const { kind, text } = await answer('nothing');
  assert.deepEqual([kind, text], ['O', 'null']);
});

test('a function as result gives an empty payload', async () => {
  const { kind, text } = await answer('aFunction');
  assert.deepEqual([kind, text], ['O', '']);
});

test('a thenable is waited for', async () => {
  assert.equal((await answer('thenable')).text, '"thenable"');
});

test('toJSON of the result is heeded', async () => {
  assert.equal((await answer('toJson')).text, '"chosen"');
});

test('the handler as method sees nothing but itself', async () => {
  assert.equal((await answer('receiver')).text, '["handler"]');
});

for (const handler of ['cyclic', 'bigint']) {
  test(`a result that JSON cannot hold (${handler}) is Runtime.JSONStringifyError and the process lives on`, async () => {
    await using peer = await BootstrapPeer.start({ code: 'results', handler: `index.${handler}` });
    for (let round = 0; round < 2; round++) {
      const found = await peer.invoke({});
      assert.ok(found.kind === 'E');
      assert.equal(found.errorType, 'Runtime.JSONStringifyError');
      const body = JSON.parse(found.text) as Record<string, unknown>;
      assert.deepEqual(Object.keys(body), ['errorType', 'errorMessage', 'trace']);
      assert.equal(body['errorMessage'], 'Unable to stringify response body');
    }
  });
}

test('an event that is no JSON is told to the host, and the next one runs', async () => {
  await using peer = await BootstrapPeer.start({ code: 'echo' });
  const found = await peer.invoke(Buffer.from('{nope'));
  assert.ok(found.kind === 'J');
  assert.match(found.text, /JSON/);
  assert.deepEqual(await peer.result([1]), [1]);
});
