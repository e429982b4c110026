// PublishVersion: what it answers, when there is nothing to publish, and what it checks first.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteFunctionCommand,
  InvokeCommand,
  type LambdaClient,
  PublishVersionCommand,
  type PublishVersionCommandInput,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, returning } from '../support/functions.ts';
import {
  configurationOf,
  created,
  everythingOf,
  published,
  settled,
  updated,
  versionsOf,
  withVersions,
} from '../support/versions.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

const STALE =
  'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id';

async function refused(client: LambdaClient, input: Partial<PublishVersionCommandInput>) {
  return await refusalOf(published(client, 'f', input));
}

async function withCode(client: LambdaClient, expression: string): Promise<void> {
  const ZipFile = await zipOf(returning(expression));
  await client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile }));
  await settled(client, 'f');
}

suite('PublishVersion', () => {
  test('answers 201 with the version: active, under its own ARN, as $LATEST is but for its revision', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const latest = await created(client, 'f', { Description: 'of the function', Timeout: 9 });
    const answer = await client.send(new PublishVersionCommand({ FunctionName: 'f' }));
    assert.equal(answer.$metadata.httpStatusCode, 201);
    const version = await configurationOf(client, 'f', '1');
    const { $metadata: _, ...members } = answer;
    assert.deepEqual(members, version);
    const { RevisionId, ...rest } = version;
    const { RevisionId: ofLatest, ...restOfLatest } = latest;
    assert.deepEqual(rest, { ...restOfLatest, FunctionArn: `${ARN}:f:1`, Version: '1' });
    assert.equal(rest.State, 'Active');
    assert.equal(rest.LastUpdateStatus, 'Successful');
    assert.equal(rest.Description, 'of the function');
    const after = await configurationOf(client, 'f');
    assert.equal(new Set([RevisionId, ofLatest, after.RevisionId]).size, 3);
    assert.deepEqual({ ...after, RevisionId: ofLatest }, latest);
  });

  test('takes a description for the version alone', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f', { Description: 'of the function' });
    assert.equal((await published(client, 'f', { Description: 'own' })).Description, 'own');
    assert.equal((await configurationOf(client, 'f', '1')).Description, 'own');
    assert.equal((await configurationOf(client, 'f')).Description, 'of the function');
    await updated(client, 'f', { Timeout: 7 });
    assert.equal((await published(client, 'f', { Description: '' })).Description, '');
  });

  test('answers the last version when nothing has changed, whatever description is asked for', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    const first = await published(client, 'f', { Description: 'first' });
    const before = await everythingOf(client);
    for (const Description of [undefined, 'first', 'another']) {
      const command = new PublishVersionCommand({ FunctionName: 'f', Description });
      const { $metadata, ...again } = await client.send(command);
      assert.equal($metadata.httpStatusCode, 201);
      assert.deepEqual(again, first);
    }
    assert.deepEqual(await everythingOf(client), before);
  });

  test('makes no version after updates that altered nothing or were taken back', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const variables = { Environment: { Variables: { AA: '1', BB: '2', CC: '3' } } };
    await created(client, 'f', variables);
    await published(client, 'f');
    await updated(client, 'f', {});
    await updated(client, 'f', {
      Environment: { Variables: { CC: '3', BB: '2', AA: '1' } },
      Timeout: 3,
    });
    assert.equal((await published(client, 'f')).Version, '1');
    await withCode(client, 'event');
    assert.equal((await published(client, 'f')).Version, '1');
    await updated(client, 'f', { MemorySize: 256 });
    await updated(client, 'f', { MemorySize: 128 });
    assert.equal((await published(client, 'f')).Version, '1');
    assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST', '1']);
  });

  test('makes the next version after each change of code or configuration', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    assert.equal((await published(client, 'f')).Version, '1');
    const changes = [
      { Description: 'new' },
      { Timeout: 4 },
      { Environment: { Variables: {} } },
      { Environment: { Variables: { KEY: 'value' } } },
      { Role: 'arn:aws:iam::000000000000:role/other' },
      { LoggingConfig: { LogFormat: 'JSON' } },
    ] as const;
    let number = 1;
    for (const change of changes) {
      await updated(client, 'f', change);
      assert.equal((await published(client, 'f')).Version, String(++number));
    }
    await withCode(client, '2');
    assert.equal((await published(client, 'f')).Version, String(++number));
    const { CodeSha256 } = await configurationOf(client, 'f', String(number));
    assert.notEqual(CodeSha256, (await configurationOf(client, 'f', '1')).CodeSha256);
  });

  test('keeps a version as it was while $LATEST goes on', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f', { Environment: { Variables: { KEY: 'old' } } });
    const first = await published(client, 'f');
    await updated(client, 'f', {
      Environment: { Variables: { KEY: 'new' } },
      Timeout: 20,
      Description: 'new',
    });
    await withCode(client, '2');
    await published(client, 'f');
    assert.deepEqual(await configurationOf(client, 'f', '1'), first);
    const keyOf = async (Qualifier: string) => {
      const { Payload } = await client.send(new InvokeCommand({ FunctionName: 'f', Qualifier }));
      return Buffer.from(Payload ?? []).toString();
    };
    assert.match(await keyOf('1'), /\/f\/1\//);
    assert.match(await keyOf('2'), /\/f\/2\//);
  });

  test('uses no number twice, and makes a new version when the last one is gone', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '2' }));
    assert.equal((await published(client, 'f')).Version, '3');
    await client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }));
    assert.equal((await published(client, 'f')).Version, '3');
    assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST', '3']);
  });

  test('of several at once makes one version', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    const answers = await Promise.all([1, 2, 3, 4].map(() => published(client, 'f')));
    assert.deepEqual([...new Set(answers.map(({ Version }) => Version))], ['1']);
    assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST', '1']);
  });

  test('compares the revision first, then the code, with those of $LATEST', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const { RevisionId, CodeSha256 } = await created(client, 'f');
    const before = await everythingOf(client);
    const stale = { status: 412, name: 'PreconditionFailedException', message: STALE };
    assert.deepEqual(await refused(client, { RevisionId: 'old', CodeSha256: 'other' }), stale);
    const other = invalid(
      `CodeSHA256 (other) is different from current CodeSHA256 in $LATEST (${CodeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
    );
    assert.deepEqual(await refused(client, { RevisionId, CodeSha256: 'other' }), other);
    assert.deepEqual(await everythingOf(client), before);
    assert.equal((await published(client, 'f', { RevisionId, CodeSha256 })).Version, '1');
    // Publishing has changed the revision, and it is compared even when there is nothing to publish.
    assert.deepEqual(await refused(client, { RevisionId }), stale);
  });

  test('takes every form of an unqualified name, and no version or alias', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    const names = [
      'f',
      'f:$LATEST',
      'function:f',
      '000000000000:f',
      '000000000000:function:f',
      'us-east-1:000000000000:function:f',
      `${ARN}:f`,
      `${ARN}:f:$LATEST`,
    ];
    for (const FunctionName of names) {
      const version = await published(client, FunctionName);
      assert.equal(version.FunctionArn, `${ARN}:f:1`, FunctionName);
    }
    const whole = invalid(
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
    );
    for (const FunctionName of ['f:1', 'f:PROD', `${ARN}:f:1`, 'missing:1'])
      assert.deepEqual(await refusalOf(published(client, FunctionName)), whole);
  });

  test('is not found without a function, whatever else is wrong', async () => {
    await using host = await startApiHost();
    const call = published(host.client, 'missing', { RevisionId: 'r', CodeSha256: 'c' });
    assert.deepEqual(await refusalOf(call), {
      status: 404,
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:missing`,
    });
    const far = 'arn:aws:lambda:eu-west-1:000000000000:function:f';
    assert.deepEqual(await refusalOf(published(host.client, far)), {
      status: 404,
      name: 'ResourceNotFoundException',
      message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    });
  });

  test('publishes to numbers only', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    const before = await everythingOf(client);
    const constraint = 'failed to satisfy constraint: Member must satisfy enum value set';
    assert.deepEqual(
      await refused(client, { PublishTo: 'LATEST' as never }), // as: what no client offers
      unfit(`Value 'LATEST' at 'publishTo' ${constraint}: [LATEST_PUBLISHED]`),
    );
    assert.deepEqual(
      await refused(client, { PublishTo: 'LATEST_PUBLISHED' }),
      invalid('PublishTo is not available on this host yet'),
    );
    assert.deepEqual(await everythingOf(client), before);
  });

  test('needs room for the code once more, and none when there is nothing to publish', async () => {
    const size = (await zipOf(returning('event'))).length;
    await using host = await startApiHost({ codeStorageBytes: 2 * size });
    const { client } = host;
    await created(client, 'f');
    await published(client, 'f');
    assert.equal((await published(client, 'f')).Version, '1');
    await updated(client, 'f', { Timeout: 5 });
    const before = await everythingOf(client);
    assert.deepEqual(await refused(client, {}), {
      status: 400,
      name: 'CodeStorageExceededException',
      message: 'Code storage limit exceeded.',
    });
    assert.deepEqual(await everythingOf(client), before);
    await client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }));
    assert.equal((await published(client, 'f')).Version, '2');
  });
});
