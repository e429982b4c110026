// Whether any policy denies anything, through all that can change it; and that a denial outlives a restart.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import {
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteResourcePolicyCommand,
  GetFunctionCommand,
  type LambdaClient,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import { permit } from '../support/policies.ts';
import { alias, created } from '../support/versions.ts';
import { refusalOf } from '../support/wire.ts';

async function put(client: LambdaClient, name: string, Effect: string, Action: string) {
  const ResourceArn = `${ARN}:${name}`;
  const statement = { Effect, Principal: '*', Action, Resource: ResourceArn };
  const Policy = JSON.stringify({ Statement: [statement] });
  await client.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
}

async function remove(client: LambdaClient, name: string): Promise<void> {
  await client.send(new DeleteResourcePolicyCommand({ ResourceArn: `${ARN}:${name}` }));
}

suite('Some policy denies something', () => {
  test('from the first denial to the last, wherever it stands and however it goes', async () => {
    await using t = await startApiHost();
    const { client, policies } = t;
    const seen: boolean[] = [];
    const look = () => seen.push(policies.mayDeny);
    for (const name of ['f', 'g']) await created(client, name);
    await alias(client, 'f', 'live', '$LATEST');
    await permit(client);
    look();
    assert.deepEqual(seen.splice(0), [false]);
    await put(client, 'f', 'Deny', 'lambda:InvokeFunction');
    look();
    await put(client, 'f:live', 'Deny', 'lambda:InvokeFunction');
    await put(client, 'g', 'Deny', 'lambda:InvokeFunction');
    await remove(client, 'f');
    look();
    await client.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }));
    look();
    assert.deepEqual(seen.splice(0), [true, true, true]);
    await client.send(new DeleteFunctionCommand({ FunctionName: 'g' }));
    look();
    await put(client, 'f', 'Deny', 'lambda:InvokeFunction');
    look();
    await put(client, 'f', 'Allow', 'lambda:InvokeFunction');
    look();
    assert.deepEqual(seen, [false, true, false]);
  });

  test('after a restart too, until it is taken away', async () => {
    await using stack = new AsyncDisposableStack();
    const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-denial-'));
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    {
      await using t = await startApiHost({ dataDir });
      await created(t.client, 'f');
      await put(t.client, 'f', 'Deny', 'lambda:GetFunction');
    }
    await using t = await startApiHost({ dataDir });
    const get = new GetFunctionCommand({ FunctionName: 'f' });
    const { status, message } = await refusalOf(t.client.send(get));
    assert.equal(status, 403);
    assert.match(message, / with an explicit deny in a resource-based policy$/);
    await remove(t.client, 'f');
    assert.equal((await t.client.send(get)).Configuration?.FunctionName, 'f');
  });
});
