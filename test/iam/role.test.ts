import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { allows, TRUST } from '../support/iam-documents.ts';
import { query, queryResult, refusal, textOf } from '../support/query-client.ts';
import { startTestHost } from '../support/test-host.ts';

const ACCOUNT = '000000000000';

test('a role is created, shown with its document encoded, changed, and deleted', async () => {
  await using t = await startTestHost();
  const created = await queryResult(t.url, 'CreateRole', {
    RoleName: 'worker',
    Path: '/jobs/',
    AssumeRolePolicyDocument: TRUST,
    Description: 'a <first> & "second" role',
    MaxSessionDuration: '7200',
    'Tags.member.1.Key': 'team',
    'Tags.member.1.Value': 'blue+green',
  });
  const role = created['Role'] as Record<string, string>; // as: an element with elements
  assert.match(role['RoleId'] ?? '', /^AROA[A-Z2-7]{17}$/);
  assert.match(role['CreateDate'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(role['AssumeRolePolicyDocument'] ?? '', /^%7B%22Version%22%3A/);
  const shown = {
    Path: '/jobs/',
    RoleName: 'worker',
    RoleId: role['RoleId'],
    Arn: `arn:aws:iam::${ACCOUNT}:role/jobs/worker`,
    CreateDate: role['CreateDate'],
    AssumeRolePolicyDocument: encodeURIComponent(TRUST),
    Description: 'a <first> & "second" role',
    MaxSessionDuration: '7200',
    Tags: [{ Key: 'team', Value: 'blue+green' }],
  };
  assert.deepEqual(created, { Role: shown });
  assert.deepEqual(await queryResult(t.url, 'GetRole', { RoleName: 'worker' }), {
    Role: { ...shown, RoleLastUsed: '' },
  });

  const trust = TRUST.replace('lambda', 'events');
  const other = { RoleName: 'worker', PolicyDocument: trust };
  assert.equal((await query(t.url, 'UpdateAssumeRolePolicy', other)).status, 200);
  assert.equal((await query(t.url, 'UpdateRole', { RoleName: 'worker' })).status, 200);
  const { Description: _gone, ...rest } = shown;
  const changed = {
    ...rest,
    AssumeRolePolicyDocument: encodeURIComponent(trust),
    MaxSessionDuration: '3600',
  };
  assert.deepEqual(await queryResult(t.url, 'GetRole', { RoleName: 'worker' }), {
    Role: { ...changed, RoleLastUsed: '' },
  });
  const described = { RoleName: 'worker', Description: 'again' };
  assert.deepEqual(await queryResult(t.url, 'UpdateRoleDescription', described), {
    Role: { ...changed, Description: 'again' },
  });

  assert.deepEqual(
    await queryResult(t.url, 'ListInstanceProfilesForRole', { RoleName: 'worker' }),
    { InstanceProfiles: '', IsTruncated: 'false' },
  );
  assert.equal((await query(t.url, 'DeleteRole', { RoleName: 'worker' })).status, 200);
  assert.equal(
    await refusal(t.url, 'GetRole', { RoleName: 'worker' }),
    '404 NoSuchEntity: The role with name worker cannot be found.',
  );
});

test('an answer names its operation, its namespace and its request, and has no result where there is none', async () => {
  await using t = await startTestHost();
  const role = { RoleName: 'r', AssumeRolePolicyDocument: TRUST };
  const created = await query(t.url, 'CreateRole', role);
  assert.equal(created.contentType, 'text/xml');
  assert.match(
    created.text,
    /^<CreateRoleResponse xmlns="https:\/\/iam.amazonaws.com\/doc\/2010-05-08\/"><CreateRoleResult><Role>/,
  );
  assert.ok(
    created.text.endsWith(
      `<ResponseMetadata><RequestId>${created.requestId}</RequestId></ResponseMetadata></CreateRoleResponse>`,
    ),
  );
  const deleted = await query(t.url, 'DeleteRole', { RoleName: 'r' });
  assert.match(deleted.text, /^<DeleteRoleResponse xmlns="[^"]*"><ResponseMetadata>/);
  const refused = await query(t.url, 'DeleteRole', { RoleName: 'r' });
  assert.equal(
    refused.text,
    `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The role with name r cannot be found.</Message></Error><RequestId>${refused.requestId}</RequestId></ErrorResponse>`,
  );
});

test('what is refused says why and changes nothing', async () => {
  await using t = await startTestHost();
  const role = { RoleName: 'r', AssumeRolePolicyDocument: TRUST };
  await queryResult(t.url, 'CreateRole', role);
  const before = await queryResult(t.url, 'ListRoles');
  const create = (more: Record<string, string>) =>
    refusal(t.url, 'CreateRole', { ...role, RoleName: 'other', ...more });
  assert.equal(
    await create({ RoleName: 'R' }),
    '409 EntityAlreadyExists: Role with name R already exists.',
  );
  assert.equal(
    await refusal(t.url, 'CreateRole', {}),
    "400 ValidationError: 2 validation errors detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null; Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null",
  );
  assert.equal(
    await create({ RoleName: 'x'.repeat(65) }),
    `400 ValidationError: 1 validation error detected: Value '${'x'.repeat(65)}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64`,
  );
  assert.match(await create({ MaxSessionDuration: '60' }), /^400 ValidationError: .*'60'.*3600$/);
  assert.match(await create({ MaxSessionDuration: 'long' }), /^400 MalformedInput: /);
  assert.match(await create({ Path: 'jobs' }), /^400 ValidationError: .*'path'/);
  assert.equal(
    await create({ AssumeRolePolicyDocument: '{' }),
    '400 MalformedPolicyDocument: This policy contains invalid Json',
  );
  assert.equal(
    await create({ AssumeRolePolicyDocument: allows('sts:AssumeRole') }),
    '400 MalformedPolicyDocument: Has prohibited field Resource',
  );
  const long = JSON.stringify({
    ...JSON.parse(TRUST),
    Id: 'x'.repeat(2048),
  });
  assert.equal(
    await create({ AssumeRolePolicyDocument: long }),
    '409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048',
  );
  assert.equal(
    await create({ PermissionsBoundary: `arn:aws:iam::${ACCOUNT}:policy/none` }),
    `404 NoSuchEntity: Policy arn:aws:iam::${ACCOUNT}:policy/none does not exist or is not attachable.`,
  );
  assert.equal(
    await create({
      'Tags.member.1.Key': 'a',
      'Tags.member.1.Value': '1',
      'Tags.member.2.Key': 'A',
      'Tags.member.2.Value': '2',
    }),
    '400 InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.',
  );
  for (const action of ['UpdateRole', 'DeleteRole', 'ListRoleTags', 'ListInstanceProfilesForRole'])
    assert.equal(
      await refusal(t.url, action, { RoleName: 'none' }),
      '404 NoSuchEntity: The role with name none cannot be found.',
    );
  assert.deepEqual(await queryResult(t.url, 'ListRoles'), before);
});

test('ListRoles goes by path and in pages', async () => {
  await using t = await startTestHost();
  for (const [RoleName, Path] of [
    ['c', '/a/'],
    ['A', '/'],
    ['b', '/a/b/'],
    ['d', '/ab/'],
  ] as const)
    await queryResult(t.url, 'CreateRole', { RoleName, Path, AssumeRolePolicyDocument: TRUST });
  const names = async (more: Record<string, string>) => {
    const { Roles, IsTruncated, Marker } = await queryResult(t.url, 'ListRoles', more);
    const roles = Roles as readonly { RoleName: string }[]; // as: a list of roles
    return { names: roles.map(({ RoleName }) => RoleName).join(), IsTruncated, Marker };
  };
  const whole = { IsTruncated: 'false', Marker: undefined };
  assert.deepEqual(await names({}), { names: 'A,b,c,d', ...whole });
  assert.deepEqual(await names({ PathPrefix: '/a/' }), { names: 'b,c', ...whole });
  const first = await names({ MaxItems: '3' });
  assert.equal(first.names, 'A,b,c');
  assert.equal(first.IsTruncated, 'true');
  assert.deepEqual(await names({ Marker: textOf(first.Marker) }), { names: 'd', ...whole });
  assert.match(await refusal(t.url, 'ListRoles', { Marker: 'nonsense' }), /^400 ValidationError: /);
});

test('tags of a role are added, replaced whatever their case, and taken away', async () => {
  await using t = await startTestHost();
  await queryResult(t.url, 'CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST });
  const tag = (...pairs: readonly (readonly [string, string])[]) =>
    query(t.url, 'TagRole', {
      RoleName: 'r',
      ...Object.fromEntries(
        pairs.flatMap(([Key, Value], index) => [
          [`Tags.member.${index + 1}.Key`, Key],
          [`Tags.member.${index + 1}.Value`, Value],
        ]),
      ),
    });
  const tags = async () => (await queryResult(t.url, 'ListRoleTags', { RoleName: 'r' }))['Tags'];
  assert.equal((await tag(['b', '1'], ['a', ''])).status, 200);
  assert.equal((await tag(['B', '2'])).status, 200);
  const expected = [
    { Key: 'B', Value: '2' },
    { Key: 'a', Value: '' },
  ];
  assert.deepEqual(await tags(), expected);
  const many = Array.from({ length: 49 }, (_, index) => [`k${index}`, ''] as const);
  assert.equal((await tag(...many)).code, 'LimitExceeded');
  assert.equal((await tag(['aws:x', ''])).code, 'InvalidInput');
  assert.equal((await tag(['a*', ''])).code, 'ValidationError');
  assert.deepEqual(await tags(), expected);
  const untag = { RoleName: 'r', 'TagKeys.member.1': 'A', 'TagKeys.member.2': 'none' };
  assert.equal((await query(t.url, 'UntagRole', untag)).status, 200);
  assert.deepEqual(await tags(), [{ Key: 'B', Value: '2' }]);
});

test('what is kept is the same after a restart', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-iam-'));
  try {
    const look = async (url: string) => [
      await queryResult(url, 'GetRole', { RoleName: 'r' }),
      await queryResult(url, 'GetRolePolicy', { RoleName: 'r', PolicyName: 'p' }),
      await queryResult(url, 'ListAttachedRolePolicies', { RoleName: 'r' }),
      await queryResult(url, 'ListPolicies'),
      await queryResult(url, 'GetCallerIdentity', {}, { service: 'sts' }),
    ];
    let before: unknown;
    {
      await using t = await startTestHost({ dataDir });
      const PolicyArn = `arn:aws:iam::${ACCOUNT}:policy/m`;
      const RoleName = 'r';
      await queryResult(t.url, 'CreateRole', { RoleName, AssumeRolePolicyDocument: TRUST });
      const inline = { RoleName, PolicyName: 'p', PolicyDocument: allows('s3:*') };
      assert.equal((await query(t.url, 'PutRolePolicy', inline)).status, 200);
      const managed = { PolicyName: 'm', PolicyDocument: allows('sqs:*') };
      await queryResult(t.url, 'CreatePolicy', managed);
      assert.equal((await query(t.url, 'AttachRolePolicy', { RoleName, PolicyArn })).status, 200);
      before = await look(t.url);
    }
    await using t = await startTestHost({ dataDir });
    assert.deepEqual(await look(t.url), before);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
