// DeleteFunction, of a version and of all there is.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  ListAliasesCommand,
  ListFunctionsCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { alias, everythingOf, versionsOf, weights, withVersions } from '../support/versions.ts';
import { invalid, refusalOf, send } from '../support/wire.ts';

async function remove(t: TestHost, FunctionName: string, Qualifier?: string) {
  const command = new DeleteFunctionCommand({ FunctionName, Qualifier });
  return (await t.client.send(command)).$metadata.httpStatusCode;
}

async function versions(t: TestHost): Promise<(string | undefined)[]> {
  const { Functions } = await t.client.send(new ListFunctionsCommand({ FunctionVersion: 'ALL' }));
  return (Functions ?? []).map((each) => each.Version);
}

async function publish(t: TestHost, generation: number): Promise<string> {
  const ZipFile = await zipOf(returning(String(generation)));
  const update = new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile, Publish: true });
  const { Version } = await t.client.send(update);
  const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
  await waitUntilPublishedVersionActive(waiting, { FunctionName: 'f', Qualifier: Version });
  return Version ?? '';
}

const missing = {
  status: 404,
  name: 'ResourceNotFoundException',
  message: `Function not found: ${ARN}:f`,
};

suite('DeleteFunction', () => {
  test('answers 204 without a body, and the function is gone with its versions', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await t.invoke('f');
    const answer = await send(t.url, { method: 'DELETE', path: '/2015-03-31/functions/f' });
    assert.equal(answer.status, 204);
    assert.equal(answer.body, '');
    assert.equal(answer.headers['content-type'], undefined);
    assert.deepEqual(await versions(t), []);
    assert.deepEqual(
      await refusalOf(t.client.send(new GetFunctionCommand({ FunctionName: 'f' }))),
      missing,
    );
    assert.equal((await refusalOf(t.invoke('f'))).status, 404);
    assert.deepEqual(await refusalOf(remove(t, 'f')), missing);
  });

  test('with a version removes that one, and its number is not used again', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await publish(t, 2);
    assert.equal(await remove(t, 'f', '2'), 204);
    assert.deepEqual(await versions(t), ['$LATEST', '1']);
    assert.equal((await refusalOf(t.invoke('f', {}, { Qualifier: '2' }))).status, 404);
    assert.equal((await t.invoke('f', {}, { Qualifier: '1' })).payload, 1);
    assert.equal(await publish(t, 3), '3');
    assert.equal(await remove(t, `${ARN}:f:1`), 204);
    assert.deepEqual(await versions(t), ['$LATEST', '3']);
  });

  test('with a version that is not there answers 204, and 404 when there is no function', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    for (const version of ['2', '01', '99999999999999999999'])
      assert.equal(await remove(t, 'f', version), 204);
    assert.deepEqual(await versions(t), ['$LATEST', '1']);
    const other = { ...missing, message: `Function not found: ${ARN}:other` };
    assert.deepEqual(await refusalOf(remove(t, 'other', '1')), other);
  });

  test('tells two qualifiers, aliases and $LATEST before it looks for the function', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    for (const name of ['f', 'other']) {
      assert.deepEqual(
        await refusalOf(remove(t, `${name}:1`, 'PROD')),
        invalid(
          'The derived qualifier from the function name does not match the specified qualifier.',
        ),
      );
      assert.deepEqual(
        await refusalOf(remove(t, name, 'PROD')),
        invalid('Deletion of aliases is not currently supported.'),
      );
      assert.deepEqual(
        await refusalOf(remove(t, name, '$LATEST')),
        invalid('$LATEST version cannot be deleted without deleting the function.'),
      );
    }
    assert.deepEqual(await versions(t), ['$LATEST', '1']);
  });

  test('with a version that aliases point to names these, and removes nothing until they are gone', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 3);
    await alias(client, 'f', 'b', '1');
    await alias(client, 'f', 'a', '2', weights({ 1: 0 }));
    await alias(client, 'f', 'c', '2');
    const before = await everythingOf(client);
    const removed = (Qualifier: string) =>
      client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier }));
    const referenced = (names: string) => ({
      status: 409,
      name: 'ResourceConflictException',
      message: `Unable to delete version because the following aliases reference it: [${names}]`,
    });
    assert.deepEqual(await refusalOf(removed('1')), referenced('a, b'));
    assert.deepEqual(await refusalOf(removed('2')), referenced('a, c'));
    for (const name of ['a', 'missing'])
      assert.deepEqual(
        await refusalOf(removed(name)),
        invalid('Deletion of aliases is not currently supported.'),
      );
    assert.deepEqual(await everythingOf(client), before);
    await removed('3');
    await client.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'a' }));
    assert.deepEqual(await refusalOf(removed('1')), referenced('b'));
    const moved = { FunctionName: 'f', Name: 'b', FunctionVersion: '$LATEST' };
    await client.send(new UpdateAliasCommand(moved));
    await removed('1');
    assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST', '2']);
  });

  test('takes the aliases with the function, and leaves none to a new one of its name', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'PROD', '1');
    await client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    await withVersions(client, 'f', 1);
    const { Aliases } = await client.send(new ListAliasesCommand({ FunctionName: 'f' }));
    assert.deepEqual(Aliases, []);
  });

  test('frees the name at once, and numbers begin again', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    assert.equal(await publish(t, 2), '2');
    assert.equal((await t.invoke('f')).payload, 2);
    await remove(t, 'f');
    const Code = { ZipFile: await zipOf(returning('"again"')) };
    const request = await createRequest('f', { Code, Publish: true });
    const { Version } = await t.client.send(new CreateFunctionCommand(request));
    assert.equal(Version, '1');
    const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
    await waitUntilPublishedVersionActive(waiting, { FunctionName: 'f', Qualifier: '1' });
    assert.deepEqual(await versions(t), ['$LATEST', '1']);
    for (const Qualifier of [undefined, '1'])
      assert.equal((await t.invoke('f', {}, { Qualifier })).payload, 'again');
  });

  test('of one function leaves those whose names begin alike', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await t.deploy('f1', returning('1'), { Publish: true });
    await t.deploy('f-1', returning('1'));
    await remove(t, 'f');
    assert.deepEqual(await versions(t), ['$LATEST', '$LATEST', '1']);
  });
});
