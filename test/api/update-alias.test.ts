// UpdateAlias: what stays, what changes, and the revision that guards it.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteAliasCommand,
  GetAliasCommand,
  type LambdaClient,
  ListAliasesCommand,
  UpdateAliasCommand,
  type UpdateAliasCommandInput,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { ARN, createRequest } from '../support/functions.ts';
import { createGate } from '../support/gate.ts';
import {
  alias,
  configurationOf,
  everythingOf,
  membersOf,
  weights,
  withVersions,
} from '../support/versions.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

async function update(client: LambdaClient, input: Partial<UpdateAliasCommandInput> = {}) {
  const command = new UpdateAliasCommand({ FunctionName: 'f', Name: 'PROD', ...input });
  return membersOf(await client.send(command));
}

suite('UpdateAlias', () => {
  test('answers 200 with the alias as GetAlias shows it then', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await alias(client, 'f', 'PROD', '1');
    const input = { FunctionName: 'f', Name: 'PROD', FunctionVersion: '2' };
    const { $metadata, ...shown } = await client.send(new UpdateAliasCommand(input));
    assert.equal($metadata.httpStatusCode, 200);
    assert.equal(shown.FunctionVersion, '2');
    assert.equal(shown.AliasArn, `${ARN}:f:PROD`);
    const read = await client.send(new GetAliasCommand({ FunctionName: 'f', Name: 'PROD' }));
    assert.deepEqual(membersOf(read), shown);
  });

  test('keeps what it is not told, and gives a new revision each time, also for nothing', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 3);
    const latest = await configurationOf(client, 'f');
    const first = await alias(client, 'f', 'PROD', '1', {
      Description: 'a',
      ...weights({ 2: 0.5 }),
    });
    const expected = { ...first };
    const revisions = [first.RevisionId];
    const steps: readonly Partial<UpdateAliasCommandInput>[] = [
      {},
      { Description: 'b' },
      { FunctionVersion: '3' },
      weights({ 1: 0.125 }),
      { Description: '' },
      { FunctionVersion: '2', Description: 'all', ...weights({ 3: 1 }) },
    ];
    for (const step of steps) {
      Object.assign(expected, step);
      const { RevisionId, ...shown } = await update(client, step);
      const { RevisionId: _, ...rest } = expected;
      assert.deepEqual(shown, rest);
      revisions.push(RevisionId);
    }
    assert.equal(new Set(revisions).size, steps.length + 1);
    assert.deepEqual(await configurationOf(client, 'f'), latest);
  });

  test('ends the sharing when weights are given without entries', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await alias(client, 'f', 'PROD', '1');
    for (const RoutingConfig of [{}, weights({}).RoutingConfig]) {
      assert.ok((await update(client, weights({ 2: 0.5 }))).RoutingConfig);
      assert.equal('RoutingConfig' in (await update(client, { RoutingConfig })), false);
    }
    // Sharing may end and the primary become $LATEST in one call.
    await update(client, weights({ 2: 0.5 }));
    const moved = await update(client, { FunctionVersion: '$LATEST', RoutingConfig: {} });
    assert.equal(moved.FunctionVersion, '$LATEST');
  });

  test('compares the revision before anything that it is told to do', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    const { RevisionId } = await alias(client, 'f', 'PROD', '1');
    const before = await everythingOf(client);
    const stale = {
      status: 412,
      name: 'PreconditionFailedException',
      message:
        'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
    };
    const ofFunction = (await configurationOf(client, 'f')).RevisionId;
    for (const old of ['old', ofFunction])
      assert.deepEqual(
        await refusalOf(update(client, { RevisionId: old, FunctionVersion: '9' })),
        stale,
      );
    assert.deepEqual(await everythingOf(client), before);
    await update(client, { RevisionId, FunctionVersion: '2' });
    assert.deepEqual(await refusalOf(update(client, { RevisionId })), stale);
  });

  test('of several at once with one revision is done once', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    const { RevisionId } = await alias(client, 'f', 'PROD', '1');
    const calls = ['a', 'b', 'c'].map((Description) => update(client, { RevisionId, Description }));
    const results = await Promise.allSettled(calls);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  test('is not found without the alias or the function, whatever else is wrong', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    const before = await everythingOf(client);
    const wrong = { RevisionId: 'old', FunctionVersion: '9' };
    for (const named of [
      { FunctionName: 'f', Name: 'other' },
      { FunctionName: 'missing', Name: 'PROD' },
    ])
      assert.deepEqual(await refusalOf(update(client, { ...named, ...wrong })), {
        status: 404,
        name: 'ResourceNotFoundException',
        message: `Alias not found: ${ARN}:${named.FunctionName}:${named.Name}`,
      });
    assert.deepEqual(await everythingOf(client), before);
  });

  test('refuses a missing version, and leaves the alias as it is', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'PROD', '1');
    const before = await everythingOf(client);
    assert.deepEqual(await refusalOf(update(client, { FunctionVersion: '2', Description: 'b' })), {
      status: 404,
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:f:2`,
    });
    const long = 'd'.repeat(257);
    assert.deepEqual(
      await refusalOf(update(client, { Description: long })),
      unfit(
        `Value '${long}' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256`,
      ),
    );
    assert.deepEqual(await everythingOf(client), before);
  });

  test('takes every form of an unqualified name, and no version or alias', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'PROD', '1');
    for (const FunctionName of ['f', 'f:$LATEST', 'function:f', '000000000000:f', `${ARN}:f`])
      assert.equal((await update(client, { FunctionName })).AliasArn, `${ARN}:f:PROD`);
    const whole = invalid(
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
    );
    for (const FunctionName of ['f:1', `${ARN}:f:PROD`])
      assert.deepEqual(await refusalOf(update(client, { FunctionName })), whole);
  });
});

test('Aliases can be made, changed, read and deleted while their function is being created', async () => {
  const gate = createGate();
  gate.shut();
  await using host = await startApiHost({ makeReady: gate.makeReady });
  try {
    const { client } = host;
    const request = await createRequest('f', { Publish: true });
    await client.send(new CreateFunctionCommand(request));
    await alias(client, 'f', 'PROD', '1');
    await update(client, { FunctionVersion: '$LATEST' });
    const { Aliases } = await client.send(new ListAliasesCommand({ FunctionName: 'f' }));
    assert.equal(Aliases?.[0]?.FunctionVersion, '$LATEST');
    assert.equal((await configurationOf(client, 'f', 'PROD')).State, 'Pending');
    await client.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'PROD' }));
  } finally {
    gate.open();
  }
});
