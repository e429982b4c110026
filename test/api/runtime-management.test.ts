// Runtime management configs: kept for each version, shown in agreement with the configuration, and acted on by invocations.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  GetRuntimeManagementConfigCommand,
  InvokeCommand,
  type LambdaClient,
  PutRuntimeManagementConfigCommand,
  type PutRuntimeManagementConfigCommandInput,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

type Members = Partial<PutRuntimeManagementConfigCommandInput>;

async function put(client: LambdaClient, members: Members) {
  const { $metadata, ...config } = await client.send(
    new PutRuntimeManagementConfigCommand({
      FunctionName: 'f',
      UpdateRuntimeOn: 'Auto',
      ...members,
    }),
  );
  assert.equal($metadata.httpStatusCode, 200);
  return config;
}

async function get(client: LambdaClient, Qualifier?: string, FunctionName = 'f') {
  const command = new GetRuntimeManagementConfigCommand({ FunctionName, Qualifier });
  const { $metadata: _, ...config } = await client.send(command);
  return config;
}

async function runtimeOf(client: LambdaClient, Qualifier?: string) {
  const command = new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier });
  return (await client.send(command)).RuntimeVersionConfig;
}

suite('A runtime management config', () => {
  test('is Auto until it is put, and is kept for each version by itself', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const auto = { UpdateRuntimeOn: 'Auto' };
    assert.deepEqual(await get(t.client), { ...auto, FunctionArn: `${ARN}:f` });
    assert.deepEqual(await get(t.client, '1'), { ...auto, FunctionArn: `${ARN}:f:1` });
    const put1 = await put(t.client, { UpdateRuntimeOn: 'FunctionUpdate', Qualifier: '1' });
    assert.deepEqual(put1, { UpdateRuntimeOn: 'FunctionUpdate', FunctionArn: `${ARN}:f:1` });
    assert.deepEqual(await get(t.client, '1'), put1);
    assert.deepEqual(await get(t.client, '$LATEST'), { ...auto, FunctionArn: `${ARN}:f:$LATEST` });
    await put(t.client, { UpdateRuntimeOn: 'FunctionUpdate' });
    assert.equal((await get(t.client, '$LATEST')).UpdateRuntimeOn, 'FunctionUpdate');
  });

  test('pins the runtime version that the configuration shows, and the function runs', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const { RuntimeVersionArn } = (await runtimeOf(t.client)) ?? {};
    const manual = { UpdateRuntimeOn: 'Manual', RuntimeVersionArn } as const;
    const pinned = await put(t.client, manual);
    assert.deepEqual(pinned, { ...manual, FunctionArn: `${ARN}:f` });
    assert.deepEqual(await get(t.client), pinned);
    assert.deepEqual(await runtimeOf(t.client), { RuntimeVersionArn });
    assert.equal((await t.invoke('f')).payload, 1);
  });

  test('names a runtime version with Manual and only then, one that the host has', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const { RuntimeVersionArn: has = '' } = (await runtimeOf(t.client)) ?? {};
    const before = await put(t.client, { UpdateRuntimeOn: 'FunctionUpdate' });
    const refused = async (members: Members) => await refusalOf(put(t.client, members));
    assert.deepEqual(
      await refused({ UpdateRuntimeOn: 'Manual' }),
      invalid('Runtime version ARN is required when UpdateRuntimeOn is Manual'),
    );
    for (const UpdateRuntimeOn of ['Auto', 'FunctionUpdate'] as const)
      assert.deepEqual(
        await refused({ UpdateRuntimeOn, RuntimeVersionArn: has }),
        invalid(`Runtime version ARN must not be given when UpdateRuntimeOn is ${UpdateRuntimeOn}`),
      );
    const unknown = `arn:aws:lambda:us-east-1::runtime:${'0'.repeat(64)}`;
    assert.deepEqual(
      await refused({ UpdateRuntimeOn: 'Manual', RuntimeVersionArn: unknown }),
      invalid(`The runtime version ${unknown} is not on this host; it has ${has}`),
    );
    assert.deepEqual(
      await refused({ UpdateRuntimeOn: 'Never' as 'Auto' }),
      unfit(
        "Value 'Never' at 'updateRuntimeOn' failed to satisfy constraint: Member must satisfy enum value set: [Auto, Manual, FunctionUpdate]",
      ),
    );
    assert.deepEqual(await get(t.client), before);
  });

  test('belongs to a version that is there, not to an alias', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await t.client.send(
      new CreateAliasCommand({ FunctionName: 'f', Name: 'PROD', FunctionVersion: '1' }),
    );
    for (const [name, Qualifier, arn] of [
      ['missing', undefined, `${ARN}:missing`],
      ['missing', '1', `${ARN}:missing:1`],
      ['f', '2', `${ARN}:f:2`],
      ['f', 'TEST', `${ARN}:f:TEST`],
    ] as const) {
      const message = `Function not found: ${arn}`;
      const none = { status: 404, name: 'ResourceNotFoundException', message };
      assert.deepEqual(await refusalOf(get(t.client, Qualifier, name)), none);
      assert.deepEqual(await refusalOf(put(t.client, { FunctionName: name, Qualifier })), none);
    }
    const alias = invalid(
      'Runtime management is configured on $LATEST or a published version, not on an alias.',
    );
    assert.deepEqual(await refusalOf(get(t.client, 'PROD')), alias);
    assert.deepEqual(await refusalOf(put(t.client, { Qualifier: 'PROD' })), alias);
  });

  test('goes with its version', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await put(t.client, { UpdateRuntimeOn: 'FunctionUpdate' });
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    await t.deploy('f', returning('1'));
    assert.equal((await get(t.client)).UpdateRuntimeOn, 'Auto');
  });

  test('is the same after a restart; a version pinned to what the host lost says so and does not run', async () => {
    await using dir = await dataDirectory();
    const pinned = 'arn:aws:lambda:us-east-1::runtime:old';
    let before: unknown;
    {
      await using host = await startApiHost({ dataDir: dir.path, runtimeHash: 'old' });
      const { client } = host;
      await client.send(new CreateFunctionCommand(await createRequest('f', { Publish: true })));
      await waitUntilFunctionActiveV2(
        { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
        { FunctionName: 'f', Qualifier: '1' },
      );
      await put(client, { UpdateRuntimeOn: 'Manual', RuntimeVersionArn: pinned, Qualifier: '1' });
      before = await get(client, '1');
      await client.send(new InvokeCommand({ FunctionName: 'f', Qualifier: '1' }));
    }
    await using host = await startApiHost({ dataDir: dir.path, runtimeHash: 'new' });
    const { client } = host;
    assert.deepEqual(await get(client, '1'), before);
    const has = 'arn:aws:lambda:us-east-1::runtime:new';
    assert.deepEqual(await runtimeOf(client, '1'), {
      RuntimeVersionArn: pinned,
      Error: {
        ErrorCode: 'InvalidRuntime',
        Message: `The runtime version is not on this host; it has ${has}`,
      },
    });
    const invoke = new InvokeCommand({ FunctionName: 'f', Qualifier: '1' });
    assert.deepEqual(await refusalOf(client.send(invoke)), {
      status: 502,
      name: 'InvalidRuntimeException',
      message: `The function is pinned to the runtime version ${pinned}, and this host has ${has}. To use it, run: aws lambda put-runtime-management-config --function-name NAME --update-runtime-on Auto`,
    });
    assert.deepEqual(await runtimeOf(client), { RuntimeVersionArn: has });
    await client.send(new InvokeCommand({ FunctionName: 'f' }));
    await put(client, { Qualifier: '1' });
    await client.send(new InvokeCommand({ FunctionName: 'f', Qualifier: '1' }));
  });
});
