// ListFunctions: members, order, pages.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  type ListFunctionsCommandInput,
  paginateListFunctions,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { withVersions } from '../support/versions.ts';
import { refusalOf, send, unfit } from '../support/wire.ts';

async function create(t: TestHost, names: readonly string[]): Promise<void> {
  const create = async (name: string) =>
    await t.client.send(new CreateFunctionCommand(await createRequest(name)));
  await Promise.all(names.map(create));
}

async function list(t: TestHost, input: ListFunctionsCommandInput = {}) {
  return await t.client.send(new ListFunctionsCommand(input));
}

async function namesOf(t: TestHost, input: ListFunctionsCommandInput = {}) {
  const { Functions, NextMarker } = await list(t, input);
  return { names: Functions?.map((each) => each.FunctionName), NextMarker };
}

suite('ListFunctions', () => {
  test('of none is an empty list without a marker', async () => {
    await using t = await startTestHost();
    const { body } = await send(t.url, { path: '/2015-03-31/functions/' });
    assert.equal(body, '{"Functions":[]}');
  });

  test('orders by name and shows a configuration without states, runtime version and tags', async () => {
    await using t = await startTestHost();
    await create(t, ['b', 'B', 'a-b', 'ab', 'a_b', '1']);
    await t.deploy('a', returning('1'), { Tags: { k: 'v' }, Description: 'first' });
    const { Functions, NextMarker } = await list(t);
    assert.equal(NextMarker, undefined);
    assert.deepEqual(
      Functions?.map((each) => each.FunctionName),
      ['1', 'B', 'a', 'a-b', 'a_b', 'ab', 'b'],
    );
    const command = new GetFunctionConfigurationCommand({ FunctionName: 'a' });
    const {
      $metadata: _,
      State,
      LastUpdateStatus,
      RuntimeVersionConfig,
      ...rest
    } = await t.client.send(command);
    assert.ok(State && LastUpdateStatus && RuntimeVersionConfig);
    assert.deepEqual(Functions?.[2], rest);
  });

  test('shows $LATEST and every version under its ARN when asked for ALL', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    await t.deploy('a', returning('1'));
    const ZipFile = await zipOf(returning('2'));
    const update = { FunctionName: 'f', ZipFile, Publish: true };
    await t.client.send(new UpdateFunctionCodeCommand(update));
    const { Functions } = await list(t, { FunctionVersion: 'ALL' });
    assert.deepEqual(
      Functions?.map((each) => [each.FunctionArn, each.Version]),
      [
        [`${ARN}:a:$LATEST`, '$LATEST'],
        [`${ARN}:f:$LATEST`, '$LATEST'],
        [`${ARN}:f:1`, '1'],
        [`${ARN}:f:2`, '2'],
      ],
    );
    assert.deepEqual((await namesOf(t)).names, ['a', 'f']);
  });

  test('has pages of versions that hold everything once, across functions, also while they go', async () => {
    await using host = await startApiHost();
    const { client } = host;
    for (const [name, count] of [
      ['a', 3],
      ['a-b', 1],
      ['a1', 12],
      ['b', 2],
    ] as const)
      await withVersions(client, name, count);
    const arnsOf = (name: string, count: number) =>
      Array.from({ length: count + 1 }, (_, n) => `${ARN}:${name}:${n === 0 ? '$LATEST' : n}`);
    const all = [...arnsOf('a', 3), ...arnsOf('a-b', 1), ...arnsOf('a1', 12), ...arnsOf('b', 2)];
    const walk = async (size: number, afterFirst: () => Promise<void>) => {
      const arns: (string | undefined)[] = [];
      const input = { FunctionVersion: 'ALL' as const };
      for await (const { Functions = [] } of paginateListFunctions(
        { client, pageSize: size },
        input,
      )) {
        arns.push(...Functions.map((each) => each.FunctionArn));
        if (arns.length === size) await afterFirst();
      }
      return arns;
    };
    for (const size of [1, 2, 5, 50]) assert.deepEqual(await walk(size, async () => {}), all);
    // The marked version and the function behind it go while a page is looked at.
    const removed = async () => {
      const marked = { FunctionName: 'a', Qualifier: '2' };
      await client.send(new DeleteFunctionCommand(marked));
      await client.send(new DeleteFunctionCommand({ FunctionName: 'a-b' }));
    };
    const left = all.filter((arn) => !arn.startsWith(`${ARN}:a-b:`));
    assert.deepEqual(await walk(3, removed), left);
    const foreign = Buffer.from('7').toString('base64url');
    const command = new ListFunctionsCommand({ FunctionVersion: 'ALL', Marker: foreign });
    assert.equal((await refusalOf(client.send(command))).message, 'Invalid marker');
  });

  test('has pages that hold everything once, also while items go', async () => {
    await using t = await startTestHost();
    const names = Array.from({ length: 12 }, (_, index) => `f${String(index).padStart(2, '0')}`);
    await create(t, names);
    const seen: (string | undefined)[] = [];
    const pages = paginateListFunctions({ client: t.client }, { MaxItems: 5 });
    for await (const { Functions } of pages)
      seen.push(...(Functions ?? []).map((each) => each.FunctionName));
    assert.deepEqual(seen, names);
    const first = await namesOf(t, { MaxItems: 5 });
    assert.deepEqual(first.names, names.slice(0, 5));
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f04' }));
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f05' }));
    const second = await namesOf(t, { MaxItems: 5, Marker: first.NextMarker });
    assert.deepEqual(second.names, names.slice(6, 11));
    const last = await namesOf(t, { MaxItems: 5, Marker: second.NextMarker });
    assert.deepEqual(last, { names: names.slice(11), NextMarker: undefined });
  });

  test('holds at most 50 in a page, whatever is asked', async () => {
    await using t = await startTestHost();
    const names = Array.from({ length: 53 }, (_, index) => `f${String(index).padStart(2, '0')}`);
    await create(t, names);
    for (const MaxItems of [undefined, 51, 10_000]) {
      const page = await namesOf(t, { MaxItems });
      assert.deepEqual(page.names, names.slice(0, 50));
      assert.ok(page.NextMarker);
    }
    const page = await namesOf(t, { FunctionVersion: 'ALL', MaxItems: 10_000 });
    assert.equal(page.names?.length, 50);
  });

  test('knows no edge replicas', async () => {
    await using t = await startTestHost();
    await create(t, ['f']);
    assert.deepEqual((await namesOf(t, { MasterRegion: 'ALL' })).names, ['f']);
    assert.deepEqual((await namesOf(t, { MasterRegion: 'us-east-1' })).names, []);
  });

  test('refuses sizes, versions and markers that it cannot read', async () => {
    await using t = await startTestHost();
    const constraint = 'failed to satisfy constraint: Member must';
    const refused = async (input: object) => await refusalOf(list(t, input));
    assert.deepEqual(
      await refused({ MaxItems: 0 }),
      unfit(`Value '0' at 'maxItems' ${constraint} have value greater than or equal to 1`),
    );
    assert.deepEqual(
      await refused({ MaxItems: 10_001 }),
      unfit(`Value '10001' at 'maxItems' ${constraint} have value less than or equal to 10000`),
    );
    assert.deepEqual(
      await refused({ FunctionVersion: '1' }),
      unfit(`Value '1' at 'functionVersion' ${constraint} satisfy enum value set: [ALL]`),
    );
    assert.deepEqual(await refused({ Marker: 'no marker' }), {
      status: 400,
      name: 'InvalidParameterValueException',
      message: 'Invalid marker',
    });
  });
});
