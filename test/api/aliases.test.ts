// GetAlias, ListAliases and DeleteAlias.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteAliasCommand,
  GetAliasCommand,
  type LambdaClient,
  ListAliasesCommand,
  type ListAliasesCommandInput,
  paginateListAliases,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { alias, everythingOf, membersOf, weights, withVersions } from '../support/versions.ts';
import { invalid, refusalOf, send, unfit } from '../support/wire.ts';

const forms = ['f', 'f:$LATEST', 'function:f', '000000000000:f', `${ARN}:f`, `${ARN}:f:$LATEST`];

const whole = invalid(
  'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
);

function notFound(message: string) {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

async function read(client: LambdaClient, FunctionName: string, Name: string) {
  return membersOf(await client.send(new GetAliasCommand({ FunctionName, Name })));
}

async function remove(client: LambdaClient, FunctionName: string, Name: string) {
  const command = new DeleteAliasCommand({ FunctionName, Name });
  return (await client.send(command)).$metadata.httpStatusCode;
}

async function list(client: LambdaClient, input: Partial<ListAliasesCommandInput> = {}) {
  const command = new ListAliasesCommand({ FunctionName: 'f', ...input });
  const { Aliases = [], NextMarker } = await client.send(command);
  return { names: Aliases.map(({ Name }) => Name), NextMarker };
}

suite('GetAlias', () => {
  test('shows the alias under every form of the function’s name', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    const made = await alias(client, 'f', 'PROD', '1', {
      Description: 'd',
      ...weights({ 2: 0.1 }),
    });
    for (const name of forms) assert.deepEqual(await read(client, name, 'PROD'), made, name);
    for (const name of ['f:1', `${ARN}:f:PROD`])
      assert.deepEqual(await refusalOf(read(client, name, 'PROD')), whole);
  });

  test('is not found without the alias or the function; names are case-sensitive', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'PROD', '1');
    for (const [name, wanted] of [
      ['f', 'prod'],
      ['missing', 'PROD'],
    ] as const)
      assert.deepEqual(
        await refusalOf(read(client, name, wanted)),
        notFound(`Cannot find alias arn: ${ARN}:${name}:${wanted}`),
      );
    assert.deepEqual(
      await refusalOf(read(client, 'f', '1')),
      unfit(
        `Value '1' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`,
      ),
    );
  });
});

suite('DeleteAlias', () => {
  test('answers 204 without a body, and again when there is no such alias or function', async () => {
    await using t = await startTestHost();
    const { client } = t;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'PROD', '1');
    await alias(client, 'f', 'other', '1');
    for (const path of ['f/aliases/PROD', 'f/aliases/PROD', 'missing/aliases/PROD']) {
      const { status, body } = await send(t.url, {
        method: 'DELETE',
        path: `/2015-03-31/functions/${path}`,
      });
      assert.deepEqual([status, body], [204, '']);
    }
    assert.deepEqual((await list(client)).names, ['other']);
    assert.equal((await refusalOf(read(client, 'f', 'PROD'))).status, 404);
    assert.equal((await alias(client, 'f', 'PROD', '1')).FunctionVersion, '1');
  });

  test('takes every form of an unqualified name, and no version or alias', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    for (const name of forms) {
      await alias(client, 'f', 'PROD', '1');
      assert.equal(await remove(client, name, 'PROD'), 204);
      assert.deepEqual((await list(client)).names, []);
    }
    for (const name of ['f:1', `${ARN}:f:PROD`])
      assert.deepEqual(await refusalOf(remove(client, name, 'PROD')), whole);
  });
});

suite('ListAliases', () => {
  test('shows the aliases by name, each as GetAlias does, those of one primary version if asked', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await withVersions(client, 'f1', 1);
    assert.deepEqual(await list(client), { names: [], NextMarker: undefined });
    await alias(client, 'f', 'b', '1');
    await alias(client, 'f', 'B', '2');
    await alias(client, 'f', 'a-1', '1', weights({ 2: 0.5 }));
    await alias(client, 'f', 'a1', '$LATEST');
    await alias(client, 'f1', 'other', '1');
    const { $metadata, Aliases = [] } = await client.send(
      new ListAliasesCommand({ FunctionName: 'f' }),
    );
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(
      Aliases.map(({ Name }) => Name),
      ['B', 'a-1', 'a1', 'b'],
    );
    for (const each of Aliases) assert.deepEqual(each, await read(client, 'f', each.Name ?? ''));
    const of = async (FunctionVersion: string) => (await list(client, { FunctionVersion })).names;
    assert.deepEqual(await of('1'), ['a-1', 'b']);
    assert.deepEqual(await of('2'), ['B']);
    assert.deepEqual(await of('$LATEST'), ['a1']);
    assert.deepEqual(await of('3'), []);
    for (const FunctionName of forms)
      assert.equal((await list(client, { FunctionName })).names.length, 4);
    assert.deepEqual(await refusalOf(list(client, { FunctionName: 'f:1' })), whole);
  });

  test('has pages that hold everything once, 50 at most, also while aliases go', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    const names = Array.from({ length: 60 }, (_, index) => `a${String(index).padStart(2, '0')}`);
    await Promise.all(names.map((name, index) => alias(client, 'f', name, index < 5 ? '2' : '1')));
    assert.deepEqual((await list(client, { MaxItems: 10_000 })).names, names.slice(0, 50));
    const walked: (string | undefined)[] = [];
    const input = { FunctionName: 'f', FunctionVersion: '1' };
    for await (const { Aliases = [] } of paginateListAliases({ client, pageSize: 9 }, input)) {
      walked.push(...Aliases.map(({ Name }) => Name));
      if (walked.length === 9) for (const name of ['a13', 'a14']) await remove(client, 'f', name);
    }
    assert.deepEqual(
      walked,
      names.slice(5).filter((name) => name !== 'a14'),
    );
  });

  test('is not found without a function, and refuses what it cannot read', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    assert.deepEqual(
      await refusalOf(list(client, { FunctionName: 'missing' })),
      notFound(`Function not found: ${ARN}:missing`),
    );
    assert.deepEqual(
      await refusalOf(list(client, { FunctionVersion: 'PROD' })),
      unfit(
        String.raw`Value 'PROD' at 'functionVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: (\$LATEST(\.PUBLISHED)?|[0-9]+)`,
      ),
    );
    assert.deepEqual(await refusalOf(list(client, { Marker: '!' })), invalid('Invalid marker'));
    assert.deepEqual(
      await refusalOf(list(client, { MaxItems: 0 })),
      unfit(
        `Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1`,
      ),
    );
  });
});

test('After a restart versions and aliases are as they were', async () => {
  await using directory = await dataDirectory();
  let before: unknown;
  {
    await using host = await startApiHost({ dataDir: directory.path });
    const { client } = host;
    await withVersions(client, 'f', 11);
    await alias(client, 'f', 'PROD', '10', { Description: 'é', ...weights({ 11: 0.125 }) });
    await alias(client, 'f', 'dev', '$LATEST');
    await alias(client, 'f', 'gone', '1');
    await remove(client, 'f', 'gone');
    before = await everythingOf(client);
  }
  await using host = await startApiHost({ dataDir: directory.path });
  assert.deepEqual(await everythingOf(host.client), before);
});
