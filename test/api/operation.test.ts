import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { OperationContext } from '../../host/api/context.ts';
import { operation } from '../../host/api/operation.ts';
import type { PolicySource } from '../../host/auth/authorize.ts';
import { ServiceError } from '../../host/service-error.ts';
import { request } from '../support/wire-request.ts';

const noPolicies: PolicySource = { mayDeny: false, find: () => undefined };

// as: these handlers look at the scope alone
const context = {
  policies: noPolicies,
  requestId: '00000000-0000-4000-8000-000000000000',
  account: '123456789012',
  region: 'us-east-1',
  partition: 'aws',
  caller: {
    kind: 'key',
    accessKeyId: 'AKIAEXAMPLE',
    account: '123456789012',
    principal: 'arn:aws:iam::123456789012:user/u',
    rights: 'admin',
    region: 'us-east-1',
  },
} as OperationContext;

function requestOf(...args: Parameters<typeof request>) {
  const [match, headers, body] = request(...args);
  return { match, headers, body };
}

const DeleteFunction = operation('DeleteFunction', async () => ({}), { status: 204 });

suite('An operation', () => {
  test('gives its handler typed input and context, and answers by the contract', async () => {
    const CreateAlias = operation('CreateAlias', async (input, { account }) => ({
      Name: input.Name,
      AliasArn: `${account}:${input.FunctionName}`,
    }));
    const body = { Name: 'a', FunctionVersion: '1' };
    assert.deepEqual(
      await CreateAlias.answer(requestOf('POST', '/2015-03-31/functions/f/aliases', body), context),
      {
        status: 201,
        headers: { 'Content-Type': 'application/json' },
        body: '{"AliasArn":"123456789012:f","Name":"a"}',
      },
    );
  });

  test('runs in the account of what it is about, the caller staying who it is', async () => {
    const arn = 'arn:aws:lambda:us-east-1:999999999999:function:f';
    const statement = { Effect: 'Allow', Principal: '*', Action: '*', Resource: arn } as const;
    const policies = { mayDeny: false, find: () => ({ Statement: [statement] }) };
    const GetFunctionConfiguration = operation(
      'GetFunctionConfiguration',
      async (_input, { account, region, caller }) => ({
        Description: `${account} ${region} ${caller.account}`,
      }),
    );
    const path = `/2015-03-31/functions/${encodeURIComponent(arn)}/configuration`;
    const { body } = await GetFunctionConfiguration.answer(requestOf('GET', path), {
      ...context,
      policies,
    });
    assert.equal(body, '{"Description":"999999999999 us-east-1 123456789012"}');
  });

  test('answers with the status of a departure', async () => {
    const request = requestOf('DELETE', '/2015-03-31/functions/f');
    assert.deepEqual(await DeleteFunction.answer(request, context), {
      status: 204,
      headers: {},
      body: undefined,
    });
  });

  test('rejects bad input before the handler runs', async () => {
    let calls = 0;
    const GetAlias = operation('GetAlias', async () => {
      calls += 1;
      return {};
    });
    const request = requestOf('GET', '/2015-03-31/functions/f/aliases/1');
    await assert.rejects(GetAlias.answer(request, context), { name: 'ValidationException' });
    assert.equal(calls, 0);
  });

  test('rejects with what its handler throws', async () => {
    const error = new ServiceError('ResourceNotFoundException', 'gone');
    const GetAlias = operation('GetAlias', async () => {
      throw error;
    });
    const request = requestOf('GET', '/2015-03-31/functions/f/aliases/a');
    await assert.rejects(GetAlias.answer(request, context), error);
  });

  test('refuses a request of another operation as a fault of ours', async () => {
    const request = requestOf('GET', '/2015-03-31/functions/f');
    await assert.rejects(
      DeleteFunction.answer(request, context),
      /GetFunction was routed to DeleteFunction/,
    );
  });
});
