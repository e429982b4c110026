// CreateAlias: what it answers, what it refuses, and in which order. What pairs of versions may share is in alias-routing.test.ts.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CreateAliasCommand, GetAliasCommand } from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import {
  alias,
  configurationOf,
  created,
  everythingOf,
  membersOf,
  weights,
  withVersions,
} from '../support/versions.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

function notFound(message: string) {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

suite('CreateAlias', () => {
  test('answers 201 with the alias: an empty description and no routing unless they are given', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    const before = await configurationOf(client, 'f');
    const input = { FunctionName: 'f', Name: 'PROD', FunctionVersion: '1' };
    const { $metadata, ...shown } = await client.send(new CreateAliasCommand(input));
    assert.equal($metadata.httpStatusCode, 201);
    const { RevisionId = '', ...rest } = shown;
    assert.match(
      RevisionId,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.deepEqual(rest, {
      AliasArn: `${ARN}:f:PROD`,
      Name: 'PROD',
      FunctionVersion: '1',
      Description: '',
    });
    const read = await client.send(new GetAliasCommand({ FunctionName: 'f', Name: 'PROD' }));
    assert.deepEqual(membersOf(read), shown);
    // The function's own revision is not touched.
    assert.deepEqual(await configurationOf(client, 'f'), before);
  });

  test('takes $LATEST, a description and weights', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    const dev = await alias(client, 'f', 'dev', '$LATEST', { Description: 'what is new' });
    assert.deepEqual([dev.FunctionVersion, dev.Description], ['$LATEST', 'what is new']);
    const shared = await alias(client, 'f', '1-x_Y', '1', weights({ 2: 0.25 }));
    assert.deepEqual(shared.RoutingConfig, { AdditionalVersionWeights: { 2: 0.25 } });
    for (const [name, share] of [
      ['none', 0],
      ['all', 1],
    ] as const) {
      const { RoutingConfig } = await alias(client, 'f', name, '1', weights({ 2: share }));
      assert.deepEqual(RoutingConfig?.AdditionalVersionWeights, { 2: share });
    }
    for (const [name, RoutingConfig] of [
      ['a', {}],
      ['b', weights({}).RoutingConfig],
    ] as const)
      assert.equal(
        'RoutingConfig' in (await alias(client, 'f', name, '1', { RoutingConfig })),
        false,
      );
  });

  test('takes every form of an unqualified name, and no version or alias', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
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
    for (const [index, name] of names.entries()) {
      const { AliasArn } = await alias(client, name, `a${index}`, '1');
      assert.equal(AliasArn, `${ARN}:f:a${index}`, name);
    }
    const whole = invalid(
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
    );
    for (const name of ['f:1', 'f:a0', `${ARN}:f:1`])
      assert.deepEqual(await refusalOf(alias(client, name, 'other', '1')), whole);
  });

  test('refuses a name that is taken, and leaves that alias as it is', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await alias(client, 'f', 'PROD', '1', { Description: 'first' });
    const before = await everythingOf(client);
    assert.deepEqual(await refusalOf(alias(client, 'f', 'PROD', '2')), {
      status: 409,
      name: 'ResourceConflictException',
      message: `Alias already exists: ${ARN}:f:PROD`,
    });
    assert.deepEqual(await everythingOf(client), before);
    assert.equal((await alias(client, 'f', 'prod', '2')).FunctionVersion, '2');
  });

  test('of one name several times at once makes it once', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    const calls = Array.from({ length: 5 }, () => alias(client, 'f', 'PROD', '1'));
    const results = await Promise.allSettled(calls);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  test('is not found without the function or the version, both named by the version', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    const before = await everythingOf(client);
    for (const version of ['1', '$LATEST'])
      assert.deepEqual(
        await refusalOf(alias(client, 'missing', 'PROD', version)),
        notFound(`Function not found: ${ARN}:missing:${version}`),
      );
    for (const version of ['1', '01', '$LATEST.PUBLISHED'])
      assert.deepEqual(
        await refusalOf(alias(client, 'f', 'PROD', version)),
        notFound(`Function not found: ${ARN}:f:${version}`),
      );
    assert.deepEqual(await everythingOf(client), before);
  });

  test('refuses names and versions that are none', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    const constraint = 'failed to satisfy constraint: Member must';
    for (const name of ['2024', 'a.b', '$LATEST', 'a b'])
      assert.deepEqual(
        await refusalOf(alias(client, 'f', name, '1')),
        unfit(
          `Value '${name}' at 'name' ${constraint} satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`,
        ),
      );
    const long = 'n'.repeat(129);
    assert.deepEqual(
      await refusalOf(alias(client, 'f', long, '1')),
      unfit(`Value '${long}' at 'name' ${constraint} have length less than or equal to 128`),
    );
    assert.deepEqual(
      await refusalOf(alias(client, 'f', 'PROD', 'other')),
      unfit(
        String.raw`Value 'other' at 'functionVersion' ${constraint} satisfy regular expression pattern: (\$LATEST(\.PUBLISHED)?|[0-9]+)`,
      ),
    );
  });
});
