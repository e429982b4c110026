// Operations on a role or a policy that is not there, in IAM's words, each of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allows, TRUST } from '../support/iam-documents.ts';
import { queryResult, refusal } from '../support/query-client.ts';
import { startTestHost } from '../support/test-host.ts';

const PolicyArn = 'arn:aws:iam::000000000000:policy/none';
const PROVIDED = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
const tag = { 'Tags.member.1.Key': 'k', 'Tags.member.1.Value': 'v' };
const tagKey = { 'TagKeys.member.1': 'k' };

const ofRole: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AttachRolePolicy: { PolicyArn: PROVIDED },
  DeleteRole: {},
  DeleteRolePermissionsBoundary: {},
  DeleteRolePolicy: { PolicyName: 'p' },
  DetachRolePolicy: { PolicyArn: PROVIDED },
  GetRole: {},
  GetRolePolicy: { PolicyName: 'p' },
  ListAttachedRolePolicies: {},
  ListInstanceProfilesForRole: {},
  ListRolePolicies: {},
  ListRoleTags: {},
  PutRolePermissionsBoundary: { PermissionsBoundary: PROVIDED },
  PutRolePolicy: { PolicyName: 'p', PolicyDocument: allows('s3:*') },
  TagRole: tag,
  UntagRole: tagKey,
  UpdateAssumeRolePolicy: { PolicyDocument: TRUST },
  UpdateRole: {},
  UpdateRoleDescription: { Description: 'd' },
};

const ofPolicy: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  CreatePolicyVersion: { PolicyDocument: allows('s3:*') },
  DeletePolicy: {},
  DeletePolicyVersion: { VersionId: 'v1' },
  GetPolicy: {},
  GetPolicyVersion: { VersionId: 'v1' },
  ListEntitiesForPolicy: {},
  ListPolicyTags: {},
  ListPolicyVersions: {},
  SetDefaultPolicyVersion: { VersionId: 'v1' },
  TagPolicy: tag,
  UntagPolicy: tagKey,
};

test('a role that is not there is named, and none comes to be', async () => {
  await using t = await startTestHost();
  for (const [action, more] of Object.entries(ofRole))
    assert.equal(
      await refusal(t.url, action, { RoleName: 'none', ...more }),
      '404 NoSuchEntity: The role with name none cannot be found.',
      action,
    );
  assert.equal((await queryResult(t.url, 'ListRoles'))['Roles'], '');
});

test('a policy that is not there is named, and none comes to be', async () => {
  await using t = await startTestHost();
  for (const [action, more] of Object.entries(ofPolicy))
    assert.equal(
      await refusal(t.url, action, { PolicyArn, ...more }),
      `404 NoSuchEntity: Policy ${PolicyArn} was not found.`,
      action,
    );
  assert.equal((await queryResult(t.url, 'ListPolicies'))['Policies'], '');
});
