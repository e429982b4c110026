// Which operations of the contract this host has. What it has not says so, instead of pretending.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { operations } from '../../host/api/index.ts';
import { contract } from '../../host/api/model/contract.ts';
import { startTestHost } from '../support/test-host.ts';
import { send } from '../support/wire.ts';

/** Invoke and InvokeAsync are answered by the listener itself, the others are declared in host/api/index.ts. */
const available = [
  'AddLayerVersionPermission',
  'AddPermission',
  'CreateAlias',
  'CreateCapacityProvider',
  'CreateCodeSigningConfig',
  'CreateFunction',
  'CreateFunctionUrlConfig',
  'DeleteAlias',
  'DeleteCapacityProvider',
  'DeleteCodeSigningConfig',
  'DeleteFunction',
  'DeleteFunctionCodeSigningConfig',
  'DeleteFunctionConcurrency',
  'DeleteFunctionEventInvokeConfig',
  'DeleteFunctionUrlConfig',
  'DeleteLayerVersion',
  'DeleteProvisionedConcurrencyConfig',
  'DeleteResourcePolicy',
  'GetAccountSettings',
  'GetAlias',
  'GetCapacityProvider',
  'GetCodeSigningConfig',
  'GetFunction',
  'GetFunctionCodeSigningConfig',
  'GetFunctionConcurrency',
  'GetFunctionConfiguration',
  'GetFunctionEventInvokeConfig',
  'GetFunctionRecursionConfig',
  'GetFunctionScalingConfig',
  'GetFunctionUrlConfig',
  'GetLayerVersion',
  'GetLayerVersionByArn',
  'GetLayerVersionPolicy',
  'GetPolicy',
  'GetProvisionedConcurrencyConfig',
  'GetResourcePolicy',
  'GetRuntimeManagementConfig',
  'Invoke',
  'InvokeAsync',
  'ListAliases',
  'ListCapacityProviders',
  'ListCodeSigningConfigs',
  'ListFunctionEventInvokeConfigs',
  'ListFunctionUrlConfigs',
  'ListFunctionVersionsByCapacityProvider',
  'ListFunctions',
  'ListFunctionsByCodeSigningConfig',
  'ListLayerVersions',
  'ListLayers',
  'ListProvisionedConcurrencyConfigs',
  'ListTags',
  'ListVersionsByFunction',
  'PublishLayerVersion',
  'PublishVersion',
  'PutFunctionCodeSigningConfig',
  'PutFunctionConcurrency',
  'PutFunctionEventInvokeConfig',
  'PutFunctionRecursionConfig',
  'PutFunctionScalingConfig',
  'PutProvisionedConcurrencyConfig',
  'PutResourcePolicy',
  'PutRuntimeManagementConfig',
  'RemoveLayerVersionPermission',
  'RemovePermission',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateCapacityProvider',
  'UpdateCodeSigningConfig',
  'UpdateFunctionCode',
  'UpdateFunctionConfiguration',
  'UpdateFunctionEventInvokeConfig',
  'UpdateFunctionUrlConfig',
];

const notYet = [
  'CheckpointDurableExecution',
  'CreateEventSourceMapping',
  'DeleteEventSourceMapping',
  'GetDurableExecution',
  'GetDurableExecutionHistory',
  'GetDurableExecutionState',
  'GetEventSourceMapping',
  'InvokeWithResponseStream',
  'ListDurableExecutionsByFunction',
  'ListEventSourceMappings',
  'SendDurableExecutionCallbackFailure',
  'SendDurableExecutionCallbackHeartbeat',
  'SendDurableExecutionCallbackSuccess',
  'StopDurableExecution',
  'UpdateEventSourceMapping',
];

suite('Of the operations of the contract', () => {
  test('each is available or listed as missing, and no other is declared', () => {
    assert.deepEqual([...available, ...notYet].toSorted(), [...contract.keys()].toSorted());
    assert.deepEqual([...operations.keys(), 'Invoke', 'InvokeAsync'].toSorted(), available);
  });

  test('each that is missing says so on its own route', async () => {
    await using t = await startTestHost();
    for (const name of notYet) {
      const operation = [...contract.values()].find((each) => each.name === name);
      assert.ok(operation, name);
      const { status, headers, json } = await send(t.url, {
        method: operation.method,
        path: operation.path.replaceAll(/\{[^}]*\}/g, 'x'),
        query: { ...operation.fixedQuery },
      });
      assert.equal(status, 400, name);
      assert.equal(headers['x-amzn-errortype'], 'InvalidParameterValueException');
      const message = `${name} is not available on this host yet`;
      assert.deepEqual(json, { Type: 'User', message });
    }
  });
});
