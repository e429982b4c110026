// Request ids that callers bring: a UUID is taken over, anything else refused.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startTestHost } from '../support/test-host.ts';
import { send } from '../support/wire.ts';

const path = '/2015-03-31/functions/f/invocations';
const id = '6f1a6a4e-8b3e-4f0e-9d6c-0d2a8a3e1b11';
const files = {
  'index.mjs':
    'export const handler = async (event, context) => { await new Promise((done) => setTimeout(done, event.ms ?? 0)); return context.awsRequestId; };',
};

suite('A request id', () => {
  test('of the caller is the one of the answer and of the function', async () => {
    await using t = await startTestHost();
    await t.deploy('f', files);
    for (const given of [id, id.toUpperCase()]) {
      const headers = { 'x-amzn-RequestId': given };
      const answer = await send(t.url, { method: 'POST', path, headers, body: '{}' });
      assert.equal(answer.headers['x-amzn-requestid'], id);
      assert.equal(answer.body, JSON.stringify(id));
    }
    const error = await send(t.url, { path: '/nothing', headers: { 'x-amzn-requestid': id } });
    assert.equal(error.headers['x-amzn-requestid'], id);
  });

  test('is made when there is none, and is the one the function sees', async () => {
    await using t = await startTestHost();
    await t.deploy('f', files);
    const answer = await send(t.url, { method: 'POST', path, body: '{}' });
    assert.equal(answer.body, JSON.stringify(answer.headers['x-amzn-requestid']));
  });

  test('that is no UUID is refused under a new one', async () => {
    await using t = await startTestHost();
    for (const given of ['x', `${id}0`, ' ', id.replaceAll('-', ''), `${id}, ${id}`]) {
      const headers = { 'x-amzn-requestid': given };
      const { status, headers: answered } = await send(t.url, {
        path: '/2015-03-31/functions',
        headers,
      });
      assert.equal(status, 400, given);
      assert.equal(answered['x-amzn-errortype'], 'InvalidRequestContentException');
      assert.match(String(answered['x-amzn-requestid']), /^[0-9a-f-]{36}$/);
    }
  });

  test('may be used by two callers at the same time', async () => {
    await using t = await startTestHost();
    await t.deploy('f', files);
    const headers = { 'x-amzn-requestid': id };
    const post = { method: 'POST', path, headers, body: '{"ms":100}' };
    const answers = await Promise.all([send(t.url, post), send(t.url, post), send(t.url, post)]);
    for (const { status, body } of answers)
      assert.deepEqual([status, body], [200, JSON.stringify(id)]);
  });
});
