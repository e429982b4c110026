// How bodies may travel: with a length or in chunks, under any content type, or not at all.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { send } from '../support/wire.ts';

const configuration = '/2015-03-31/functions/f/configuration';
const invocations = '/2015-03-31/functions/f/invocations';

suite('A body', () => {
  test('may come in chunks, without a length', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('event'));
    const body = JSON.stringify({ text: 'ü'.repeat(20_000) });
    for (const chunkBytes of [7000, 1_000_000]) {
      const answer = await send(t.url, { method: 'POST', path: invocations, body, chunkBytes });
      assert.equal(answer.body, body);
    }
    const large = 'x'.repeat(6_291_457);
    const refused = { method: 'POST', path: invocations, body: large, chunkBytes: 1_000_000 };
    assert.equal((await send(t.url, refused)).status, 413);
  });

  test('may wait for 100 Continue', async () => {
    await using t = await startTestHost();
    const { Code, ...create } = await createRequest('f');
    const ZipFile = Buffer.from(Code?.ZipFile ?? []).toString('base64');
    const answer = await send(t.url, {
      method: 'POST',
      path: '/2015-03-31/functions',
      headers: { Expect: '100-continue' },
      body: JSON.stringify({ ...create, Code: { ZipFile } }),
    });
    assert.equal(answer.status, 201, answer.body);
  });

  test('may be absent, empty, null or an empty object where nothing is required', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const put = { method: 'PUT', path: configuration };
    for (const body of ['', '{}', 'null', ' {} ']) {
      let answer = await send(t.url, { ...put, body });
      // The update before may not be over.
      while (answer.status === 409) answer = await send(t.url, { ...put, body });
      assert.equal(answer.status, 200, answer.body);
    }
  });

  test('is read whatever its content type says', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('event'));
    for (const type of ['application/x-amz-json-1.1', 'text/plain', 'nonsense', 'image/png; a=b']) {
      const headers = { 'Content-Type': type };
      const post = { method: 'POST', path: invocations, headers, body: '{"a":1}' };
      assert.equal((await send(t.url, post)).body, '{"a":1}');
      const create = { method: 'POST', path: '/2015-03-31/functions', headers, body: '{}' };
      assert.equal((await send(t.url, create)).headers['x-amzn-errortype'], 'ValidationException');
    }
  });
});
