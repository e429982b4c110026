// Which names and origins an unauthenticated host answers to.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createBrowserGuard } from '../../host/http/browser-guard.ts';

const guard = createBrowserGuard({ trustedHosts: ['Lambda.Example.org'] });

function passes(...rawHeaders: string[]): boolean {
  try {
    guard.check(rawHeaders);
    return true;
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'AccessDeniedException');
    return false;
  }
}

suite('Host', () => {
  for (const host of [
    'localhost',
    'localhost:9001',
    'LOCALHOST:9001',
    'localhost.:9001',
    'lambda.us-east-1.localhost:9001',
    '127.0.0.1:9001',
    '127.5.6.7',
    '[::1]:9001',
    '[::1]',
    'lambda.example.org',
    'lambda.example.org:443',
  ]) {
    test(`${host} is ours`, () => assert.ok(passes('Host', host)));
  }
  for (const host of [
    '',
    'example.org',
    'localhost.example.org',
    'notlocalhost',
    '127.0.0.1.example.org',
    '1127.0.0.1',
    '128.0.0.1',
    '10.0.0.1:9001',
    '[::2]:9001',
    '::1',
    'sub.lambda.example.org',
    'localhost:9001@example.org',
    'localhost:9001,example.org',
  ]) {
    test(`'${host}' is not ours`, () => assert.ok(!passes('Host', host)));
  }
  test('absent or repeated is refused', () => {
    assert.ok(!passes('Accept', '*/*'));
    assert.ok(!passes('Host', 'localhost', 'host', 'localhost'));
  });
  test('is named in the refusal, with what to do', () => {
    assert.throws(() => guard.check(['Host', 'evil.test']), {
      message:
        "Request refused: without authentication this host answers to loopback names only, not to 'evil.test'. Add the name to LAMBKIN_TRUSTED_HOSTS, or use --auth sigv4.",
    });
  });
});

suite('Origin', () => {
  const withOrigin = (origin: string): boolean =>
    passes('Host', 'localhost:9001', 'origin', origin);
  for (const origin of [
    'http://localhost:9001',
    'https://LOCALHOST:9001',
    'https://lambda.example.org',
  ]) {
    test(`${origin} is ours`, () => assert.ok(withOrigin(origin)));
  }
  for (const origin of [
    'null',
    '',
    'http://localhost',
    'http://localhost:3000',
    'http://127.0.0.1:9001',
    'https://example.org',
    'https://localhost:9001.example.org',
    'https://lambda.example.org.evil.test',
    'localhost:9001',
  ]) {
    test(`'${origin}' is foreign`, () => assert.ok(!withOrigin(origin)));
  }
});
