// All parts together: listed keys, keys of functions, and unsigned requests where the mode allows them.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type AuthMode, createAuthenticator, lookupIn } from '../../host/auth/authenticator.ts';
import { credentialsPath, openCredentials, writeCredentials } from '../../host/auth/credentials.ts';
import { FunctionCredentials } from '../../host/auth/function-credentials.ts';
import { openHostKey } from '../../host/auth/host-key.ts';
import { createBrowserGuard } from '../../host/http/browser-guard.ts';
import { sign } from './signing.ts';
import { handClock, repeatableRandom, temporarySecrets } from './temporary.ts';

const account = '123456789012';
const admin = { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'of-the-operator' };
const open: AuthMode = {
  kind: 'none',
  guard: createBrowserGuard({ trustedHosts: [] }),
  account,
  region: 'us-east-1',
};
const unsigned = { method: 'GET', path: '/2015-03-31/functions' };
const bare = { method: 'GET', target: unsigned.path, rawHeaders: ['Host', 'localhost:9001'] };
const none = Buffer.alloc(0);

async function hostWith(secretsDir: string, mode: AuthMode) {
  const clock = handClock();
  const random = repeatableRandom('authenticator');
  const { now } = clock;
  const onProblem = (problem: string): void => assert.fail(problem);
  const credentials = await openCredentials({
    secretsDir,
    accountId: account,
    now,
    random,
    admin,
    onProblem,
  });
  const hostKey = await openHostKey({ secretsDir, random });
  const issued = new FunctionCredentials({ hostKey, now, random });
  const lookup = lookupIn(credentials, issued);
  return {
    clock,
    issued,
    authenticator: createAuthenticator({ mode, lookup, services: ['lambda'], now }),
  };
}

suite('sigv4', () => {
  test('a listed key calls in the region of its scope, and no secret travels on', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator, clock } = await hostWith(secrets.dir, { kind: 'sigv4' });
    const request = await sign(unsigned, { key: admin, at: clock.now(), region: 'eu-west-1' });
    const pending = authenticator.begin(request);
    assert.equal(pending.service, 'lambda');
    assert.equal(pending.coversBody, true);
    // Without a declared hash of the body nothing is proven yet, but what is claimed is known.
    assert.deepEqual([pending.claimed.rights, pending.proven], ['admin', undefined]);
    assert.deepEqual(pending.finish(none), {
      kind: 'key',
      accessKeyId: 'AKIAOPERATOR',
      account,
      principal: `arn:aws:iam::${account}:user/admin`,
      rights: 'admin',
      region: 'eu-west-1',
    });
  });

  test('a body may be hashed as it comes in', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator, clock } = await hostWith(secrets.dir, { kind: 'sigv4' });
    const request = await sign(
      { ...unsigned, method: 'POST', body: 'abc' },
      { key: admin, at: clock.now() },
    );
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    assert.equal(authenticator.begin(request).finishDigest(sha256).rights, 'admin');
    assert.throws(() => authenticator.begin(request).finishDigest(`0${sha256.slice(1)}`), {
      name: 'InvalidSignatureException',
    });
  });

  test('a declared hash of the body proves the caller before the body is there', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator, clock } = await hostWith(secrets.dir, { kind: 'sigv4' });
    const put = { method: 'PUT', path: '/', headers: { 'x-amz-content-sha256': '0'.repeat(64) } };
    const pending = authenticator.begin(await sign(put, { key: admin, at: clock.now() }));
    assert.equal(pending.proven?.principal, `arn:aws:iam::${account}:user/admin`);
    assert.throws(() => pending.finish(none), { name: 'InvalidSignatureException' });
  });

  test('a function calls with its own credentials until they expire', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator, clock, issued } = await hostWith(secrets.dir, { kind: 'sigv4' });
    const role = `arn:aws:iam::${account}:role/worker`;
    const key = issued.issue({ account, role, functionName: 'resize' });
    const request = await sign(unsigned, { key, at: clock.now() });
    assert.deepEqual(authenticator.begin(request).finish(none), {
      kind: 'function',
      accessKeyId: key.accessKeyId,
      account,
      principal: `arn:aws:sts::${account}:assumed-role/worker/resize`,
      rights: 'invoke',
      region: 'us-east-1',
      attributes: { role },
    });
    const tampered = await sign(unsigned, {
      key: { ...key, sessionToken: `${key.sessionToken.slice(0, -1)}!` },
      at: clock.now(),
    });
    assert.throws(() => authenticator.begin(tampered), {
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    });
    clock.advance(12 * 3_600_000);
    const late = await sign(unsigned, { key, at: clock.now() });
    assert.throws(() => authenticator.begin(late), {
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    });
  });

  test('a rotated secret holds at once, and the old one no longer', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator, clock } = await hostWith(secrets.dir, { kind: 'sigv4' });
    const rotate = async (secretAccessKey: string): Promise<void> => {
      const principal = `arn:aws:iam::${account}:user/ci`;
      const entry = { accessKeyId: 'AKIACI', secretAccessKey, account, principal } as const;
      await writeCredentials(credentialsPath(secrets.dir), [{ ...entry, rights: 'invoke' }]);
      clock.advance(1000);
    };
    const calls = async (secretAccessKey: string): Promise<string> => {
      const key = { accessKeyId: 'AKIACI', secretAccessKey };
      const request = await sign(unsigned, { key, at: clock.now() });
      return authenticator.begin(request).finish(none).rights;
    };
    await rotate('first');
    assert.equal(await calls('first'), 'invoke');
    await rotate('second');
    assert.equal(await calls('second'), 'invoke');
    await assert.rejects(calls('first'), { name: 'InvalidSignatureException' });
  });

  test('an unsigned request is refused', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator } = await hostWith(secrets.dir, { kind: 'sigv4' });
    assert.throws(() => authenticator.begin(bare), { name: 'MissingAuthenticationTokenException' });
  });
});

suite('none', () => {
  test('an unsigned request is the administrator of the default account', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator } = await hostWith(secrets.dir, open);
    const pending = authenticator.begin(bare);
    assert.equal(pending.coversBody, false);
    assert.equal(pending.proven, pending.finish(none));
    assert.deepEqual(pending.finish(Buffer.from('anything')), {
      kind: 'anonymous',
      accessKeyId: '',
      account,
      principal: `arn:aws:iam::${account}:root`,
      rights: 'admin',
      region: 'us-east-1',
    });
  });

  test('a signed request is held to its key', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator, clock, issued } = await hostWith(secrets.dir, open);
    const role = `arn:aws:iam::${account}:role/worker`;
    const key = issued.issue({ account, role, functionName: 'resize' });
    const good = await sign(unsigned, { key, at: clock.now() });
    assert.equal(authenticator.begin(good).finish(none).rights, 'invoke');
    for (const expiresSeconds of [undefined, 60]) {
      const forged = { ...admin, secretAccessKey: 'guess' };
      const bad = await sign(unsigned, { key: forged, at: clock.now(), expiresSeconds });
      assert.throws(() => authenticator.begin(bad).finish(none), {
        name: 'InvalidSignatureException',
      });
    }
  });

  test('a page of another origin is refused', async () => {
    await using secrets = await temporarySecrets();
    const { authenticator } = await hostWith(secrets.dir, open);
    const rawHeaders = [...bare.rawHeaders, 'Origin', 'https://example.org'];
    assert.throws(() => authenticator.begin({ ...bare, rawHeaders }), {
      name: 'AccessDeniedException',
      status: 403,
    });
  });
});
