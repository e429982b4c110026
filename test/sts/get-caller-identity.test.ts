import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { TRUST } from '../support/iam-documents.ts';
import { memberOf, query, queryResult, refusal, textOf } from '../support/query-client.ts';
import { ROLE, SECRET_ACCESS_KEY, startTestHost } from '../support/test-host.ts';

const sts = { service: 'sts' } as const;

function entry(accessKeyId: string, principal: string, rights: string, account = '111111111111') {
  return { accessKeyId, secretAccessKey: SECRET_ACCESS_KEY, account, principal, rights };
}

function key(accessKeyId: string) {
  return { accessKeyId, secretAccessKey: SECRET_ACCESS_KEY };
}

test('a caller is told who it is: the admin, a root, a user, whatever its rights and its region', async () => {
  await using t = await startTestHost();
  await writeFile(
    path.join(t.dataDir, 'secrets', 'credentials.json'),
    JSON.stringify([
      entry('ROOT', 'arn:aws:iam::111111111111:root', 'admin'),
      entry('USER', 'arn:aws-cn:iam::222222222222:user/ci', 'invoke', '222222222222'),
    ]),
    { mode: 0o600 },
  );
  const admin = await queryResult(t.url, 'GetCallerIdentity', {}, sts);
  assert.equal(admin['Arn'], 'arn:aws:iam::000000000000:user/admin');
  assert.equal(admin['Account'], '000000000000');
  await t.host[Symbol.asyncDispose]();
  await using again = await startTestHost({ dataDir: t.dataDir });
  assert.deepEqual(await queryResult(again.url, 'GetCallerIdentity', {}, sts), admin);
  const who = (accessKeyId: string, region: string) =>
    queryResult(again.url, 'GetCallerIdentity', {}, { ...sts, key: key(accessKeyId), region });
  assert.deepEqual(await who('ROOT', 'eu-west-1'), {
    Arn: 'arn:aws:iam::111111111111:root',
    UserId: '111111111111',
    Account: '111111111111',
  });
  const user = await who('USER', 'cn-north-1');
  assert.match(textOf(user['UserId']), /^AIDA[A-Z2-7]{17}$/);
  assert.deepEqual(user, {
    Arn: 'arn:aws-cn:iam::222222222222:user/ci',
    UserId: user['UserId'],
    Account: '222222222222',
  });
});

test('a function is a session of its role, by the id of that role where it is kept', async () => {
  await using t = await startTestHost();
  await t.deploy('who', {
    'index.mjs': `export const handler = async () => ({
      accessKeyId: process.env.AWS_ACCESS_KEY_ID,
      secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
      sessionToken: process.env.AWS_SESSION_TOKEN,
    });`,
  });
  const { payload } = await t.invoke('who');
  const credentials = payload as ReturnType<typeof key>; // as: what the handler returns
  const who = () => queryResult(t.url, 'GetCallerIdentity', {}, { ...sts, key: credentials });
  const name = ROLE.slice(ROLE.lastIndexOf('/') + 1);
  const Arn = `arn:aws:sts::000000000000:assumed-role/${name}/who`;
  const before = await who();
  assert.match(textOf(before['UserId']), /^AROA[A-Z2-7]{17}:who$/);
  assert.deepEqual(before, { Arn, UserId: before['UserId'], Account: '000000000000' });
  const { Role } = await queryResult(t.url, 'CreateRole', {
    RoleName: name,
    AssumeRolePolicyDocument: TRUST,
  });
  assert.equal((await who())['UserId'], `${textOf(memberOf(Role, 'RoleId'))}:who`);
  assert.equal(
    await refusal(t.url, 'ListRoles', {}, { key: credentials }),
    `403 AccessDenied: User: ${Arn} is not authorized to perform: iam:ListRoles on resource: * because no identity-based policy allows the iam:ListRoles action`,
  );
});

test('a presigned identity can be asked for by anyone who has the link', async () => {
  await using t = await startTestHost();
  const asked = await query(t.url, 'GetCallerIdentity', {}, { ...sts, presignedSeconds: 60 });
  assert.equal(asked.status, 200);
  assert.equal(memberOf(asked.result, 'Account'), '000000000000');
});

test('no role can be assumed, and the answer says why', async () => {
  await using t = await startTestHost();
  const assumed = await query(t.url, 'AssumeRole', { RoleArn: ROLE, RoleSessionName: 's' }, sts);
  assert.equal(assumed.status, 400);
  assert.equal(assumed.code, 'InvalidAction');
  assert.match(
    assumed.message,
    /^AssumeRole is not available on this host: its roles grant nothing/,
  );
});
