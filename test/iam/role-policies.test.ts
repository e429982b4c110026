import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allows, TRUST } from '../support/iam-documents.ts';
import { memberOf, query, queryResult, refusal } from '../support/query-client.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const OWN = 'arn:aws:iam::000000000000:policy/own';
const PROVIDED = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';

async function startWithRole(): Promise<TestHost> {
  const t = await startTestHost();
  await queryResult(t.url, 'CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST });
  return t;
}

test('inline policies are put, read, listed and deleted', async () => {
  await using t = await startWithRole();
  const put = async (PolicyName: string, PolicyDocument: string) =>
    (await query(t.url, 'PutRolePolicy', { RoleName: 'r', PolicyName, PolicyDocument })).status;
  const names = async () =>
    (await queryResult(t.url, 'ListRolePolicies', { RoleName: 'r' }))['PolicyNames'];
  assert.equal(await put('two', allows('s3:*')), 200);
  assert.equal(await put('one', allows('sqs:*')), 200);
  assert.equal(await put('two', allows('sns:*')), 200);
  assert.deepEqual(await names(), ['one', 'two']);
  assert.deepEqual(
    await queryResult(t.url, 'GetRolePolicy', { RoleName: 'r', PolicyName: 'two' }),
    {
      RoleName: 'r',
      PolicyName: 'two',
      PolicyDocument: encodeURIComponent(allows('sns:*')).replaceAll('*', '%2A'),
    },
  );
  const two = { RoleName: 'r', PolicyName: 'two' };
  assert.equal((await query(t.url, 'DeleteRolePolicy', two)).status, 200);
  assert.deepEqual(await names(), ['one']);
  for (const action of ['GetRolePolicy', 'DeleteRolePolicy'])
    assert.equal(
      await refusal(t.url, action, two),
      '404 NoSuchEntity: The role policy with name two cannot be found.',
    );
});

test('inline policies of a role have 10240 characters together, white space not counted', async () => {
  await using t = await startWithRole();
  const put = (PolicyName: string, size: number) => {
    const PolicyDocument = allows(`s3:${'x'.repeat(size - allows('s3:').length)}`);
    return refusal(t.url, 'PutRolePolicy', {
      RoleName: 'r',
      PolicyName,
      PolicyDocument: PolicyDocument.replace('[', ' \n['),
    });
  };
  assert.match(await put('a', 10_000), /^200/);
  assert.match(await put('b', 240), /^200/);
  assert.equal(
    await put('b', 241),
    '409 LimitExceeded: Maximum policy size of 10240 bytes exceeded for role r',
  );
  assert.match(await put('a', 9_999), /^200/);
  assert.match(await put('b', 241), /^200/);
});

test('managed policies are attached, once, and detached; those that the service provides too', async () => {
  await using t = await startWithRole();
  await queryResult(t.url, 'CreatePolicy', { PolicyName: 'own', PolicyDocument: allows('s3:*') });
  const act = (action: string, PolicyArn: string) =>
    refusal(t.url, action, { RoleName: 'r', PolicyArn });
  const attached = async (more = {}) =>
    (await queryResult(t.url, 'ListAttachedRolePolicies', { RoleName: 'r', ...more }))[
      'AttachedPolicies'
    ];
  for (const arn of [OWN, PROVIDED, OWN]) assert.match(await act('AttachRolePolicy', arn), /^200/);
  const own = { PolicyName: 'own', PolicyArn: OWN };
  const provided = { PolicyName: 'AWSLambdaBasicExecutionRole', PolicyArn: PROVIDED };
  assert.deepEqual(await attached(), [own, provided]);
  assert.deepEqual(await attached({ PathPrefix: '/service-role/' }), [provided]);
  assert.deepEqual(await queryResult(t.url, 'ListEntitiesForPolicy', { PolicyArn: PROVIDED }), {
    PolicyGroups: '',
    PolicyUsers: '',
    PolicyRoles: [
      {
        RoleName: 'r',
        RoleId: await roleIdOf(t.url, 'r'),
      },
    ],
    IsTruncated: 'false',
  });
  const none = 'arn:aws:iam::000000000000:policy/none';
  const foreign = 'arn:aws:iam::111111111111:policy/own';
  const china = 'arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
  for (const arn of [none, foreign, china])
    assert.equal(
      await act('AttachRolePolicy', arn),
      `404 NoSuchEntity: Policy ${arn} does not exist or is not attachable.`,
    );
  assert.equal(
    await act('AttachRolePolicy', 'AWSLambdaBasicExecutionRole'),
    '400 InvalidInput: ARN AWSLambdaBasicExecutionRole is not valid.',
  );
  assert.match(await act('DetachRolePolicy', OWN), /^200/);
  assert.equal(
    await act('DetachRolePolicy', OWN),
    `404 NoSuchEntity: Policy ${OWN} was not found.`,
  );
  assert.deepEqual(await attached(), [provided]);
});

test('a role takes ten managed policies', async () => {
  await using t = await startWithRole();
  const attach = (name: string) =>
    refusal(t.url, 'AttachRolePolicy', {
      RoleName: 'r',
      PolicyArn: `arn:aws:iam::aws:policy/${name}`,
    });
  for (let index = 0; index < 10; index++) assert.match(await attach(`Policy${index}`), /^200/);
  assert.equal(
    await attach('Policy10'),
    '409 LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10',
  );
});

test('a role goes only when it has no policies, and a policy only when no role has it', async () => {
  await using t = await startWithRole();
  const remove = () => refusal(t.url, 'DeleteRole', { RoleName: 'r' });
  const inline = { RoleName: 'r', PolicyName: 'p' };
  await query(t.url, 'PutRolePolicy', { ...inline, PolicyDocument: allows('s3:*') });
  await queryResult(t.url, 'CreatePolicy', { PolicyName: 'own', PolicyDocument: allows('s3:*') });
  const attachment = { RoleName: 'r', PolicyArn: OWN };
  await query(t.url, 'AttachRolePolicy', attachment);
  assert.equal(
    await remove(),
    '409 DeleteConflict: Cannot delete entity, must delete policies first.',
  );
  assert.equal((await query(t.url, 'DeleteRolePolicy', inline)).status, 200);
  assert.equal(
    await remove(),
    '409 DeleteConflict: Cannot delete entity, must detach all policies first.',
  );
  const removePolicy = () => refusal(t.url, 'DeletePolicy', { PolicyArn: OWN });
  const inUse = '409 DeleteConflict: Cannot delete a policy attached to entities.';
  assert.equal(await removePolicy(), inUse);
  assert.equal((await query(t.url, 'DetachRolePolicy', attachment)).status, 200);
  const boundary = { RoleName: 'r', PermissionsBoundary: OWN };
  assert.equal((await query(t.url, 'PutRolePermissionsBoundary', boundary)).status, 200);
  assert.equal(await removePolicy(), inUse);
  assert.match(await remove(), /^200/);
  assert.match(await removePolicy(), /^200/);
});

test('of attaching and deleting at the same time one is refused', async () => {
  await using t = await startWithRole();
  await queryResult(t.url, 'CreatePolicy', { PolicyName: 'own', PolicyDocument: allows('s3:*') });
  const [attached, deleted] = await Promise.all([
    query(t.url, 'AttachRolePolicy', { RoleName: 'r', PolicyArn: OWN }),
    query(t.url, 'DeletePolicy', { PolicyArn: OWN }),
  ]);
  assert.deepEqual([attached.status, deleted.status].filter((status) => status === 200).length, 1);
});

test('a permissions boundary is shown and taken away', async () => {
  await using t = await startWithRole();
  const boundary = async () => {
    const { Role } = await queryResult(t.url, 'GetRole', { RoleName: 'r' });
    return memberOf(Role, 'PermissionsBoundary');
  };
  const put = { RoleName: 'r', PermissionsBoundary: PROVIDED };
  assert.equal((await query(t.url, 'PutRolePermissionsBoundary', put)).status, 200);
  assert.deepEqual(await boundary(), {
    PermissionsBoundaryType: 'Policy',
    PermissionsBoundaryArn: PROVIDED,
  });
  assert.equal(
    (await query(t.url, 'DeleteRolePermissionsBoundary', { RoleName: 'r' })).status,
    200,
  );
  assert.equal(await boundary(), undefined);
});

async function roleIdOf(url: string, RoleName: string): Promise<unknown> {
  const { Role } = await queryResult(url, 'GetRole', { RoleName });
  return memberOf(Role, 'RoleId');
}
