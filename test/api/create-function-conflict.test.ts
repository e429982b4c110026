// One name, one function, also for creations at the same time.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CreateFunctionCommand, GetFunctionCommand } from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { refusalOf } from '../support/wire.ts';

const taken = {
  status: 409,
  name: 'ResourceConflictException',
  message: 'Function already exist: f',
};

suite('A name that is taken', () => {
  test('is refused in whatever form, and the function stays as it was', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const before = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
    for (const name of ['f', `${ARN}:f`, 'f:$LATEST']) {
      const command = new CreateFunctionCommand(await createRequest(name));
      assert.deepEqual(await refusalOf(t.client.send(command)), taken);
    }
    const after = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
    assert.deepEqual(after.Configuration, before.Configuration);
  });

  test('goes to one of many that ask for it at the same time', async () => {
    await using t = await startTestHost();
    const calls = Array.from({ length: 8 }, async (_, index) => {
      const ZipFile = await zipOf(returning(String(index)));
      const command = new CreateFunctionCommand(await createRequest('f', { Code: { ZipFile } }));
      return await t.client.send(command).then(
        () => 'created',
        (error: Error) => error.message,
      );
    });
    const told = (await Promise.all(calls)).toSorted();
    assert.deepEqual(told, [...Array<string>(7).fill(taken.message), 'created']);
  });

  test('is free in another region', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const { LambdaClient } = await import('@aws-sdk/client-lambda');
    using client = Object.assign(
      new LambdaClient({
        endpoint: t.url,
        region: 'eu-west-1',
        credentials: t.client.config.credentials,
      }),
      { [Symbol.dispose]: () => client.destroy() },
    );
    const created = await client.send(new CreateFunctionCommand(await createRequest('f')));
    assert.equal(created.FunctionArn, 'arn:aws:lambda:eu-west-1:000000000000:function:f');
  });
});
