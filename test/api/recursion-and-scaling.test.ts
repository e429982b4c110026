// Recursion configs, and scaling configs of functions that have no capacity provider.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  GetFunctionConfigurationCommand,
  GetFunctionRecursionConfigCommand,
  GetFunctionScalingConfigCommand,
  type LambdaClient,
  PutFunctionRecursionConfigCommand,
  PutFunctionScalingConfigCommand,
  type RecursiveLoop,
} from '@aws-sdk/client-lambda';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

async function loopOf(client: LambdaClient, FunctionName = 'f') {
  return (await client.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).RecursiveLoop;
}

async function put(client: LambdaClient, loop: RecursiveLoop, FunctionName = 'f') {
  const command = new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: loop });
  return (await client.send(command)).RecursiveLoop;
}

function notFound(arn: string) {
  const message = `Function not found: ${arn}`;
  return { status: 404, name: 'ResourceNotFoundException', message };
}

suite('A recursion config', () => {
  test('is Terminate until it is put, and leaves the function as it is', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const shown = async () => {
      const command = new GetFunctionConfigurationCommand({ FunctionName: 'f' });
      const { $metadata: _, ...configuration } = await t.client.send(command);
      return configuration;
    };
    const before = await shown();
    assert.equal(await loopOf(t.client), 'Terminate');
    assert.equal(await put(t.client, 'Allow'), 'Allow');
    assert.equal(await loopOf(t.client, `${ARN}:f`), 'Allow');
    assert.equal(await put(t.client, 'Terminate', `${ARN}:f`), 'Terminate');
    assert.equal(await loopOf(t.client), 'Terminate');
    assert.deepEqual(await shown(), before);
  });

  test('is refused for other values, qualified names and missing functions', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await put(t.client, 'Allow');
    assert.deepEqual(
      await refusalOf(put(t.client, 'Never' as RecursiveLoop)),
      unfit(
        "Value 'Never' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Terminate, Allow]",
      ),
    );
    for (const call of [() => put(t.client, 'Terminate', 'f:1'), () => loopOf(t.client, 'f:1')])
      assert.match((await refusalOf(call())).message, /Value 'f:1' at 'functionName' failed/);
    assert.deepEqual(await refusalOf(put(t.client, 'Allow', 'g')), notFound(`${ARN}:g`));
    assert.deepEqual(await refusalOf(loopOf(t.client, 'g')), notFound(`${ARN}:g`));
    assert.equal(await loopOf(t.client), 'Allow');
  });

  test('is the same after a restart', async () => {
    await using dir = await dataDirectory();
    {
      await using t = await startTestHost({ dataDir: dir.path });
      await t.deploy('f', returning('1'));
      await put(t.client, 'Allow');
    }
    await using t = await startTestHost({ dataDir: dir.path });
    assert.equal(await loopOf(t.client), 'Allow');
  });
});

suite('A scaling config', () => {
  test('is denied to a function without a capacity provider', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const denied = {
      status: 403,
      name: 'AccessDeniedException',
      message:
        'The function provided by the arn does not contain a capacity provider configuration',
    };
    for (const Qualifier of ['1', '$LATEST.PUBLISHED']) {
      const named = { FunctionName: 'f', Qualifier };
      const FunctionScalingConfig = { MinExecutionEnvironments: 1, MaxExecutionEnvironments: 1 };
      const put = new PutFunctionScalingConfigCommand({ ...named, FunctionScalingConfig });
      assert.deepEqual(await refusalOf(t.client.send(put)), denied);
      const get = new GetFunctionScalingConfigCommand(named);
      assert.deepEqual(await refusalOf(t.client.send(get)), denied);
    }
  });

  test('is refused for what is no version, a missing one, and bounds that cross', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const put = (Qualifier: string, FunctionScalingConfig = {}, FunctionName = 'f') =>
      refusalOf(
        t.client.send(
          new PutFunctionScalingConfigCommand({ FunctionName, Qualifier, FunctionScalingConfig }),
        ),
      );
    assert.match((await put('PROD')).message, /Value 'PROD' at 'qualifier' failed/);
    assert.deepEqual(await put('2'), notFound(`${ARN}:f:2`));
    assert.deepEqual(await put('1', {}, 'g'), notFound(`${ARN}:g:1`));
    assert.deepEqual(
      await put('1', { MinExecutionEnvironments: 15_001 }),
      unfit(
        "Value '15001' at 'functionScalingConfig.minExecutionEnvironments' failed to satisfy constraint: Member must have value less than or equal to 15000",
      ),
    );
    assert.deepEqual(
      await put('1', { MinExecutionEnvironments: 2, MaxExecutionEnvironments: 1 }),
      invalid('MinExecutionEnvironments must be less than or equal to MaxExecutionEnvironments.'),
    );
  });
});
