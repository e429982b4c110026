// What a function may do with the credentials of its environment: invoke functions of its account, nothing else.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';

/** Signs one request with what is in its environment, by hand: no SDK is in the package. */
const caller = `
import { createHash, createHmac } from 'node:crypto';
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
export const handler = async ({ method, path, body = '', secret, token }) => {
  const env = process.env;
  const { host } = new URL(env.AWS_ENDPOINT_URL_LAMBDA);
  const time = new Date().toISOString().replaceAll(/[-:]|\\.\\d{3}/g, '');
  const date = time.slice(0, 8);
  const session = token ?? env.AWS_SESSION_TOKEN;
  const scope = date + '/' + env.AWS_REGION + '/lambda/aws4_request';
  const names = 'host;x-amz-date;x-amz-security-token';
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  const canonical = [method, escaped, '', 'host:' + host, 'x-amz-date:' + time,
    'x-amz-security-token:' + session, '', names, sha256(body)].join('\\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\\n');
  const key = [date, env.AWS_REGION, 'lambda', 'aws4_request'].reduce(hmac, 'AWS4' + (secret ?? env.AWS_SECRET_ACCESS_KEY));
  const response = await fetch(env.AWS_ENDPOINT_URL_LAMBDA + path, {
    method,
    headers: {
      'x-amz-date': time,
      'x-amz-security-token': session,
      authorization: 'AWS4-HMAC-SHA256 Credential=' + env.AWS_ACCESS_KEY_ID + '/' + scope + ', SignedHeaders=' + names + ', Signature=' + hmac(key, toSign).toString('hex'),
    },
    ...(method === 'GET' ? {} : { body }),
  });
  const text = await response.text();
  return [response.status, response.headers.get('x-amzn-errortype'), text === '' ? null : JSON.parse(text)];
};
`;

const functions = '/2015-03-31/functions';
const role = 'arn:aws:sts::000000000000:assumed-role/test/caller';

suite('A function', () => {
  test('may invoke another function of its account', async () => {
    await using t = await startTestHost();
    await t.deploy('callee', returning('({ called: event })'));
    await t.deploy('caller', { 'index.mjs': caller }, { Timeout: 20 });
    const event = { method: 'POST', path: `${functions}/callee/invocations`, body: '{"n":1}' };
    const { payload, log } = await t.invoke('caller', event);
    assert.deepEqual(payload, [200, null, { called: { n: 1 } }], log);
  });

  test('may do nothing else, and nothing in another account', async () => {
    await using t = await startTestHost();
    await t.deploy('callee', returning('event'));
    await t.deploy('caller', { 'index.mjs': caller }, { Timeout: 20 });
    const before = await t.client.send(new GetFunctionCommand({ FunctionName: 'callee' }));
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:callee';
    const denied = (action: string, resource: string) => [
      403,
      'AccessDeniedException',
      {
        Message: `User: ${role} is not authorized to perform: lambda:${action} on resource: ${resource} because no identity-based policy allows the lambda:${action} action`,
      },
    ];
    const attempts: readonly (readonly [object, unknown])[] = [
      [{ method: 'GET', path: functions }, denied('ListFunctions', '*')],
      [{ method: 'GET', path: `${functions}/callee` }, denied('GetFunction', arn)],
      [{ method: 'DELETE', path: `${functions}/callee` }, denied('DeleteFunction', arn)],
      [
        { method: 'PUT', path: `${functions}/callee/configuration`, body: '{}' },
        denied('UpdateFunctionConfiguration', arn),
      ],
    ];
    for (const [event, expected] of attempts)
      assert.deepEqual((await t.invoke('caller', event)).payload, expected);
    const foreign = 'arn:aws:lambda:us-east-1:111111111111:function:callee';
    const abroad = {
      method: 'POST',
      path: `${functions}/${foreign}/invocations`,
      body: '{}',
    };
    const { payload } = await t.invoke('caller', abroad);
    assert.deepEqual((payload as unknown[]).slice(0, 2), [403, 'AccessDeniedException']);
    const logs = await t.invoke('caller', { method: 'GET', path: '/_lambkin/logs' });
    assert.deepEqual((logs.payload as unknown[]).slice(0, 2), [403, 'AccessDeniedException']);
    const after = await t.client.send(new GetFunctionCommand({ FunctionName: 'callee' }));
    assert.deepEqual(after.Configuration, before.Configuration);
  });

  test('cannot call with another secret or token', async () => {
    await using t = await startTestHost();
    await t.deploy('caller', { 'index.mjs': caller }, { Timeout: 20 });
    const call = { method: 'GET', path: functions };
    const told = async (more: object) => {
      const { payload } = await t.invoke('caller', { ...call, ...more });
      return (payload as unknown[]).slice(0, 2);
    };
    assert.deepEqual(await told({ secret: 'x' }), [403, 'InvalidSignatureException']);
    assert.deepEqual(await told({ token: 'x' }), [403, 'UnrecognizedClientException']);
  });
});
