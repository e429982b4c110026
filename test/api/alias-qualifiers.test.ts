// Functions named by an alias: what is shown, what is run, and what is not found.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  GetFunctionCommand,
  InvokeCommand,
  type LambdaClient,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import { alias, configurationOf, updated, weights, withVersions } from '../support/versions.ts';
import { invalid, refusalOf } from '../support/wire.ts';

interface Named {
  readonly FunctionName: string;
  readonly Qualifier?: string;
}

/** Every way to name the alias PROD of `f`. */
const forms: readonly Named[] = [
  { FunctionName: 'f', Qualifier: 'PROD' },
  { FunctionName: 'f:PROD' },
  { FunctionName: 'f:PROD', Qualifier: 'PROD' },
  { FunctionName: 'function:f:PROD' },
  { FunctionName: '000000000000:f:PROD' },
  { FunctionName: '000000000000:function:f', Qualifier: 'PROD' },
  { FunctionName: 'us-east-1:000000000000:function:f:PROD' },
  { FunctionName: `${ARN}:f`, Qualifier: 'PROD' },
  { FunctionName: `${ARN}:f:PROD` },
];

/** The version that ran and the environment that it would have run in. */
async function ran(client: LambdaClient, named: Named) {
  const { ExecutedVersion, Payload } = await client.send(new InvokeCommand(named));
  return { version: ExecutedVersion, environment: Buffer.from(Payload ?? []).toString() };
}

suite('An alias as a qualifier', () => {
  test('shows the primary version under the ARN of the alias, in every form of the name', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2, { Tags: { key: 'value' } });
    await alias(client, 'f', 'PROD', '1', weights({ 2: 1 }));
    const expected = { ...(await configurationOf(client, 'f', '1')), FunctionArn: `${ARN}:f:PROD` };
    for (const named of forms) {
      const shown = await configurationOf(client, named.FunctionName, named.Qualifier);
      assert.deepEqual(shown, expected, JSON.stringify(named));
      const { Configuration, Code, Tags } = await client.send(new GetFunctionCommand(named));
      assert.deepEqual(Configuration, expected);
      assert.deepEqual(Tags, { key: 'value' });
      assert.ok(Code?.Location);
    }
  });

  test('runs the version it points to, from the call after it was moved, in the environment that the version has', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await alias(client, 'f', 'PROD', '1');
    await alias(client, 'f', 'other', '1');
    const [one, two] = [
      await ran(client, { FunctionName: 'f', Qualifier: '1' }),
      await ran(client, { FunctionName: 'f', Qualifier: '2' }),
    ];
    for (const named of forms) assert.deepEqual(await ran(client, named), one);
    assert.deepEqual(await ran(client, { FunctionName: 'f:other' }), one);
    const moved = { FunctionName: 'f', Name: 'PROD', FunctionVersion: '2' };
    await client.send(new UpdateAliasCommand(moved));
    for (const named of forms) assert.deepEqual(await ran(client, named), two);
    assert.deepEqual(await ran(client, { FunctionName: 'f:other' }), one);
  });

  test('of $LATEST follows it', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'dev', '$LATEST');
    const before = await ran(client, { FunctionName: 'f:dev' });
    assert.equal(before.version, '$LATEST');
    assert.deepEqual(before, await ran(client, { FunctionName: 'f' }));
    await updated(client, 'f', { Description: 'new' });
    const shown = await configurationOf(client, 'f', 'dev');
    assert.deepEqual(
      [shown.FunctionArn, shown.Version, shown.Description],
      [`${ARN}:f:dev`, '$LATEST', 'new'],
    );
    const after = await ran(client, { FunctionName: 'f:dev' });
    assert.notEqual(after.environment, before.environment);
    assert.deepEqual(after, await ran(client, { FunctionName: 'f' }));
  });

  test('is not found when there is none of that name, and must be the same in both places', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'PROD', '1');
    const calls = (named: Named) => [
      client.send(new GetFunctionCommand(named)),
      configurationOf(client, named.FunctionName, named.Qualifier),
      client.send(new InvokeCommand(named)),
    ];
    for (const call of calls({ FunctionName: 'f', Qualifier: 'prod' }))
      assert.deepEqual(await refusalOf(call), {
        status: 404,
        name: 'ResourceNotFoundException',
        message: `Function not found: ${ARN}:f:prod`,
      });
    for (const call of calls({ FunctionName: 'f:PROD', Qualifier: '1' }))
      assert.deepEqual(
        await refusalOf(call),
        invalid(
          'The derived qualifier from the function name does not match the specified qualifier.',
        ),
      );
  });
});
