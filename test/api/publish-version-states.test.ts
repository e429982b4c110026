// Publishing while a function is between two states, and versions that are between two states themselves.
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  type LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type ApiHost, startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { createGate, type Gate } from '../support/gate.ts';
import { configurationOf, created, published, settled, versionsOf } from '../support/versions.ts';
import { refusalOf } from '../support/wire.ts';

async function withHost(
  run: (client: LambdaClient, gate: Gate, host: ApiHost) => Promise<void>,
): Promise<void> {
  const gate = createGate();
  await using host = await startApiHost({ makeReady: gate.makeReady });
  try {
    await run(host.client, gate, host);
  } finally {
    gate.open();
  }
}

function conflict(message: string) {
  return { status: 409, name: 'ResourceConflictException', message };
}

const SNAP_START = {
  Runtime: 'python3.12',
  SnapStart: { ApplyOn: 'PublishedVersions' },
} as const;

suite('PublishVersion', () => {
  test('waits for no one: it is refused while the function is created or updated', async () => {
    await withHost(async (client, gate) => {
      gate.shut();
      await client.send(new CreateFunctionCommand(await createRequest('f')));
      assert.deepEqual(
        await refusalOf(published(client, 'f')),
        conflict(
          'The operation cannot be performed at this time. The function is currently in the following state: Pending',
        ),
      );
      gate.open();
      await settled(client, 'f');
      gate.shut();
      const update = { FunctionName: 'f', Description: 'new' };
      await client.send(new UpdateFunctionConfigurationCommand(update));
      assert.deepEqual(
        await refusalOf(published(client, 'f')),
        conflict(
          `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}:f`,
        ),
      );
      const { status, name } = await refusalOf(published(client, 'f', { RevisionId: 'old' }));
      assert.deepEqual([status, name], [412, 'PreconditionFailedException']);
      const code = await refusalOf(published(client, 'f', { CodeSha256: 'other' }));
      assert.deepEqual([code.status, code.name], [400, 'InvalidParameterValueException']);
      assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST']);
      gate.open();
      await settled(client, 'f');
      assert.equal((await published(client, 'f')).Version, '1');
    });
  });

  test('with SnapStart makes a version that is pending first and then active, with new revisions', async () => {
    await withHost(async (client, gate) => {
      const latest = await created(client, 'f', SNAP_START);
      gate.shut();
      const pending = await published(client, 'f');
      assert.equal(pending.State, 'Pending');
      assert.equal(pending.StateReason, 'The function is being created.');
      assert.equal(pending.StateReasonCode, 'Creating');
      assert.equal(pending.LastUpdateStatus, undefined);
      assert.equal(pending.SnapStart?.OptimizationStatus, 'Off');
      const during = await configurationOf(client, 'f');
      assert.equal(during.State, 'Active');
      assert.equal(during.LastUpdateStatus, 'Successful');
      gate.open();
      const active = await settled(client, 'f', '1');
      assert.equal(active.State, 'Active');
      assert.equal(active.LastUpdateStatus, 'Successful');
      assert.equal(active.SnapStart?.OptimizationStatus, 'On');
      assert.notEqual(active.RevisionId, pending.RevisionId);
      assert.deepEqual(await configurationOf(client, 'f'), during);
      assert.notEqual(during.RevisionId, latest.RevisionId);
    });
  });

  test('leaves a version to itself: an update that fails meanwhile does not fail it', async () => {
    const gate = createGate();
    await using host = await startApiHost({
      makeReady: async ({ description }) => {
        await gate.makeReady();
        if (description === 'bad') throw new Error('no room');
      },
    });
    const { client } = host;
    await created(client, 'f', SNAP_START);
    gate.shut();
    try {
      assert.equal((await published(client, 'f')).State, 'Pending');
      const update = { FunctionName: 'f', Description: 'bad' };
      await client.send(new UpdateFunctionConfigurationCommand(update));
    } finally {
      gate.open();
    }
    assert.equal((await settled(client, 'f')).LastUpdateStatus, 'Failed');
    const version = await settled(client, 'f', '1');
    assert.deepEqual([version.State, version.LastUpdateStatus], ['Active', 'Successful']);
  });

  test('of a function whose last update failed tries again for the version', async () => {
    await withHost(async (client, gate) => {
      await created(client, 'f');
      gate.shut();
      await client.send(
        new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Description: 'new' }),
      );
      gate.fail('no room');
      await settled(client, 'f');
      assert.equal((await published(client, 'f')).State, 'Pending');
      gate.fail('no room still');
      const failed = await settled(client, 'f', '1');
      assert.deepEqual([failed.State, failed.StateReason], ['Failed', 'no room still']);
      assert.equal((await configurationOf(client, 'f')).LastUpdateStatusReason, 'no room');
    });
  });
});

suite('UpdateFunctionCode with Publish', () => {
  test('answers the new version pending while $LATEST is in progress, and both end', async () => {
    await withHost(async (client, gate) => {
      await created(client, 'f');
      gate.shut();
      const ZipFile = await zipOf(returning('2'));
      const update = { FunctionName: 'f', ZipFile, Publish: true };
      const answer = await client.send(new UpdateFunctionCodeCommand(update));
      assert.equal(answer.FunctionArn, `${ARN}:f:1`);
      assert.equal(answer.Version, '1');
      assert.equal(answer.State, 'Pending');
      assert.equal(answer.LastUpdateStatus, undefined);
      const latest = await configurationOf(client, 'f');
      assert.equal(latest.LastUpdateStatus, 'InProgress');
      assert.equal(latest.CodeSha256, answer.CodeSha256);
      gate.open();
      for (const qualifier of [undefined, '1']) {
        const shown = await settled(client, 'f', qualifier);
        assert.deepEqual([shown.State, shown.LastUpdateStatus], ['Active', 'Successful']);
      }
    });
  });

  test('of the code that is published already answers the version that has it', async () => {
    await withHost(async (client) => {
      await created(client, 'f', { Publish: true });
      const first = await configurationOf(client, 'f', '1');
      const before = await configurationOf(client, 'f');
      const ZipFile = await zipOf(returning('event'));
      const update = { FunctionName: 'f', ZipFile, Publish: true };
      const { $metadata: _, ...again } = await client.send(new UpdateFunctionCodeCommand(update));
      assert.deepEqual(again, first);
      const after = await settled(client, 'f');
      assert.notEqual(after.RevisionId, before.RevisionId);
      assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST', '1']);
      assert.equal((await published(client, 'f')).Version, '1');
    });
  });

  test('as a dry run publishes nothing', async () => {
    await withHost(async (client) => {
      await created(client, 'f');
      const ZipFile = await zipOf(returning('2'));
      const update = { FunctionName: 'f', ZipFile, Publish: true, DryRun: true };
      const answer = await client.send(new UpdateFunctionCodeCommand(update));
      assert.notEqual(answer.CodeSha256, (await configurationOf(client, 'f')).CodeSha256);
      assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST']);
    });
  });
});

test('After a restart a pending version becomes active, and what is unchanged is still known to be', async () => {
  await using held = await dataDirectory();
  await using left = await dataDirectory();
  const gate = createGate();
  {
    await using host = await startApiHost({ dataDir: held.path, makeReady: gate.makeReady });
    await created(host.client, 'f', SNAP_START);
    gate.shut();
    assert.equal((await published(host.client, 'f')).State, 'Pending');
    // As a host leaves its directory that is killed now. Unpacked trees move while they are copied, and are not needed.
    const isKept = (file: string) => !/\/code\/(clones|staging|trash|trees)/.test(file);
    await cp(held.path, left.path, { recursive: true, filter: isKept }).finally(() => gate.open());
  }
  await using host = await startApiHost({ dataDir: left.path });
  assert.equal((await settled(host.client, 'f', '1')).State, 'Active');
  assert.equal((await published(host.client, 'f')).Version, '1');
});
