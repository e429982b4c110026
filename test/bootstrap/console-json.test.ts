// Console methods in the JSON format.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer, type InvokeOptions } from '../support/bootstrap-peer.ts';

type Line = Record<string, unknown>;

async function lines(handler: string, options: InvokeOptions = {}, env = {}) {
  await using peer = await BootstrapPeer.start({
    code: 'logs',
    handler: `index.${handler}`,
    env: { AWS_LAMBDA_LOG_FORMAT: 'JSON', ...env },
  });
  const { id } = await peer.invoke({}, options);
  const texts = peer.logs.map(({ text }) => text);
  for (const text of texts) assert.match(text, /^[^\n]*\n$/);
  const [init, ...rest] = texts.map((text) => JSON.parse(text) as Line);
  return { id, init: init ?? assert.fail('no line of init'), rest };
}

test('keys in their order; no request id during init', async () => {
  const { id, init, rest } = await lines('levels');
  assert.deepEqual(Object.keys(init), ['timestamp', 'level', 'message']);
  assert.deepEqual(Object.keys(rest[0] ?? {}), ['timestamp', 'level', 'requestId', 'message']);
  assert.deepEqual(
    [rest[0]?.['level'], rest[0]?.['requestId'], rest[0]?.['message']],
    ['TRACE', id, 't'],
  );
  assert.deepEqual(
    rest.map((line) => line['level']),
    ['TRACE', 'DEBUG', 'INFO', 'INFO', 'WARN', 'ERROR', 'FATAL'],
  );
});

test('a tenant is named after the request id', async () => {
  const { rest } = await lines('levels', { tenantId: 'blue' });
  assert.deepEqual(Object.keys(rest[0] ?? {}), [
    'timestamp',
    'level',
    'requestId',
    'tenantId',
    'message',
  ]);
  assert.equal(rest[0]?.['tenantId'], 'blue');
});

test('one argument stays a value, several become text, errors are spelled out', async () => {
  const { rest } = await lines('json');
  const [object, text, single, several, nested, cyclic, bigint] = rest as [
    Line,
    Line,
    Line,
    Line,
    Line,
    Line,
    Line,
  ];
  assert.deepEqual(object['message'], { a: 1 });
  assert.equal(text['message'], 'text formatted');

  const message = single['message'] as Line;
  assert.deepEqual(Object.keys(message), ['errorType', 'errorMessage', 'stackTrace', 'extra']);
  assert.deepEqual(
    [message['errorType'], message['errorMessage'], message['extra']],
    ['RangeError', 'single', 1],
  );
  assert.equal((message['stackTrace'] as string[])[0], 'RangeError: single');

  assert.deepEqual(Object.keys(several).slice(3), [
    'message',
    'errorType',
    'errorMessage',
    'stackTrace',
  ]);
  assert.deepEqual([several['errorType'], several['errorMessage']], ['TypeError', 'second']);
  assert.match(several['message'] as string, /^with error TypeError: second\n/);

  assert.equal(((nested['message'] as Line)['nested'] as Line)['errorMessage'], 'inside');
  assert.equal(cyclic['message'], '<ref *1> { self: [Circular *1] }');
  assert.equal(bigint['message'], '1n');
});

test('the level filters here too', async () => {
  const { init, rest } = await lines('levels', {}, { AWS_LAMBDA_LOG_LEVEL: 'ERROR' });
  assert.deepEqual([init['level'], ...rest.map((line) => line['level'])], ['ERROR', 'FATAL']);
});
