import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allows } from '../support/iam-documents.ts';
import {
  memberOf,
  query,
  queryResult,
  refusal,
  textOf,
  type Xml,
} from '../support/query-client.ts';
import { startTestHost } from '../support/test-host.ts';

const ARN = 'arn:aws:iam::000000000000:policy/team/p';
const create = { PolicyName: 'p', Path: '/team/', PolicyDocument: allows('s3:Get*') };

test('a policy is created, shown, listed and deleted', async () => {
  await using t = await startTestHost();
  const { Policy } = await queryResult(t.url, 'CreatePolicy', { ...create, Description: 'reads' });
  assert.match(textOf(memberOf(Policy, 'PolicyId')), /^ANPA[A-Z2-7]{17}$/);
  const shown = {
    PolicyName: 'p',
    PolicyId: memberOf(Policy, 'PolicyId'),
    Arn: ARN,
    Path: '/team/',
    DefaultVersionId: 'v1',
    AttachmentCount: '0',
    PermissionsBoundaryUsageCount: '0',
    IsAttachable: 'true',
    CreateDate: memberOf(Policy, 'CreateDate'),
    UpdateDate: memberOf(Policy, 'CreateDate'),
  };
  assert.deepEqual(Policy, shown);
  assert.deepEqual(await queryResult(t.url, 'GetPolicy', { PolicyArn: ARN }), {
    Policy: { ...shown, Description: 'reads' },
  });
  assert.deepEqual(await queryResult(t.url, 'ListPolicies', { Scope: 'Local' }), {
    Policies: [shown],
    IsTruncated: 'false',
  });
  for (const filter of [{ Scope: 'AWS' }, { OnlyAttached: 'true' }, { PathPrefix: '/other/' }])
    assert.equal((await queryResult(t.url, 'ListPolicies', filter))['Policies'], '');
  assert.equal((await query(t.url, 'DeletePolicy', { PolicyArn: ARN })).status, 200);
  assert.equal(
    await refusal(t.url, 'GetPolicy', { PolicyArn: ARN }),
    `404 NoSuchEntity: Policy ${ARN} was not found.`,
  );
});

test('a policy is named by its whole ARN', async () => {
  await using t = await startTestHost();
  await queryResult(t.url, 'CreatePolicy', create);
  for (const PolicyArn of [
    'arn:aws:iam::000000000000:policy/p',
    'arn:aws:iam::111111111111:policy/team/p',
    'arn:aws-cn:iam::000000000000:policy/team/p',
    'arn:aws:iam::aws:policy/team/p',
  ])
    assert.equal(
      await refusal(t.url, 'GetPolicy', { PolicyArn }),
      `404 NoSuchEntity: Policy ${PolicyArn} was not found.`,
    );
});

test('what is refused says why and changes nothing', async () => {
  await using t = await startTestHost();
  await queryResult(t.url, 'CreatePolicy', create);
  const before = await queryResult(t.url, 'ListPolicies');
  const refused = (more: Record<string, string>) =>
    refusal(t.url, 'CreatePolicy', { ...create, PolicyName: 'q', ...more });
  assert.equal(
    await refused({ PolicyName: 'P' }),
    '409 EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed.',
  );
  assert.equal(
    await refused({ PolicyDocument: '[]' }),
    '400 MalformedPolicyDocument: Syntax errors in policy.',
  );
  assert.equal(
    await refused({ PolicyDocument: allows(`s3:${'x'.repeat(6144)}`) }),
    '409 LimitExceeded: Cannot exceed quota for PolicySize: 6144',
  );
  assert.match(await refused({ Path: 'team' }), /^400 ValidationError: /);
  assert.match(
    await refused({ 'Tags.member.1.Key': 'a' }),
    /^400 ValidationError: .*value' .*null$/,
  );
  assert.deepEqual(await queryResult(t.url, 'ListPolicies'), before);
});

test('versions are added, made the default, and deleted; the oldest numbers do not come back', async () => {
  await using t = await startTestHost();
  await queryResult(t.url, 'CreatePolicy', create);
  const add = (action: string, more: Record<string, string> = {}) =>
    query(t.url, 'CreatePolicyVersion', {
      PolicyArn: ARN,
      PolicyDocument: allows(action),
      ...more,
    });
  const versions = async () => {
    const { Versions } = await queryResult(t.url, 'ListPolicyVersions', { PolicyArn: ARN });
    return (Versions as readonly Xml[]) // as: a list
      .map(
        (each) =>
          `${textOf(memberOf(each, 'VersionId'))}${memberOf(each, 'IsDefaultVersion') === 'true' ? '*' : ''}`,
      )
      .join(' ');
  };
  assert.equal((await add('s3:Put*')).status, 200);
  assert.equal(await versions(), 'v2 v1*');
  assert.equal((await add('s3:List*', { SetAsDefault: 'true' })).status, 200);
  assert.equal(await versions(), 'v3* v2 v1');
  await add('s3:*');
  await add('s3:*');
  assert.equal(
    (await add('s3:*')).message,
    'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
  );
  const v = (VersionId: string) => ({ PolicyArn: ARN, VersionId });
  assert.equal(
    await refusal(t.url, 'DeletePolicyVersion', v('v3')),
    '409 DeleteConflict: Cannot delete the default version of a policy.',
  );
  assert.equal(
    await refusal(t.url, 'DeletePolicyVersion', v('v9')),
    `404 NoSuchEntity: Policy ${ARN} version v9 does not exist or is not attachable.`,
  );
  assert.match(await refusal(t.url, 'GetPolicyVersion', v('9')), /^400 ValidationError: /);
  assert.equal((await query(t.url, 'DeletePolicyVersion', v('v5'))).status, 200);
  assert.equal((await add('s3:*')).status, 200);
  assert.equal(await versions(), 'v6 v4 v3* v2 v1');
  assert.equal((await query(t.url, 'SetDefaultPolicyVersion', v('v2'))).status, 200);
  const { PolicyVersion } = await queryResult(t.url, 'GetPolicyVersion', v('v2'));
  assert.equal(decodeURIComponent(textOf(memberOf(PolicyVersion, 'Document'))), allows('s3:Put*'));
  assert.equal(memberOf(PolicyVersion, 'IsDefaultVersion'), 'true');
  assert.match(
    await refusal(t.url, 'DeletePolicy', { PolicyArn: ARN }),
    /^409 DeleteConflict: This policy has more than one version\./,
  );
  for (const id of ['v6', 'v4', 'v3', 'v1'])
    assert.equal((await query(t.url, 'DeletePolicyVersion', v(id))).status, 200);
  assert.equal((await query(t.url, 'DeletePolicy', { PolicyArn: ARN })).status, 200);
});

test('tags of a policy are added, listed and taken away', async () => {
  await using t = await startTestHost();
  await queryResult(t.url, 'CreatePolicy', {
    ...create,
    'Tags.member.1.Key': 'a',
    'Tags.member.1.Value': '1',
  });
  const tags = async () => (await queryResult(t.url, 'ListPolicyTags', { PolicyArn: ARN }))['Tags'];
  const more = { PolicyArn: ARN, 'Tags.member.1.Key': 'b', 'Tags.member.1.Value': '2' };
  assert.equal((await query(t.url, 'TagPolicy', more)).status, 200);
  assert.deepEqual(await tags(), [
    { Key: 'a', Value: '1' },
    { Key: 'b', Value: '2' },
  ]);
  const gone = { PolicyArn: ARN, 'TagKeys.member.1': 'a' };
  assert.equal((await query(t.url, 'UntagPolicy', gone)).status, 200);
  assert.deepEqual(await tags(), [{ Key: 'b', Value: '2' }]);
});
