// Rights by operation, cell by cell over the whole contract, and the texts of refusals.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import model from '../../host/api/model/lambda-model.json' with { type: 'json' };
import type { OperationName } from '../../host/api/model/types.ts';
import { authorize } from '../../host/auth/authorize.ts';
import { allRights, type Caller, type Rights } from '../../host/auth/caller.ts';
import { ServiceError } from '../../host/service-error.ts';

const account = '123456789012';
const operations = Object.keys(model.operations) as OperationName[]; // the type is generated from these very keys
const invokes = ['Invoke', 'InvokeAsync', 'InvokeWithResponseStream'];

function caller(rights: Rights, kind: Caller['kind'] = 'key'): Caller {
  return {
    kind,
    accessKeyId: 'AKIAEXAMPLE',
    account,
    principal: `arn:aws:iam::${account}:user/${rights}`,
    rights,
    region: 'eu-west-1',
  };
}

function messageOf(by: Caller, operation: OperationName, input: Record<string, unknown>): string {
  try {
    authorize(by, operation, input, { mayDeny: false, find: () => undefined });
  } catch (error) {
    assert.ok(error instanceof ServiceError);
    assert.equal(error.name, 'AccessDeniedException');
    assert.equal(error.status, 403);
    return error.message;
  }
  return 'allowed';
}

suite('rights in the own account', () => {
  for (const rights of allRights) {
    test(`${rights}: every operation of the contract is allowed or refused as it must be`, () => {
      assert.equal(operations.length, 88);
      for (const operation of operations) {
        const expected: Record<Rights, boolean> = {
          admin: true,
          invoke: invokes.includes(operation),
          read: /^(?:Get|List)/.test(operation),
        };
        const message = messageOf(caller(rights), operation, { FunctionName: 'f' });
        assert.equal(message === 'allowed', expected[rights], `${operation}: ${message}`);
      }
    });
  }

  test('a function may invoke functions of its account and nothing else', () => {
    const by: Caller = {
      ...caller('invoke', 'function'),
      principal: `arn:aws:sts::${account}:assumed-role/worker/resize`,
    };
    for (const FunctionName of ['g', 'g:PROD', `${account}:function:g`, `function:g`]) {
      assert.equal(messageOf(by, 'Invoke', { FunctionName }), 'allowed');
    }
    assert.equal(
      messageOf(by, 'GetFunction', { FunctionName: 'resize' }),
      `User: ${by.principal} is not authorized to perform: lambda:GetFunction on resource: arn:aws:lambda:eu-west-1:${account}:function:resize because no identity-based policy allows the lambda:GetFunction action`,
    );
    assert.match(
      messageOf(by, 'Invoke', { FunctionName: '999999999999:g' }),
      /because no resource-based policy allows the lambda:InvokeFunction action$/,
    );
  });
});

suite('the text of a refusal', () => {
  const prefix = `arn:aws:lambda:eu-west-1:${account}`;
  const refusal = (rights: Rights, action: string, resource: string): string =>
    `User: arn:aws:iam::${account}:user/${rights} is not authorized to perform: lambda:${action} on resource: ${resource} because no identity-based policy allows the lambda:${action} action`;
  const cases: readonly [Rights, OperationName, Record<string, unknown>, string, string][] = [
    ['read', 'Invoke', { FunctionName: 'f' }, 'InvokeFunction', `${prefix}:function:f`],
    ['read', 'InvokeAsync', { FunctionName: 'f' }, 'InvokeAsync', `${prefix}:function:f`],
    [
      'read',
      'InvokeWithResponseStream',
      { FunctionName: 'f', Qualifier: 'PROD' },
      'InvokeFunction',
      `${prefix}:function:f:PROD`,
    ],
    [
      'read',
      'Invoke',
      { FunctionName: `${prefix}:function:f:3` },
      'InvokeFunction',
      `${prefix}:function:f:3`,
    ],
    ['read', 'CreateFunction', { FunctionName: 'f' }, 'CreateFunction', `${prefix}:function:f`],
    [
      'invoke',
      'GetFunction',
      { FunctionName: `us-east-1:${account}:function:f` },
      'GetFunction',
      `arn:aws:lambda:us-east-1:${account}:function:f`,
    ],
    ['invoke', 'ListFunctions', {}, 'ListFunctions', '*'],
    ['invoke', 'GetAccountSettings', {}, 'GetAccountSettings', '*'],
    ['invoke', 'ListLayerVersions', { LayerName: 'l' }, 'ListLayerVersions', '*'],
    ['invoke', 'ListEventSourceMappings', { FunctionName: 'f' }, 'ListEventSourceMappings', '*'],
    ['read', 'CreateEventSourceMapping', { FunctionName: 'f' }, 'CreateEventSourceMapping', '*'],
    [
      'read',
      'UpdateEventSourceMapping',
      { UUID: 'u-1', FunctionName: 'f' },
      'UpdateEventSourceMapping',
      `${prefix}:event-source-mapping:u-1`,
    ],
    ['read', 'PublishLayerVersion', { LayerName: 'l' }, 'PublishLayerVersion', `${prefix}:layer:l`],
    [
      'invoke',
      'GetLayerVersion',
      { LayerName: 'l', VersionNumber: 2 },
      'GetLayerVersion',
      `${prefix}:layer:l:2`,
    ],
    [
      'invoke',
      'GetLayerVersionByArn',
      { Arn: `${prefix}:layer:l:2` },
      'GetLayerVersion',
      `${prefix}:layer:l:2`,
    ],
    [
      'read',
      'DeleteCapacityProvider',
      { CapacityProviderName: 'c' },
      'DeleteCapacityProvider',
      `${prefix}:capacity-provider:c`,
    ],
    [
      'read',
      'TagResource',
      { Resource: `${prefix}:function:f` },
      'TagResource',
      `${prefix}:function:f`,
    ],
    [
      'read',
      'PutFunctionCodeSigningConfig',
      { FunctionName: 'f', CodeSigningConfigArn: `${prefix}:code-signing-config:csc-1` },
      'PutFunctionCodeSigningConfig',
      `${prefix}:function:f`,
    ],
    [
      'read',
      'PutResourcePolicy',
      { ResourceArn: `${prefix}:function:f` },
      'PutResourcePolicy',
      `${prefix}:function:f`,
    ],
  ];
  for (const [rights, operation, input, action, resource] of cases) {
    test(`${operation} ${JSON.stringify(input)}`, () => {
      assert.equal(messageOf(caller(rights), operation, input), refusal(rights, action, resource));
    });
  }

  test('names the partition of the region', () => {
    const by = { ...caller('read'), region: 'cn-north-1' };
    assert.match(
      messageOf(by, 'Invoke', { FunctionName: 'f' }),
      /resource: arn:aws-cn:lambda:cn-north-1:123456789012:function:f /,
    );
  });
});

suite('resources of another account', () => {
  const foreign = 'arn:aws:lambda:eu-west-1:999999999999';

  test('are refused with no text where no policy could open them', () => {
    const functionName = `${foreign}:function:f`;
    for (const operation of ['GetFunctionConcurrency', 'PutFunctionRecursionConfig'] as const) {
      assert.equal(messageOf(caller('admin'), operation, { FunctionName: functionName }), '');
    }
    assert.equal(
      messageOf(caller('admin'), 'PutResourcePolicy', { ResourceArn: functionName }),
      '',
    );
  });

  test('are refused for want of a resource policy where one could open them', () => {
    for (const FunctionName of [
      `${foreign}:function:f`,
      '999999999999:f',
      '999999999999:function:f',
    ]) {
      assert.equal(
        messageOf(caller('admin'), 'Invoke', { FunctionName }),
        `User: arn:aws:iam::${account}:user/admin is not authorized to perform: lambda:InvokeFunction on resource: ${foreign}:function:f because no resource-based policy allows the lambda:InvokeFunction action`,
      );
    }
    assert.match(
      messageOf(caller('admin'), 'GetLayerVersion', {
        LayerName: `${foreign}:layer:l`,
        VersionNumber: 4,
      }),
      /lambda:GetLayerVersion on resource: arn:aws:lambda:eu-west-1:999999999999:layer:l:4 because no resource-based policy/,
    );
  });

  test('are refused for want of rights first', () => {
    assert.match(
      messageOf(caller('read'), 'Invoke', { FunctionName: '999999999999:f' }),
      /because no identity-based policy allows/,
    );
  });

  test('a name that is twelve digits is a name', () => {
    for (const FunctionName of ['999999999999', 'f:999999999999', 'eu-west-1:999999999999']) {
      assert.equal(messageOf(caller('admin'), 'Invoke', { FunctionName }), 'allowed');
    }
  });
});
