// The file of access keys: first start, the operator's pair, edits while the host runs, files that cannot be used.
import assert from 'node:assert/strict';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import {
  type Credentials,
  type CredentialsOptions,
  credentialsPath,
  openCredentials,
  readCredentials,
  writeCredentials,
} from '../../host/auth/credentials.ts';
import { handClock, repeatableRandom, temporarySecrets } from './temporary.ts';

const account = '123456789012';
const admin = { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'of-the-operator' };
const reader = {
  accessKeyId: 'AKIAREADER',
  secretAccessKey: 'of-the-reader',
  account,
  principal: `arn:aws:iam::${account}:user/reader`,
  rights: 'read',
} as const;

function options(secretsDir: string, more: Partial<CredentialsOptions> = {}): CredentialsOptions {
  const onProblem = (problem: string): void => assert.fail(problem);
  const random = repeatableRandom(secretsDir);
  return { secretsDir, accountId: account, now: () => 0, random, onProblem, ...more };
}

function found(credentials: Credentials, id: string, token?: string) {
  const key = credentials.lookup(id, token);
  assert.ok(typeof key === 'object', `${id} is refused`);
  return key;
}

suite('a first start', () => {
  test('generates an admin pair and a token, closed to others, and keeps them', async () => {
    await using secrets = await temporarySecrets();
    const first = await openCredentials(options(secrets.dir));
    const pair = first.adminPair;
    assert.match(pair?.accessKeyId ?? '', /^AKIA[A-Z2-7]{16}$/);
    assert.match(pair?.secretAccessKey ?? '', /^[A-Za-z0-9+/]{40}$/);
    const key = found(first, pair?.accessKeyId ?? '');
    assert.equal(key.secretAccessKey, pair?.secretAccessKey);
    assert.equal(key.principal, `arn:aws:iam::${account}:user/admin`);
    assert.equal(key.rights, 'admin');
    assert.equal(key.account, account);

    assert.deepEqual((await readdir(secrets.dir)).sort(), ['credentials.json', 'token']);
    assert.equal((await stat(secrets.dir)).mode & 0o777, 0o700);
    for (const name of await readdir(secrets.dir)) {
      assert.equal((await stat(join(secrets.dir, name))).mode & 0o777, 0o600, name);
    }
    const again = await openCredentials(
      options(secrets.dir, { random: repeatableRandom('other') }),
    );
    assert.deepEqual(again.adminPair, pair);
    assert.equal(again.bearerToken, first.bearerToken);
  });

  test('takes away what others were allowed to read', async () => {
    await using secrets = await temporarySecrets();
    await openCredentials(options(secrets.dir));
    await chmod(secrets.dir, 0o755);
    await chmod(credentialsPath(secrets.dir), 0o644);
    await openCredentials(options(secrets.dir));
    assert.equal((await stat(secrets.dir)).mode & 0o777, 0o700);
    assert.equal((await stat(credentialsPath(secrets.dir))).mode & 0o777, 0o600);
  });

  test('leaves the admin that an operator has written down', async () => {
    await using secrets = await temporarySecrets();
    await openCredentials(options(secrets.dir));
    const own = { ...reader, ...admin, rights: 'admin' } as const;
    await writeCredentials(credentialsPath(secrets.dir), [own]);
    const credentials = await openCredentials(options(secrets.dir));
    assert.deepEqual(credentials.adminPair, admin);
    assert.deepEqual(await readCredentials(credentialsPath(secrets.dir)), [own]);
  });
});

suite("the operator's pair", () => {
  test('stands in for the generated one and is never written down', async () => {
    await using secrets = await temporarySecrets();
    const generated = (await openCredentials(options(secrets.dir))).adminPair;
    const credentials = await openCredentials(options(secrets.dir, { admin }));
    assert.deepEqual(credentials.adminPair, admin);
    assert.equal(found(credentials, admin.accessKeyId).rights, 'admin');
    assert.equal(credentials.lookup(generated?.accessKeyId ?? ''), 'unknown');
    const text = await readFile(credentialsPath(secrets.dir), 'utf8');
    assert.ok(!text.includes(admin.secretAccessKey));
    assert.deepEqual((await openCredentials(options(secrets.dir))).adminPair, generated);
  });

  test('is there from the first start, with no generated one beside it', async () => {
    await using secrets = await temporarySecrets();
    const credentials = await openCredentials(options(secrets.dir, { admin, bearerToken: 'mine' }));
    assert.deepEqual(credentials.adminPair, admin);
    assert.deepEqual(await readCredentials(credentialsPath(secrets.dir)), []);
    assert.equal(credentials.bearerToken, 'mine');
  });

  test('that no signature could hold is refused', async () => {
    await using secrets = await temporarySecrets();
    const slashed = { accessKeyId: 'AKIA/1', secretAccessKey: 'x' };
    await assert.rejects(openCredentials(options(secrets.dir, { admin: slashed })), {
      message: 'the configured admin key pair cannot be used',
    });
  });
});

suite('what policies may ask about a principal', () => {
  const s3 = { ...reader, accessKeyId: 'AKIASERVICE', principal: 's3.amazonaws.com' };
  const cases = [
    [reader, undefined],
    [{ ...reader, organization: 'o-0123456789' }, { organization: 'o-0123456789' }],
    [s3, { sourceArn: undefined, sourceAccount: account }],
    [
      { ...s3, sourceArn: 'arn:aws:s3:::b', sourceAccount: '999999999999' },
      { sourceArn: 'arn:aws:s3:::b', sourceAccount: '999999999999' },
    ],
  ] as const;
  for (const [entry, attributes] of cases)
    test(`is ${JSON.stringify(attributes)} of ${JSON.stringify(entry)}`, async () => {
      await using secrets = await temporarySecrets();
      await openCredentials(options(secrets.dir));
      await writeCredentials(credentialsPath(secrets.dir), [entry]);
      const credentials = await openCredentials(options(secrets.dir));
      assert.deepEqual(found(credentials, entry.accessKeyId).attributes, attributes);
    });
});

suite('session tokens and the bearer token', () => {
  test('a key with a session token is accepted with it only, a key without one only without', async () => {
    await using secrets = await temporarySecrets();
    const temporary = { ...reader, accessKeyId: 'ASIATEMPORARY', sessionToken: 'abc+/=' };
    await openCredentials(options(secrets.dir));
    await writeCredentials(credentialsPath(secrets.dir), [reader, temporary]);
    const credentials = await openCredentials(options(secrets.dir));
    assert.equal(found(credentials, 'ASIATEMPORARY', 'abc+/=').accessKeyId, 'ASIATEMPORARY');
    assert.equal(credentials.lookup('ASIATEMPORARY', 'abc+/'), 'unknown');
    assert.equal(credentials.lookup('ASIATEMPORARY'), 'unknown');
    assert.equal(found(credentials, 'AKIAREADER').rights, 'read');
    assert.equal(credentials.lookup('AKIAREADER', 'abc+/='), 'unknown');
  });

  test('the bearer token is compared whole', async () => {
    await using secrets = await temporarySecrets();
    const credentials = await openCredentials(options(secrets.dir));
    const token = credentials.bearerToken;
    assert.match(token, /^[\w-]{43}$/);
    assert.ok(credentials.isBearerToken(token));
    for (const wrong of ['', token.slice(1), `${token}x`, token.toLowerCase()]) {
      assert.ok(!credentials.isBearerToken(wrong), wrong);
    }
  });
});

suite('edits while the host runs', () => {
  test('are taken up within a second, removals included', async () => {
    await using secrets = await temporarySecrets();
    const clock = handClock();
    const credentials = await openCredentials(options(secrets.dir, { now: clock.now }));
    const pair = credentials.adminPair;
    const path = credentialsPath(secrets.dir);
    await writeCredentials(path, [...(await readCredentials(path)), reader]);
    clock.advance(999);
    assert.equal(credentials.lookup('AKIAREADER'), 'unknown');
    clock.advance(1);
    assert.equal(found(credentials, 'AKIAREADER').secretAccessKey, 'of-the-reader');

    await writeCredentials(path, [{ ...reader, secretAccessKey: 'rotated' }]);
    clock.advance(1000);
    assert.equal(found(credentials, 'AKIAREADER').secretAccessKey, 'rotated');
    assert.equal(credentials.lookup(pair?.accessKeyId ?? ''), 'unknown');
    assert.equal(credentials.adminPair, undefined);
  });

  test('that cannot be used leave the last good keys and are reported once', async () => {
    await using secrets = await temporarySecrets();
    const clock = handClock();
    const problems: string[] = [];
    const onProblem = (problem: string): void => void problems.push(problem);
    const credentials = await openCredentials(options(secrets.dir, { now: clock.now, onProblem }));
    const path = credentialsPath(secrets.dir);
    await writeCredentials(path, [reader]);
    clock.advance(1000);
    found(credentials, 'AKIAREADER');

    await writeFile(path, '[{"secretAccessKey": "half-writ');
    for (let look = 0; look < 3; look += 1) {
      clock.advance(1000);
      found(credentials, 'AKIAREADER');
    }
    assert.deepEqual(problems, [`${path}: it is not JSON; what it said before stays in force`]);

    await rm(path);
    clock.advance(1000);
    found(credentials, 'AKIAREADER');
    assert.equal(problems[1], `${path} is gone; what it said before stays in force`);

    await writeCredentials(path, [{ ...reader, rights: 'invoke' }]);
    clock.advance(1000);
    assert.equal(found(credentials, 'AKIAREADER').rights, 'invoke');
    assert.equal(problems.length, 2);
  });
});

suite('a file that cannot be used at the start', () => {
  const cases = [
    ['{', 'it is not JSON'],
    ['{}', 'must be a list of access keys'],
    ['[1]', 'entry 1: must be an object'],
    [
      JSON.stringify([{ ...reader, account: '12', rights: 'root', note: 'x' }]),
      'entry 1: account must be 12 digits; entry 1: rights must be admin, invoke, read; entry 1: note is not a member',
    ],
    [JSON.stringify([reader, reader]), 'accessKeyId AKIAREADER stands twice'],
    [
      JSON.stringify([
        { ...reader, organization: 'o-1', sourceArn: 'arn:aws:s3:::b' },
        { ...reader, accessKeyId: 'AKIAS', principal: 's3.amazonaws.com', sourceAccount: '1' },
        {
          ...reader,
          accessKeyId: 'AKIAT',
          principal: 's3.amazonaws.com',
          organization: 'o-0123456789',
        },
      ]),
      'entry 1: organization must be o- and 10 to 32 letters and digits; entry 1: sourceArn does not belong to an identity; entry 2: sourceAccount must be 12 digits; entry 3: organization does not belong to a service',
    ],
    [
      JSON.stringify([{ ...reader, secretAccessKey: undefined, sessionToken: '' }]),
      'entry 1: secretAccessKey must be 1 to 128 printable characters, no spaces; entry 1: sessionToken must be printable characters, no spaces',
    ],
  ] as const;
  for (const [text, why] of cases) {
    test(`is fatal: ${why}`, async () => {
      await using secrets = await temporarySecrets();
      await openCredentials(options(secrets.dir));
      const path = credentialsPath(secrets.dir);
      await writeFile(path, text);
      await assert.rejects(openCredentials(options(secrets.dir)), {
        name: 'SecretFileError',
        message: `${path}: ${why}`,
      });
      assert.equal(await readFile(path, 'utf8'), text);
    });
  }
});
