// A function on its way from one state to the next, held there by the test.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type ApiHost, startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { createGate, type Gate } from '../support/gate.ts';
import { waitFor } from '../support/wait-for.ts';
import { refusalOf } from '../support/wire.ts';

async function withHost(
  held: Gate,
  run: (host: ApiHost, client: LambdaClient) => Promise<void>,
): Promise<void> {
  await using host = await startApiHost({ makeReady: held.makeReady });
  try {
    await run(host, host.client);
  } finally {
    held.open();
  }
}

async function configurationOf(client: LambdaClient, name = 'f') {
  return await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
}

async function settled(client: LambdaClient): Promise<void> {
  await waitFor('the function is settled', async () => {
    const { State, LastUpdateStatus } = await configurationOf(client);
    return State !== 'Pending' && LastUpdateStatus !== 'InProgress';
  });
}

async function invokedKey(client: LambdaClient): Promise<unknown> {
  const { Payload } = await client.send(new InvokeCommand({ FunctionName: 'f' }));
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

const pending = {
  status: 409,
  name: 'ResourceConflictException',
  message:
    'The operation cannot be performed at this time. The function is currently in the following state: Pending',
};
const inProgress = {
  status: 409,
  name: 'ResourceConflictException',
  message: `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}:f`,
};

const update = new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Description: 'new' });

suite('A function that is being created', () => {
  test('is Pending and cannot be invoked or updated, but can be read and listed', async () => {
    const held = createGate();
    held.shut();
    await withHost(held, async (_, client) => {
      const created = await client.send(new CreateFunctionCommand(await createRequest('f')));
      assert.equal(created.LastUpdateStatus, undefined);
      const read = await client.send(new GetFunctionCommand({ FunctionName: 'f' }));
      assert.equal(read.Configuration?.State, 'Pending');
      assert.equal(read.Configuration?.StateReasonCode, 'Creating');
      assert.equal(read.Configuration?.StateReason, 'The function is being created.');
      assert.equal(read.Configuration?.LastUpdateStatus, undefined);
      assert.equal(read.Configuration?.RevisionId, created.RevisionId);
      const { Functions } = await client.send(new ListFunctionsCommand({}));
      assert.equal(Functions?.length, 1);
      assert.deepEqual(await refusalOf(client.send(update)), pending);
      const ZipFile = await zipOf(returning('2'));
      const updateCode = new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile });
      assert.deepEqual(await refusalOf(client.send(updateCode)), pending);
      const invoke = new InvokeCommand({ FunctionName: 'f' });
      assert.deepEqual(await refusalOf(client.send(invoke)), pending);
    });
  });

  test('becomes Active with a new RevisionId and without reasons', async () => {
    const held = createGate();
    held.shut();
    await withHost(held, async (_, client) => {
      const created = await client.send(new CreateFunctionCommand(await createRequest('f')));
      held.open();
      await settled(client);
      const active = await configurationOf(client);
      assert.equal(active.State, 'Active');
      assert.equal(active.LastUpdateStatus, 'Successful');
      assert.notEqual(active.RevisionId, created.RevisionId);
      assert.equal(active.LastModified, created.LastModified);
      for (const member of [
        'StateReason',
        'StateReasonCode',
        'LastUpdateStatusReason',
        'LastUpdateStatusReasonCode',
      ])
        assert.equal(member in active, false, member);
    });
  });

  test('can be deleted and made anew, and the first creation then changes nothing', async () => {
    const held = createGate();
    held.shut();
    await withHost(held, async (host, client) => {
      await client.send(new CreateFunctionCommand(await createRequest('f')));
      await client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
      assert.equal(host.functions.size, 0);
      const again = await createRequest('f', { Description: 'second' });
      await client.send(new CreateFunctionCommand(again));
      held.open();
      await settled(client);
      assert.equal((await configurationOf(client)).Description, 'second');
      assert.deepEqual(host.problems, []);
    });
  });

  test('is Failed with a reason when its code cannot be made ready, and so are its versions', async () => {
    const held = createGate();
    held.shut();
    await withHost(held, async (_, client) => {
      const request = await createRequest('f', { Publish: true });
      await client.send(new CreateFunctionCommand(request));
      held.fail('the disk is gone');
      await settled(client);
      for (const Qualifier of [undefined, '1']) {
        const failed = await client.send(
          new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier }),
        );
        assert.equal(failed.State, 'Failed');
        assert.equal(failed.StateReason, 'the disk is gone');
        assert.equal(failed.StateReasonCode, 'InternalError');
      }
      const invoke = refusalOf(client.send(new InvokeCommand({ FunctionName: 'f' })));
      assert.match((await invoke).message, /following state: Failed$/);
      held.open();
      await client.send(update);
      await settled(client);
      assert.equal((await configurationOf(client)).State, 'Active');
    });
  });
});

suite('A function that is being updated', () => {
  test('shows the new values in progress, refuses further updates and runs the old version', async () => {
    const held = createGate();
    await withHost(held, async (_, client) => {
      await client.send(new CreateFunctionCommand(await createRequest('f')));
      await settled(client);
      const before = await configurationOf(client);
      const oldKey = await invokedKey(client);
      held.shut();
      const answer = await client.send(update);
      for (const shown of [answer, await configurationOf(client)]) {
        assert.equal(shown.State, 'Active');
        assert.equal(shown.LastUpdateStatus, 'InProgress');
        assert.equal(shown.LastUpdateStatusReason, 'The function is being created.');
        assert.equal(shown.LastUpdateStatusReasonCode, 'Creating');
        assert.equal(shown.Description, 'new');
        assert.equal(shown.RevisionId, answer.RevisionId);
        assert.notEqual(shown.RevisionId, before.RevisionId);
      }
      assert.deepEqual(await refusalOf(client.send(update)), inProgress);
      const ZipFile = await zipOf(returning('2'));
      const code = new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile });
      assert.deepEqual(await refusalOf(client.send(code)), inProgress);
      assert.equal(await invokedKey(client), oldKey);
      held.open();
      await settled(client);
      const after = await configurationOf(client);
      assert.equal(after.LastUpdateStatus, 'Successful');
      assert.equal('LastUpdateStatusReason' in after, false);
      assert.notEqual(after.RevisionId, answer.RevisionId);
      assert.notEqual(await invokedKey(client), oldKey);
    });
  });

  test('tells a wrong RevisionId before it tells that it is busy', async () => {
    const held = createGate();
    await withHost(held, async (_, client) => {
      await client.send(new CreateFunctionCommand(await createRequest('f')));
      await settled(client);
      const { RevisionId } = await configurationOf(client);
      held.shut();
      await client.send(update);
      const stale = { FunctionName: 'f', RevisionId };
      for (const command of [
        new UpdateFunctionConfigurationCommand(stale),
        new UpdateFunctionCodeCommand({ ...stale, ZipFile: await zipOf(returning('2')) }),
      ]) {
        const { status, name } = await refusalOf(client.send(command));
        assert.deepEqual([status, name], [412, 'PreconditionFailedException']);
      }
    });
  });

  test('goes on with what it had when the update fails, until one succeeds', async () => {
    const held = createGate();
    await withHost(held, async (_, client) => {
      await client.send(new CreateFunctionCommand(await createRequest('f')));
      await settled(client);
      const oldKey = await invokedKey(client);
      for (const Description of ['first', 'second']) {
        held.shut();
        await client.send(
          new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Description }),
        );
        held.fail('no room');
        await settled(client);
        const failed = await configurationOf(client);
        assert.equal(failed.State, 'Active');
        assert.equal(failed.LastUpdateStatus, 'Failed');
        assert.equal(failed.LastUpdateStatusReason, 'no room');
        assert.equal(failed.Description, Description);
        assert.equal(await invokedKey(client), oldKey);
      }
      held.open();
      await client.send(update);
      await settled(client);
      assert.notEqual(await invokedKey(client), oldKey);
    });
  });

  test('can be deleted', async () => {
    const held = createGate();
    await withHost(held, async (host, client) => {
      await client.send(new CreateFunctionCommand(await createRequest('f')));
      await settled(client);
      held.shut();
      await client.send(update);
      await client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
      held.open();
      assert.equal(host.functions.size, 0);
    });
  });
});
