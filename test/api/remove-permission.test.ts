// RemovePermission and GetPolicy: what is left, what is told when there is nothing, and what takes a policy with it.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import {
  DeleteAliasCommand,
  DeleteFunctionCommand,
  type RemovePermissionCommandInput,
} from '@aws-sdk/client-lambda';
import { type ApiHost, startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import { permit, policyOf, sidsOf, withdraw } from '../support/policies.ts';
import { alias, configurationOf, created, published, withVersions } from '../support/versions.ts';
import { type Refusal, refusalOf } from '../support/wire.ts';

/** A function `f` with version 1 and the alias `live`; its own policy has the statements `a` and `b`. */
async function hostWithPolicy(dataDir?: string): Promise<ApiHost> {
  const t = await startApiHost(dataDir === undefined ? {} : { dataDir });
  await withVersions(t.client, 'f', 1);
  await alias(t.client, 'f', 'live', '1');
  await permit(t.client, { StatementId: 'a' });
  await permit(t.client, { StatementId: 'b' });
  return t;
}

function notFound(message: string): Refusal {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

const nothing = notFound('The resource you requested does not exist.');

suite('RemovePermission', () => {
  test('answers 204; the rest stays with a new revision, and the policy goes with its last statement', async () => {
    await using t = await hostWithPolicy();
    const before = await policyOf(t.client);
    assert.equal(await withdraw(t.client, 'a'), 204);
    const after = await policyOf(t.client);
    assert.deepEqual(after.statements, before.statements.slice(1));
    assert.notEqual(after.revisionId, before.revisionId);
    assert.equal(await withdraw(t.client, 'b'), 204);
    assert.deepEqual(await refusalOf(policyOf(t.client)), nothing);
    await permit(t.client, { StatementId: 'a' });
    assert.deepEqual(await sidsOf(t.client), ['a']);
  });

  test('takes from the policy of the qualifier alone', async () => {
    await using t = await hostWithPolicy();
    await permit(t.client, { StatementId: 'a', Qualifier: 'live' });
    assert.equal(await withdraw(t.client, 'a', { FunctionName: `${ARN}:f:live` }), 204);
    assert.deepEqual(await sidsOf(t.client), ['a', 'b']);
    assert.equal(await sidsOf(t.client, 'f', 'live'), undefined);
  });

  test('says what is missing, in its order, and changes nothing', async () => {
    await using t = await hostWithPolicy();
    const before = await policyOf(t.client);
    const cases: readonly (readonly [string, Partial<RemovePermissionCommandInput>, string])[] = [
      ['a', { FunctionName: 'gone' }, `No policy found for: ${ARN}:gone`],
      ['a', { FunctionName: 'gone', Qualifier: '1' }, `No policy found for: ${ARN}:gone`],
      ['a', { Qualifier: '7' }, `Function not found: ${ARN}:f:7`],
      ['a', { Qualifier: 'dead' }, `Cannot find alias arn: ${ARN}:f:dead`],
      ['a', { Qualifier: '1' }, 'No policy is associated with the given resource.'],
      ['c.d', { RevisionId: 'stale' }, 'Statement c.d is not found in resource policy.'],
    ];
    for (const [sid, more, message] of cases)
      assert.deepEqual(await refusalOf(withdraw(t.client, sid, more)), notFound(message), message);
    assert.deepEqual(await policyOf(t.client), before);
  });

  test('takes the revision of the policy or of what it belongs to, and no other', async () => {
    await using t = await hostWithPolicy();
    const before = await policyOf(t.client);
    assert.deepEqual(await refusalOf(withdraw(t.client, 'a', { RevisionId: 'stale' })), {
      status: 412,
      name: 'PreconditionFailedException',
      message:
        'The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id',
    });
    assert.deepEqual(await policyOf(t.client), before);
    await withdraw(t.client, 'a', { RevisionId: before.revisionId });
    const { RevisionId } = await configurationOf(t.client, 'f');
    await withdraw(t.client, 'b', { RevisionId });
    assert.equal(await sidsOf(t.client), undefined);
  });
});

suite('GetPolicy', () => {
  test('has one answer for whatever is missing', async () => {
    await using t = await hostWithPolicy();
    for (const [name, qualifier] of [
      ['gone', undefined],
      ['f', '7'],
      ['f', 'dead'],
      ['f', '1'],
      ['f', 'live'],
      ['f:live', undefined],
    ] as const)
      assert.deepEqual(await refusalOf(policyOf(t.client, name, qualifier)), nothing);
  });

  test('shows the policy of the function for $LATEST, and none for a version published of it', async () => {
    await using t = await hostWithPolicy();
    assert.deepEqual(await sidsOf(t.client, 'f', '$LATEST'), ['a', 'b']);
    await published(t.client, 'f', { Description: 'again' });
    assert.equal(await sidsOf(t.client, 'f', '1'), undefined);
  });
});

suite('A policy', () => {
  test('goes with its function, version or alias, and none of them comes back with it', async () => {
    await using t = await hostWithPolicy();
    const { client } = t;
    await permit(client, { Qualifier: 'live' });
    await permit(client, { Qualifier: '1' });
    await client.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }));
    await alias(client, 'f', 'live', '$LATEST');
    assert.equal(await sidsOf(client, 'f', 'live'), undefined);
    assert.deepEqual(await sidsOf(client, 'f', '1'), ['s']);
    await client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    await created(client, 'f');
    await published(client, 'f');
    assert.equal(await sidsOf(client), undefined);
    assert.equal(await sidsOf(client, 'f', '1'), undefined);
  });

  test('is there after a restart, to the letter, and can be changed', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-policy-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    let before: readonly unknown[];
    {
      await using t = await hostWithPolicy(dataDir);
      await permit(t.client, { Qualifier: 'live', SourceAccount: '111111111111' });
      before = [await policyOf(t.client), await policyOf(t.client, 'f', 'live')];
    }
    await using t = await startApiHost({ dataDir });
    assert.deepEqual([await policyOf(t.client), await policyOf(t.client, 'f', 'live')], before);
    await withdraw(t.client, 'a');
    assert.deepEqual(await sidsOf(t.client), ['b']);
  });
});
