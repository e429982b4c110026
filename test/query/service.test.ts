import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { sign } from '../auth/signing.ts';
import { TRUST } from '../support/iam-documents.ts';
import { answerTo, query, queryResult, refusal, testKey } from '../support/query-client.ts';
import { SECRET_ACCESS_KEY, startTestHost } from '../support/test-host.ts';

test('who answers is decided by the service of the signature, and nobody answers for another', async () => {
  await using t = await startTestHost();
  assert.equal((await query(t.url, 'ListRoles')).status, 200);
  assert.equal(
    await refusal(t.url, 'ListRoles', {}, { service: 'sts', version: '2011-06-15' }),
    '400 InvalidAction: Could not find operation ListRoles for version 2011-06-15',
  );
  const asLambda = await query(t.url, 'ListRoles', {}, { service: 'lambda' });
  assert.equal(asLambda.contentType, 'application/json');
  assert.match(asLambda.text, /Unable to determine service\/operation name to be authorized/);
  const elsewhere = await query(t.url, 'ListRoles', {}, { path: '/2015-03-31/functions' });
  assert.equal(elsewhere.contentType, 'application/json');
  assert.match(elsewhere.text, /Credential should be scoped to correct service: 'lambda'/);
  const unknown = await query(t.url, 'ListQueues', {}, { service: 'sqs' });
  assert.match(unknown.text, /Credential should be scoped to correct service: 'lambda'/);
});

test('a signature that does not hold is refused in the words of the protocol', async () => {
  await using t = await startTestHost();
  const wrong = { ...testKey, secretAccessKey: 'wrong' };
  assert.match(
    await refusal(t.url, 'ListRoles', {}, { key: wrong }),
    /^403 SignatureDoesNotMatch: The request signature we calculated does not match/,
  );
  assert.equal(
    await refusal(t.url, 'ListRoles', {}, { key: { ...testKey, accessKeyId: 'AKIANOBODY' } }),
    '403 InvalidClientTokenId: The security token included in the request is invalid.',
  );
  assert.match(
    await refusal(t.url, 'ListRoles', {}, { region: 'nowhere' }),
    /^403 SignatureDoesNotMatch: Credential should be scoped to a valid region/,
  );
  const form = 'Action=ListRoles&Version=2010-05-08';
  const { host } = new URL(t.url);
  const signed = await sign(
    { method: 'POST', path: '/', headers: { host }, body: form },
    { key: testKey, at: Date.now(), service: 'iam' },
  );
  assert.equal((await answerTo(t.url, signed, form)).status, 200);
  const changed = await answerTo(t.url, signed, form.replace('List', 'Lost'));
  assert.equal(changed.code, 'SignatureDoesNotMatch');
});

test('an action must be there and be of the version', async () => {
  await using t = await startTestHost();
  assert.equal(
    await refusal(t.url, 'GetUser'),
    '400 InvalidAction: Could not find operation GetUser for version 2010-05-08',
  );
  assert.equal(
    await refusal(t.url, 'ListRoles', {}, { version: '2011-01-01' }),
    '400 InvalidAction: Could not find operation ListRoles for version 2011-01-01',
  );
  assert.match(await refusal(t.url, 'constructor'), /^400 InvalidAction: Could not find/);
  const { host } = new URL(t.url);
  const empty = await sign(
    { method: 'POST', path: '/', headers: { host }, body: '' },
    { key: testKey, at: Date.now(), service: 'iam' },
  );
  assert.equal((await answerTo(t.url, empty, '')).code, 'MissingAction');
});

test('rights decide: who may read reads, who may invoke does neither', async () => {
  await using t = await startTestHost();
  await t.host[Symbol.asyncDispose]();
  const principal = 'arn:aws:iam::000000000000:user/u';
  await writeFile(
    path.join(t.dataDir, 'secrets', 'credentials.json'),
    JSON.stringify(
      ['read', 'invoke'].map((rights) => ({
        accessKeyId: `KEY${rights}`,
        secretAccessKey: SECRET_ACCESS_KEY,
        account: '000000000000',
        principal,
        rights,
      })),
    ),
    { mode: 0o600 },
  );
  await using host = await startTestHost({ dataDir: t.dataDir });
  const as = (rights: string) => ({
    key: { accessKeyId: `KEY${rights}`, secretAccessKey: SECRET_ACCESS_KEY },
  });
  const role = { RoleName: 'r', AssumeRolePolicyDocument: TRUST };
  await queryResult(host.url, 'CreateRole', role);
  const name = { RoleName: 'r' };
  assert.equal((await query(host.url, 'GetRole', name, as('read'))).status, 200);
  for (const [action, rights] of [
    ['DeleteRole', 'read'],
    ['DeleteRole', 'invoke'],
    ['GetRole', 'invoke'],
  ] as const)
    assert.equal(
      await refusal(host.url, action, name, as(rights)),
      `403 AccessDenied: User: ${principal} is not authorized to perform: iam:${action} on resource: arn:aws:iam::000000000000:role/r because no identity-based policy allows the iam:${action} action`,
    );
  assert.equal((await query(host.url, 'GetRole', name)).status, 200);
});

test('a form that is too long or nested too deep is refused', async () => {
  await using t = await startTestHost();
  assert.match(
    await refusal(t.url, 'ListRoles', { Marker: 'x'.repeat(1024 * 1024) }),
    /^413 RequestEntityTooLarge: /,
  );
  assert.match(
    await refusal(t.url, 'ListRoles', { 'a.b.c.d.e.f.g.h.i': '1' }),
    /^400 MalformedQueryString: /,
  );
});

test('with --auth none signatures are checked all the same, browsers are kept out, and who does not sign asks Lambda', async () => {
  await using t = await startTestHost({ args: ['--auth', 'none'] });
  assert.equal((await query(t.url, 'ListRoles')).status, 200);
  const wrong = { ...testKey, secretAccessKey: 'wrong' };
  assert.match(await refusal(t.url, 'ListRoles', {}, { key: wrong }), /^403 SignatureDoesNotMatch/);
  const form = 'Action=ListRoles&Version=2010-05-08';
  const { host } = new URL(t.url);
  const foreign = await sign(
    { method: 'POST', path: '/', headers: { host, origin: 'https://example.com' }, body: form },
    { key: testKey, at: Date.now(), service: 'iam' },
  );
  const refused = await answerTo(t.url, foreign, form);
  assert.deepEqual([refused.status, refused.code], [403, 'AccessDenied']);
  const unsigned = { method: 'POST', target: '/', rawHeaders: ['host', host] };
  const unknown = await answerTo(t.url, unsigned, form);
  assert.equal(unknown.contentType, 'application/json');
  assert.match(unknown.text, /Unable to determine service/);
});
