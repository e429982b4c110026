// Credentials of environments: issued, accepted, expired, tampered with, of another host; and roles mapped to real ones.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FunctionCredentials } from '../../host/auth/function-credentials.ts';
import { type HostKey, openHostKey } from '../../host/auth/host-key.ts';
import { RoleCredentials } from '../../host/auth/role-credentials.ts';
import { type HandClock, handClock, repeatableRandom, temporarySecrets } from './temporary.ts';

const identity = {
  role: 'arn:aws:iam::123456789012:role/service-role/worker',
  account: '123456789012',
  functionName: 'resize',
};
const hours = 3_600_000;

function issuer(hostKey: HostKey, clock: HandClock): FunctionCredentials {
  return new FunctionCredentials({ hostKey, now: clock.now, random: repeatableRandom('issuer') });
}

async function hostKeyIn(secretsDir: string): Promise<HostKey> {
  return openHostKey({ secretsDir, random: repeatableRandom(secretsDir) });
}

suite('credentials of an environment', () => {
  test('are accepted for twelve hours as an assumed role that may invoke, also after a restart', async () => {
    await using secrets = await temporarySecrets();
    const clock = handClock();
    const issued = issuer(await hostKeyIn(secrets.dir), clock).issue(identity);
    assert.match(issued.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
    assert.match(issued.secretAccessKey, /^[A-Za-z0-9+/]{40}$/);
    assert.match(issued.sessionToken, /^[\w-]+$/);
    assert.equal(issued.expiresAt, clock.now() + 12 * hours);

    const restarted = issuer(await hostKeyIn(secrets.dir), clock);
    const expected = {
      kind: 'function',
      accessKeyId: issued.accessKeyId,
      secretAccessKey: issued.secretAccessKey,
      account: '123456789012',
      principal: 'arn:aws:sts::123456789012:assumed-role/worker/resize',
      rights: 'invoke',
      attributes: { role: 'arn:aws:iam::123456789012:role/service-role/worker' },
    };
    for (const wait of [0, 12 * hours - 1]) {
      clock.advance(wait);
      assert.deepEqual(restarted.lookup(issued.accessKeyId, issued.sessionToken), expected);
    }
    clock.advance(1);
    assert.equal(restarted.lookup(issued.accessKeyId, issued.sessionToken), 'expired');
    const later = issuer(await hostKeyIn(secrets.dir), clock);
    assert.equal(later.lookup(issued.accessKeyId, issued.sessionToken), 'expired');
  });

  test('are unknown under another id, and to another host', async () => {
    await using secrets = await temporarySecrets();
    await using others = await temporarySecrets();
    const clock = handClock();
    const own = issuer(await hostKeyIn(secrets.dir), clock);
    const first = own.issue(identity);
    const second = own.issue(identity);
    assert.notEqual(first.secretAccessKey, second.secretAccessKey);
    assert.equal(own.lookup(first.accessKeyId, second.sessionToken), 'unknown');
    const other = issuer(await hostKeyIn(others.dir), clock);
    assert.equal(other.lookup(first.accessKeyId, first.sessionToken), 'unknown');
  });

  test('are unknown once a single character of the token has changed, gone or come', async () => {
    await using secrets = await temporarySecrets();
    const own = issuer(await hostKeyIn(secrets.dir), handClock());
    const { accessKeyId, sessionToken } = own.issue(identity);
    const place = fc.nat(sessionToken.length - 1);
    const other = fc.constantFrom(...Array.from('AZaz09-_+/= é'), '');
    fc.assert(
      fc.property(place, other, fc.boolean(), (at, text, insert) => {
        const rest = sessionToken.slice(insert ? at : at + 1);
        const changed = sessionToken.slice(0, at) + text + rest;
        fc.pre(changed !== sessionToken);
        assert.equal(own.lookup(accessKeyId, changed), 'unknown');
      }),
      { numRuns: 2000 },
    );
    for (const none of ['', `${sessionToken}=`, 'x'.repeat(10_000)]) {
      assert.equal(own.lookup(accessKeyId, none), 'unknown');
    }
    assert.ok(typeof own.lookup(accessKeyId, sessionToken) === 'object');
  });
});

suite('credentials by role', () => {
  async function roles(secretsDir: string, mappings: unknown, clock = handClock()) {
    await mkdir(secretsDir, { recursive: true });
    await writeFile(join(secretsDir, 'roles.json'), JSON.stringify(mappings));
    return new RoleCredentials({
      secretsDir,
      functionCredentials: issuer(await hostKeyIn(secretsDir), clock),
      now: clock.now,
      onProblem: (problem) => assert.fail(problem),
      profileFiles: { credentials: join(secretsDir, 'ini'), config: join(secretsDir, 'config') },
    });
  }

  test('come from the host where no mapping is, with or without a file', async () => {
    await using secrets = await temporarySecrets();
    const clock = handClock();
    const functionCredentials = issuer(await hostKeyIn(secrets.dir), clock);
    const onProblem = (problem: string): void => assert.fail(problem);
    const { now } = clock;
    const none = new RoleCredentials({
      secretsDir: secrets.dir,
      functionCredentials,
      now,
      onProblem,
    });
    const issued = await none.credentialsFor(identity);
    assert.ok(
      typeof functionCredentials.lookup(issued.accessKeyId, issued.sessionToken ?? '') === 'object',
    );
    const mapped = await roles(secrets.dir, {
      'arn:aws:iam::123456789012:role/x': { profile: 'p' },
    });
    assert.match((await mapped.credentialsFor(identity)).accessKeyId, /^ASIA/);
  });

  test('are the real ones where they are mapped, and follow edits', async () => {
    await using secrets = await temporarySecrets();
    const clock = handClock();
    const real = { accessKeyId: 'AKIAREAL', secretAccessKey: 'real', sessionToken: 'token' };
    const byRole = await roles(secrets.dir, { [identity.role]: real }, clock);
    assert.deepEqual(await byRole.credentialsFor(identity), real);
    const rotated = { accessKeyId: 'AKIANEXT', secretAccessKey: 'next' };
    await writeFile(join(secrets.dir, 'roles.json'), JSON.stringify({ [identity.role]: rotated }));
    clock.advance(1000);
    assert.deepEqual(await byRole.credentialsFor(identity), rotated);
  });

  test('are the host’s own for a function of another account than its role', async () => {
    await using secrets = await temporarySecrets();
    const real = { accessKeyId: 'AKIAREAL', secretAccessKey: 'real' };
    const byRole = await roles(secrets.dir, { [identity.role]: real });
    const foreign = await byRole.credentialsFor({ ...identity, account: '999999999999' });
    assert.notEqual(foreign.accessKeyId, real.accessKeyId);
    assert.match(foreign.accessKeyId, /^ASIA/);
  });

  test('are those of a profile of the machine, read anew each time', async () => {
    await using secrets = await temporarySecrets();
    const byRole = await roles(secrets.dir, { [identity.role]: { profile: 'real' } });
    for (const secret of ['first', 'second']) {
      const text = `[real]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = ${secret}\n`;
      await writeFile(join(secrets.dir, 'ini'), text);
      const { accessKeyId, secretAccessKey } = await byRole.credentialsFor(identity);
      assert.deepEqual([accessKeyId, secretAccessKey], ['AKIAPROFILE', secret]);
    }
  });

  test('fail with role and profile named when the profile gives none', async () => {
    await using secrets = await temporarySecrets();
    const byRole = await roles(secrets.dir, { [identity.role]: { profile: 'nowhere' } });
    await assert.rejects(byRole.credentialsFor(identity), {
      message: `role ${identity.role} is mapped to profile nowhere, which gives no credentials`,
    });
  });

  test('of a file that is not in order are refused at the start', async () => {
    await using secrets = await temporarySecrets();
    for (const bad of [
      [],
      { worker: { profile: 'p' } },
      { [identity.role]: { profile: '' } },
      { [identity.role]: { accessKeyId: 'a' } },
      { [identity.role]: { profile: 'p', accessKeyId: 'a', secretAccessKey: 'b' } },
      { [identity.role]: { accessKeyId: 'a', secretAccessKey: 1 } },
    ]) {
      await assert.rejects(roles(secrets.dir, bad), { name: 'SecretFileError' });
    }
  });
});
