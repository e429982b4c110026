// Links: what was signed comes back, for as long as was said, and nothing else does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openHostKey } from '../../host/auth/host-key.ts';
import { createSignedLinks, linkLifeMs } from '../../host/http/signed-link.ts';
import { repeatableRandom, temporarySecrets } from '../auth/temporary.ts';

const now = Date.parse('2026-01-02T03:04:05Z');

async function linksIn(secretsDir: string) {
  const hostKey = await openHostKey({ secretsDir, random: repeatableRandom(secretsDir) });
  return createSignedLinks({ hostKey });
}

test('a link gives its path back until it expires, also after a restart', async () => {
  await using secrets = await temporarySecrets();
  const links = await linksIn(secrets.dir);
  for (const path of ['/_lambkin/code/abc', '/_lambkin/code/abc?versionId=1', '/a%2Fb?x&y=%26']) {
    const link = links.signLink(path, now + linkLifeMs);
    assert.ok(link.startsWith(path));
    assert.equal(new URL(link, 'http://localhost').pathname, path.split('?')[0]);
    const restarted = await linksIn(secrets.dir);
    assert.deepEqual(restarted.verifyLink(link, now), { kind: 'valid', path });
    assert.deepEqual(restarted.verifyLink(link, now + 599_999), { kind: 'valid', path });
    assert.deepEqual(restarted.verifyLink(link, now + 600_000), { kind: 'expired' });
  }
});

test('a link with any character changed, gone or added is invalid', async () => {
  await using secrets = await temporarySecrets();
  const links = await linksIn(secrets.dir);
  const link = links.signLink('/_lambkin/code/abc', now + linkLifeMs);
  const joint = link.indexOf('?');
  fc.assert(
    fc.property(
      fc.nat(link.length),
      fc.constantFrom('', 'a', '0', '/', '?', '&', '=', '\n'),
      fc.boolean(),
      (at, text, insert) => {
        const changed = link.slice(0, at) + text + link.slice(insert ? at : at + 1);
        // `&` in place of `?` joins the same two parts.
        fc.pre(changed !== link && !(at === joint && text === '&' && !insert));
        assert.equal(links.verifyLink(changed, now).kind, 'invalid');
      },
    ),
    { numRuns: 2000 },
  );
});

test('a link of another host, or for a later end, is invalid', async () => {
  await using secrets = await temporarySecrets();
  await using others = await temporarySecrets();
  const links = await linksIn(secrets.dir);
  const link = links.signLink('/p', now);
  assert.equal((await linksIn(others.dir)).verifyLink(link, now - 1).kind, 'invalid');
  const later = link.replace(/Expires=\d+/, `Expires=${now / 1000 + 60}`);
  assert.equal(links.verifyLink(later, now).kind, 'invalid');
  assert.equal(links.verifyLink('/p', now).kind, 'invalid');
  assert.equal(links.verifyLink('', now).kind, 'invalid');
});
