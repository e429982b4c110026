// Layers reach a slot that is running already, in every tier, and cannot be changed from inside where code cannot either.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { placeLayers } from '../../runtime/environment/place-layers.ts';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { openTestHost, tierOptions, unlessTier } from './slot.ts';

/** What a write to /opt says; without isolation a function is the host's own user. */
const refusals = {
  full: 'EROFS',
  partial: 'EROFS',
  'partial-uid': 'EACCES',
  none: undefined,
} as const satisfies Record<IsolationTier, string | undefined>;

for (const tier of ['full', 'partial', 'partial-uid', 'none'] as const) {
  test(`what layers hold appears below /opt, tier ${tier}`, {
    skip: await unlessTier(tier),
  }, async () => {
    await using host = await openTestHost(tierOptions[tier]);
    await using slot = await host.start();
    const staged = path.join(host.dir, 'layers');
    mkdirSync(path.join(staged, 'lib'), { recursive: true });
    writeFileSync(path.join(staged, 'lib', 'a.txt'), 'a', { mode: 0o644 });
    writeFileSync(path.join(staged, 'b.txt'), 'b', { mode: 0o644 });
    await placeLayers(staged, slot.sandbox.optDir);
    assert.deepEqual(readdirSync(staged), []);
    const { optDir } = slot.sandbox.paths;
    const seen = await slot.run(
      `return [fs.readdirSync('${optDir}').sort(), fs.readFileSync('${optDir}/lib/a.txt', 'utf8')]`,
    );
    assert.deepEqual(seen, [['b.txt', 'lib'], 'a']);
    const refusal = refusals[tier];
    if (refusal === undefined) return;
    for (const file of ['new', 'b.txt', 'lib/new']) {
      const write = `return attempt(() => fs.writeFileSync('${optDir}/${file}', ''))`;
      assert.equal(await slot.run(write), refusal, file);
    }
  });
}
