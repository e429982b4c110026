// Listings are sorted once for each state of what they list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApiHost } from '../support/api-host.ts';
import { alias, published, updated, withVersions } from '../support/versions.ts';

test('versions are put in order again only after one of them has changed', async () => {
  await using host = await startApiHost();
  const { client, functions } = host;
  await withVersions(client, 'f', 2);
  const listed = () => {
    const held = functions.held('000000000000', 'us-east-1', 'f');
    assert.ok(held);
    return { versions: functions.versionsOf(held), aliases: functions.aliasesOf(held) };
  };
  const before = listed();
  assert.deepEqual(
    before.versions.map(({ version }) => version),
    ['1', '2'],
  );
  await updated(client, 'f', { Timeout: 9 });
  await alias(client, 'f', 'PROD', '1');
  const between = listed();
  assert.equal(between.versions, before.versions);
  assert.deepEqual(
    between.aliases.map(({ name }) => name),
    ['PROD'],
  );
  await published(client, 'f');
  const after = listed();
  assert.equal(after.aliases, between.aliases);
  assert.deepEqual(
    after.versions.map(({ version }) => version),
    ['1', '2', '3'],
  );
});
