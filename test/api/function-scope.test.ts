// Names of other accounts and regions: the account is looked at first, then the region, then the form of the name.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createRequest, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { send } from '../support/wire.ts';

const paths: readonly (readonly [method: string, suffix: string])[] = [
  ['GET', ''],
  ['GET', '/configuration'],
  ['PUT', '/code'],
  ['PUT', '/configuration'],
  ['DELETE', ''],
  ['POST', '/invocations'],
];

const foreign = 'arn:aws:lambda:us-east-1:111111111111:function';
const elsewhere = 'arn:aws:lambda:eu-west-1:000000000000:function';

async function call(t: TestHost, method: string, suffix: string, name: string) {
  const path = `/2015-03-31/functions/${encodeURIComponent(name)}${suffix}`;
  const { status, headers, json } = await send(t.url, {
    method,
    path,
    body: method === 'GET' ? '' : '{}',
  });
  return [status, headers['x-amzn-errortype'], json];
}

const actions: Readonly<Record<string, string>> = {
  'GET ': 'GetFunction',
  'GET /configuration': 'GetFunctionConfiguration',
  'PUT /code': 'UpdateFunctionCode',
  'PUT /configuration': 'UpdateFunctionConfiguration',
  'DELETE ': 'DeleteFunction',
  'POST /invocations': 'InvokeFunction',
};

suite('A name', () => {
  test('of another account is denied where a resource policy could have opened it', async () => {
    await using t = await startTestHost();
    for (const [method, suffix] of paths) {
      const action = `lambda:${actions[`${method} ${suffix}`]}`;
      assert.deepEqual(await call(t, method, suffix, `${foreign}:f`), [
        403,
        'AccessDeniedException',
        {
          Message: `User: arn:aws:iam::000000000000:user/admin is not authorized to perform: ${action} on resource: ${foreign}:f because no resource-based policy allows the ${action} action`,
        },
      ]);
    }
  });

  test('of another account is denied without a reason on CreateFunction, though it stands in the body', async () => {
    await using t = await startTestHost();
    for (const FunctionName of [`${foreign}:f`, '111111111111:f', `${foreign}:no name!`]) {
      const { Code: _, ...request } = await createRequest(FunctionName);
      const body = JSON.stringify(request);
      const answer = await send(t.url, { method: 'POST', path: '/2015-03-31/functions', body });
      assert.equal(answer.status, 403);
      assert.equal(answer.headers['x-amzn-errortype'], 'AccessDeniedException');
      assert.deepEqual(answer.json, { Message: null });
    }
  });

  test('of another region is not reachable, and that is told before anything that is wrong beside it', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const unreachable = [
      404,
      'ResourceNotFoundException',
      {
        Type: 'User',
        Message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
      },
    ];
    for (const [method, suffix] of paths) {
      assert.deepEqual(await call(t, method, suffix, `${elsewhere}:f`), unreachable);
      const long = `${elsewhere}:${'n'.repeat(250)}`;
      assert.deepEqual(await call(t, method, suffix, long), unreachable);
    }
    const body = JSON.stringify({ FunctionName: `${elsewhere}:f`, Role: 'no role' });
    const created = await send(t.url, { method: 'POST', path: '/2015-03-31/functions', body });
    assert.deepEqual(created.json, unreachable[2]);
  });

  test('of another account comes before another region', async () => {
    await using t = await startTestHost();
    const name = 'arn:aws:lambda:eu-west-1:111111111111:function:f';
    const [status, error] = await call(t, 'GET', '', name);
    assert.deepEqual([status, error], [403, 'AccessDeniedException']);
  });

  test('means the region of the signature, each with functions of its own', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const path = `/2015-03-31/functions/f`;
    const there = await send(t.url, { path, region: 'eu-west-1' });
    assert.equal(there.status, 404);
    assert.deepEqual(there.json, {
      Type: 'User',
      Message: `Function not found: ${elsewhere}:f`,
    });
    assert.equal((await send(t.url, { path })).status, 200);
  });
});
