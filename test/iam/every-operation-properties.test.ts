// Generated forms at every operation of IAM: each is answered in XML, none is a fault, and what is refused has changed nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as policies from '../../host/iam/policy.ts';
import * as roles from '../../host/iam/role.ts';
import * as rolePolicies from '../../host/iam/role-policies.ts';
import { allows, TRUST } from '../support/iam-documents.ts';
import { parseXml, query } from '../support/query-client.ts';
import { startTestHost } from '../support/test-host.ts';

const actions = [roles, rolePolicies, policies].flatMap((family) =>
  Object.values(family).map(({ name }) => name),
);

const name = fc.oneof(
  fc.constantFrom('a', 'A', 'b', '__proto__', 'constructor', ''),
  fc.string({ maxLength: 70, unit: 'binary' }),
);
const document = fc.oneof(
  fc.constantFrom(TRUST, allows('s3:*'), '{}', '[]', 'null', ''),
  fc.json(),
  fc.string({ unit: 'binary' }),
);
const arn = fc.oneof(
  fc.constantFrom(
    'arn:aws:iam::000000000000:policy/a',
    'arn:aws:iam::000000000000:policy/p/b',
    'arn:aws:iam::aws:policy/ReadOnlyAccess',
  ),
  fc.string({ minLength: 18, maxLength: 30, unit: 'binary' }),
);
const path = fc.constantFrom('/', '/p/', 'p', '');
const tag = fc.oneof(fc.constantFrom('k', 'K', '__proto__', 'aws:x'), fc.string());

const parameters = fc.record(
  {
    RoleName: name,
    PolicyName: name,
    PolicyArn: arn,
    PermissionsBoundary: arn,
    AssumeRolePolicyDocument: document,
    PolicyDocument: document,
    Path: path,
    PathPrefix: path,
    Description: fc.string({ unit: 'binary' }),
    MaxSessionDuration: fc.constantFrom('3600', '0', 'x', '1e4'),
    VersionId: fc.constantFrom('v1', 'v2', 'v0', 'x'),
    SetAsDefault: fc.constantFrom('true', 'false', 'x'),
    OnlyAttached: fc.constantFrom('true', 'false', 'x'),
    Scope: fc.constantFrom('All', 'AWS', 'Local', 'x'),
    EntityFilter: fc.constantFrom('Role', 'User', 'x'),
    PolicyUsageFilter: fc.constantFrom('PermissionsPolicy', 'PermissionsBoundary', 'x'),
    Marker: fc.string(),
    MaxItems: fc.constantFrom('1', '1000', '0', 'x', ''),
    'Tags.member.1.Key': tag,
    'Tags.member.1.Value': tag,
    'Tags.member.x.Key': tag,
    'TagKeys.member.1': tag,
    TagKeys: fc.constant(''),
  },
  { requiredKeys: ['RoleName', 'PolicyName', 'PolicyArn'] },
);

test('every form is answered, and a refusal changes nothing', async () => {
  await using t = await startTestHost();
  const everything = async () =>
    await Promise.all(
      ['ListRoles', 'ListPolicies'].map(async (action) => (await query(t.url, action)).result),
    );
  for (const [RoleName, PolicyName] of [
    ['a', 'a'],
    ['b', 'B'],
  ] as const) {
    await query(t.url, 'CreateRole', { RoleName, AssumeRolePolicyDocument: TRUST });
    await query(t.url, 'CreatePolicy', { PolicyName, PolicyDocument: allows('s3:*') });
  }
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...actions), parameters, async (action, form) => {
      const before = await everything();
      const { status, text, contentType } = await query(t.url, action, form);
      assert.equal(contentType, 'text/xml');
      assert.doesNotThrow(() => parseXml(text));
      assert.ok(status === 200 || (status >= 400 && status < 500), `${status} ${text}`);
      if (status !== 200) assert.deepEqual(await everything(), before);
    }),
    { numRuns: 400 },
  );
  assert.deepEqual(t.reports, []);
});
