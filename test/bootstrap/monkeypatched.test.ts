// A function that replaces built-ins harms itself, not the protocol.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
  test(`${runtime}: events go on being answered after JSON, Promise, Date, Buffer, fs, process were replaced`, async () => {
    await using peer = await BootstrapPeer.start({ code: 'monkeypatched', runtime });
    for (let round = 0; round < 3; round++) {
      const event = { round, text: 'ü'.repeat(100 + round * 40_000) };
      assert.deepEqual(await peer.result(event), event);
    }
    peer.send('Q');
    assert.deepEqual(await peer.ended(), { code: 0, signal: null });
  });
}
