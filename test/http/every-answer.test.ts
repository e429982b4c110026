// What every answer carries, success or not.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { send, type WireRequest } from '../support/wire.ts';

const functions = '/2015-03-31/functions';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const requests: readonly (readonly [WireRequest, number, string?])[] = [
  [{ path: functions }, 200],
  [{ path: `${functions}/` }, 200],
  [{ path: `${functions}/f` }, 200],
  [{ path: `${functions}/f/configuration/` }, 200],
  [{ method: 'PUT', path: `${functions}/f/configuration`, body: '{"Timeout":4}' }, 200],
  [{ method: 'POST', path: `${functions}/f/invocations`, body: '{}' }, 200],
  [{ path: `${functions}/missing` }, 404, 'ResourceNotFoundException'],
  [{ path: functions, query: { MaxItems: 'x' } }, 400, 'SerializationException'],
  [{ path: functions, query: { MaxItems: '0' } }, 400, 'ValidationException'],
  [{ path: functions, query: { Marker: '!' } }, 400, 'InvalidParameterValueException'],
  [{ path: '/2015-03-31/nothing' }, 404, 'UnknownOperationException'],
  [{ path: '/' }, 404, 'UnknownOperationException'],
  [{ method: 'PATCH', path: `${functions}/f` }, 404, 'UnknownOperationException'],
  [{ method: 'OPTIONS', path: functions }, 404, 'UnknownOperationException'],
  [{ method: 'PROPFIND', path: functions }, 404, 'UnknownOperationException'],
  [{ path: `${functions}//configuration` }, 400, 'ValidationException'],
  [{ path: functions, key: undefined }, 403, 'MissingAuthenticationTokenException'],
  [{ path: '/nothing', key: undefined }, 403, 'MissingAuthenticationTokenException'],
];

suite('Every answer', () => {
  test('has a request id, a date, a type and a length, and an error its name', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const ids = new Set<string>();
    for (const [request, expected, name] of requests) {
      const { status, headers, body } = await send(t.url, request);
      const what = `${request.method ?? 'GET'} ${request.path}`;
      assert.equal(status, expected, `${what}: ${body}`);
      assert.equal(headers['x-amzn-errortype'], name, what);
      assert.match(String(headers['x-amzn-requestid']), uuid, what);
      ids.add(String(headers['x-amzn-requestid']));
      assert.ok(Math.abs(Date.parse(String(headers.date)) - Date.now()) < 60_000, what);
      assert.equal(headers['content-type'], 'application/json', what);
      assert.equal(headers['content-length'], String(Buffer.byteLength(body)), what);
      assert.equal(headers['server'] ?? headers['x-powered-by'], undefined, what);
    }
    assert.equal(ids.size, requests.length);
  });

  test('spells the key of its message as the service does for that error', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const post = { method: 'POST', path: functions };
    const { Code: _, ...create } = await createRequest('f');
    const expected: readonly (readonly [WireRequest, readonly string[]])[] = [
      [{ path: `${functions}/missing` }, ['Type', 'Message']],
      [{ path: functions, query: { Marker: '!' } }, ['Type', 'message']],
      [{ path: functions, query: { MaxItems: '0' } }, ['message']],
      [{ path: functions, query: { MaxItems: 'x' } }, ['Message']],
      [{ path: '/nothing' }, ['message']],
      [{ path: functions, key: undefined }, ['message']],
      [{ ...post, body: JSON.stringify({ ...create, Code: {} }) }, ['Type', 'message']],
    ];
    for (const [request, keys] of expected) {
      const { json } = await send(t.url, request);
      assert.deepEqual(Object.keys(json ?? {}), keys, JSON.stringify(request));
    }
  });

  test('of an unknown path has the text of the service', async () => {
    await using t = await startTestHost();
    const { json } = await send(t.url, { path: '/2015-03-31/functions/f/unknown' });
    assert.deepEqual(json, {
      message: 'Unable to determine service/operation name to be authorized',
    });
  });
});
