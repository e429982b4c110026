// Permissions on layer versions: statements added, read and removed.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  AddLayerVersionPermissionCommand,
  type AddLayerVersionPermissionCommandInput,
  DeleteLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  type LambdaClient,
  RemoveLayerVersionPermissionCommand,
  type RemoveLayerVersionPermissionCommandInput,
} from '@aws-sdk/client-lambda';
import { type ApiHost, startApiHost } from '../support/api-host.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { LAYER_ARN, publishLayer } from '../support/layers.ts';
import { membersOf } from '../support/versions.ts';
import { invalid, type Refusal, refusalOf } from '../support/wire.ts';

const arn = `${LAYER_ARN}:l:1`;

async function hostWithLayer(dataDir?: string): Promise<ApiHost> {
  const t = await startApiHost(dataDir === undefined ? {} : { dataDir });
  await publishLayer(t.client, 'l', { 'a.txt': 'a' });
  return t;
}

async function permit(
  client: LambdaClient,
  more: Partial<AddLayerVersionPermissionCommandInput> = {},
) {
  const input = {
    LayerName: 'l',
    VersionNumber: 1,
    StatementId: 's',
    Action: 'lambda:GetLayerVersion',
    Principal: '*',
    ...more,
  };
  return await client.send(new AddLayerVersionPermissionCommand(input));
}

async function policyOf(client: LambdaClient, VersionNumber = 1, LayerName = 'l') {
  const command = new GetLayerVersionPolicyCommand({ LayerName, VersionNumber });
  return membersOf(await client.send(command));
}

async function withdraw(
  client: LambdaClient,
  StatementId: string,
  more: Partial<RemoveLayerVersionPermissionCommandInput> = {},
) {
  const input = { LayerName: 'l', VersionNumber: 1, StatementId, ...more };
  const { $metadata } = await client.send(new RemoveLayerVersionPermissionCommand(input));
  return $metadata.httpStatusCode;
}

function notFound(message: string): Refusal {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

const staleRevision: Refusal = {
  status: 412,
  name: 'PreconditionFailedException',
  message:
    'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id',
};

suite('A permission on a layer version', () => {
  test('is answered as the statement it becomes, by each sort of principal', async () => {
    await using t = await hostWithLayer();
    const root = 'arn:aws:iam::111111111111:root';
    const cases = [
      [{ Principal: '*' }, '"*"', ''],
      [{ Principal: '111111111111' }, `{"AWS":"${root}"}`, ''],
      [{ Principal: root }, `{"AWS":"${root}"}`, ''],
      [
        { Principal: '*', OrganizationId: 'o-0123456789' },
        '"*"',
        ',"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-0123456789"}}',
      ],
    ] as const;
    const statements: string[] = [];
    for (const [index, [more, principal, condition]] of cases.entries()) {
      const { $metadata, Statement } = await permit(t.client, {
        StatementId: `s${index}`,
        ...more,
      });
      assert.equal($metadata.httpStatusCode, 201);
      const expected = `{"Sid":"s${index}","Effect":"Allow","Principal":${principal},"Action":"lambda:GetLayerVersion","Resource":"${arn}"${condition}}`;
      assert.equal(Statement, expected);
      statements.push(expected);
    }
    assert.equal(
      (await policyOf(t.client)).Policy,
      `{"Version":"2012-10-17","Id":"default","Statement":[${statements.join(',')}]}`,
    );
  });

  test('gives the policy a new revision, and so does its removal', async () => {
    await using t = await hostWithLayer();
    const first = await permit(t.client, { StatementId: 'one' });
    assert.equal((await policyOf(t.client)).RevisionId, first.RevisionId);
    const { RevisionId } = first;
    const second = await permit(t.client, { StatementId: 'two', RevisionId });
    assert.notEqual(second.RevisionId, first.RevisionId);
    assert.equal(await withdraw(t.client, 'one', { RevisionId: second.RevisionId }), 204);
    const third = await policyOf(t.client);
    assert.notEqual(third.RevisionId, second.RevisionId);
    assert.equal(await withdraw(t.client, 'two'), 204);
    assert.deepEqual(
      await refusalOf(policyOf(t.client)),
      notFound('No policy is associated with the given resource.'),
    );
  });

  test('belongs to one version, by name or ARN, and goes with it', async () => {
    await using t = await hostWithLayer();
    await publishLayer(t.client, 'l', { 'a.txt': 'a' });
    await permit(t.client, { LayerName: `${LAYER_ARN}:l`, VersionNumber: 2 });
    assert.match(
      (await policyOf(t.client, 2)).Policy ?? '',
      new RegExp(`"Resource":"${LAYER_ARN}:l:2"`),
    );
    const none = notFound('No policy is associated with the given resource.');
    assert.deepEqual(await refusalOf(policyOf(t.client, 1)), none);
    const gone = { LayerName: 'l', VersionNumber: 2 };
    await t.client.send(new DeleteLayerVersionCommand(gone));
    assert.deepEqual(
      await refusalOf(policyOf(t.client, 2)),
      notFound(`Layer version ${LAYER_ARN}:l:2 does not exist.`),
    );
  });

  test('is not lost when many are given at once', async () => {
    await using t = await hostWithLayer();
    const sids = Array.from({ length: 12 }, (_, index) => `s${index}`);
    await Promise.all(sids.map((StatementId) => permit(t.client, { StatementId })));
    const { Policy = '' } = await policyOf(t.client);
    const { Statement } = JSON.parse(Policy) as { Statement: { Sid: string }[] }; // as: the form of a policy
    assert.deepEqual(Statement.map(({ Sid }) => Sid).toSorted(), sids.toSorted());
  });

  test('is there after a restart', async () => {
    await using dir = await dataDirectory();
    let before: unknown;
    {
      await using t = await hostWithLayer(dir.path);
      await permit(t.client, { Principal: '111111111111' });
      before = await policyOf(t.client);
    }
    await using t = await startApiHost({ dataDir: dir.path });
    assert.deepEqual(await policyOf(t.client), before);
  });
});

suite('Permissions on layer versions are refused', () => {
  test('for versions that are not there, by all three operations', async () => {
    await using t = await hostWithLayer();
    for (const [LayerName, VersionNumber] of [
      ['l', 2],
      ['l', 0],
      ['none', 1],
    ] as const) {
      const expected = notFound(
        `Layer version ${LAYER_ARN}:${LayerName}:${VersionNumber} does not exist.`,
      );
      const named = { LayerName, VersionNumber };
      assert.deepEqual(await refusalOf(permit(t.client, named)), expected);
      assert.deepEqual(await refusalOf(policyOf(t.client, VersionNumber, LayerName)), expected);
      assert.deepEqual(await refusalOf(withdraw(t.client, 's', named)), expected);
    }
  });

  test('when id or revision are not right, and then nothing has changed', async () => {
    await using t = await hostWithLayer();
    await permit(t.client);
    const before = await policyOf(t.client);
    const duplicate = {
      status: 409,
      name: 'ResourceConflictException',
      message:
        'The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.',
    };
    const RevisionId = 'stale';
    assert.deepEqual(await refusalOf(permit(t.client)), duplicate);
    assert.deepEqual(
      await refusalOf(permit(t.client, { StatementId: 't', RevisionId })),
      staleRevision,
    );
    assert.deepEqual(await refusalOf(permit(t.client, { RevisionId })), staleRevision);
    assert.deepEqual(await refusalOf(withdraw(t.client, 's', { RevisionId })), staleRevision);
    assert.deepEqual(
      await refusalOf(withdraw(t.client, 'other')),
      notFound('Statement other is not found in resource policy.'),
    );
    assert.deepEqual(await policyOf(t.client), before);
  });

  test('for other actions, principals and organizations than there are', async () => {
    await using t = await hostWithLayer();
    const { name, message } = await refusalOf(permit(t.client, { Action: 'lambda:GetFunction' }));
    assert.equal(name, 'ValidationException');
    assert.equal(
      message,
      "1 validation error detected: Value 'lambda:GetFunction' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion",
    );
    for (const more of [
      { Principal: 's3.amazonaws.com' },
      { Principal: 'arn:aws:iam::111111111111:user/u' },
      { OrganizationId: 'no organization' },
      { StatementId: 'not one word' },
    ])
      assert.equal((await refusalOf(permit(t.client, more))).name, 'ValidationException');
    const OrganizationId = 'o-0123456789';
    assert.deepEqual(
      await refusalOf(permit(t.client, { Principal: '111111111111', OrganizationId })),
      invalid('OrganizationId can only be given with the principal *'),
    );
    assert.deepEqual(
      await refusalOf(policyOf(t.client)),
      notFound('No policy is associated with the given resource.'),
    );
  });

  test('when the policy would become too long', async () => {
    await using t = await hostWithLayer();
    const addUntilRefused = async () => {
      for (let index = 0; index < 200; index++)
        await permit(t.client, { StatementId: `${index}`.padEnd(100, 'x') });
    };
    const refusal = await refusalOf(addUntilRefused());
    assert.equal(refusal.name, 'PolicyLengthExceededException');
    assert.match(
      refusal.message,
      /^The final policy size \(2\d{4}\) is bigger than the limit \(20480\)\.$/,
    );
    const { Policy = '' } = await policyOf(t.client);
    assert.ok(Buffer.byteLength(Policy) <= 20_480);
  });
});
