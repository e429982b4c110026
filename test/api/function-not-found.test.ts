// What is said of functions and versions that are not there.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { refusalOf } from '../support/wire.ts';

interface Named {
  readonly FunctionName: string;
  readonly Qualifier?: string;
}

const operations: Readonly<
  Record<string, (client: LambdaClient, named: Named) => Promise<unknown>>
> = {
  GetFunction: (client, named) => client.send(new GetFunctionCommand(named)),
  GetFunctionConfiguration: (client, named) =>
    client.send(new GetFunctionConfigurationCommand(named)),
  DeleteFunction: (client, named) => client.send(new DeleteFunctionCommand(named)),
  Invoke: (client, named) => client.send(new InvokeCommand(named)),
  UpdateFunctionCode: async (client, named) =>
    client.send(new UpdateFunctionCodeCommand({ ...named, ZipFile: await zipOf(returning('1')) })),
  UpdateFunctionConfiguration: (client, named) =>
    client.send(new UpdateFunctionConfigurationCommand(named)),
};

function notFound(arn: string) {
  const message = `Function not found: ${arn}`;
  return { status: 404, name: 'ResourceNotFoundException', message };
}

suite('Not found', () => {
  test('is told of a missing function with the qualifier that each operation shows', async () => {
    await using t = await startTestHost();
    const missing = { FunctionName: 'missing' };
    const arn = `${ARN}:missing`;
    for (const [name, call] of Object.entries(operations)) {
      const shown = name === 'Invoke' ? `${arn}:$LATEST` : arn;
      assert.deepEqual(await refusalOf(call(t.client, missing)), notFound(shown), name);
    }
    for (const name of ['GetFunction', 'GetFunctionConfiguration', 'Invoke', 'DeleteFunction']) {
      const call = operations[name];
      assert.ok(call);
      const shown = name === 'DeleteFunction' ? arn : `${arn}:7`;
      const beside = call(t.client, { ...missing, Qualifier: '7' });
      assert.deepEqual(await refusalOf(beside), notFound(shown), name);
      const within = call(t.client, { FunctionName: `${arn}:7` });
      assert.deepEqual(await refusalOf(within), notFound(shown), name);
    }
    const named = await refusalOf(t.client.send(new GetFunctionCommand({ FunctionName: 'a.b' })));
    assert.deepEqual(named, notFound(`${ARN}:a.b`));
    const long = 'n'.repeat(65);
    const tooLong = new GetFunctionCommand({ FunctionName: long });
    assert.deepEqual(await refusalOf(t.client.send(tooLong)), notFound(`${ARN}:${long}`));
  });

  test('is told of a missing version or alias of a function that is there', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    for (const name of ['GetFunction', 'GetFunctionConfiguration', 'Invoke']) {
      for (const Qualifier of ['2', '01', 'PROD', '$latest']) {
        const call = operations[name]?.(t.client, { FunctionName: 'f', Qualifier });
        assert.ok(call);
        assert.deepEqual(await refusalOf(call), notFound(`${ARN}:f:${Qualifier}`), name);
      }
    }
  });

  test('is told of $LATEST.PUBLISHED as of no published version', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const command = new InvokeCommand({ FunctionName: 'f', Qualifier: '$LATEST.PUBLISHED' });
    const { status, name } = await refusalOf(t.client.send(command));
    assert.deepEqual([status, name], [400, 'NoPublishedVersionException']);
  });
});
