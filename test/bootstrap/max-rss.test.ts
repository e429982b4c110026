// The peak memory that answers carry: the function's own, not that of the process which spawned it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

const MIB = 1024;

test('a large parent does not show, a large function does', async () => {
  // Resident in this process while it spawns: what Linux would hand on through vfork and exec.
  const held = Buffer.alloc(400 * 1024 * 1024, 1);
  await using peer = await BootstrapPeer.start({ code: 'memory' });
  assert.equal(held[held.length - 1], 1);
  const ready = await peer.next('R');
  assert.ok(ready.maxRssKib > 20 * MIB && ready.maxRssKib < 200 * MIB, `${ready.maxRssKib}`);
  const small = await peer.invoke({ mib: 1 });
  assert.ok(
    small.maxRssKib >= ready.maxRssKib && small.maxRssKib < 200 * MIB,
    `${small.maxRssKib}`,
  );
  const large = await peer.invoke({ mib: 150 });
  assert.ok(large.maxRssKib >= small.maxRssKib + 100 * MIB, `${large.maxRssKib}`);
  const after = await peer.invoke({ mib: 1 });
  assert.ok(after.maxRssKib >= large.maxRssKib - MIB, 'a high-water mark does not fall');
});
