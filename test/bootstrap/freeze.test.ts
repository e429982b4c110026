// Between invocations the main thread sits in read(2): timers stop, no CPU is used, and all goes on with the next event.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

test('a timer does not fire between invocations, and does in the next that has time for it', async () => {
  await using peer = await BootstrapPeer.start({ code: 'timers', handler: 'index.arm' });
  await using counter = await BootstrapPeer.start({ code: 'timers', handler: 'index.count' });
  assert.deepEqual(await counter.result({}), [0, 0]);
  await peer.result({ ms: 10 });
  const before = await cpuTicks(peer.pid);
  await sleep(150);
  assert.equal(await cpuTicks(peer.pid), before);
});

test('what is due after a freeze runs in the next invocation', async () => {
  await using peer = await BootstrapPeer.start({ code: 'timers', handler: 'index.armOrCount' });
  await peer.result({ arm: 50 });
  await sleep(100);
  assert.deepEqual(await peer.result({}), [0, 0]);
  assert.deepEqual(await peer.result({ waitMs: 1 }), [1, 1]);
});

test('a timer armed after a long freeze waits its full time', async () => {
  await using peer = await BootstrapPeer.start({ code: 'timers', handler: 'index.sleepFor' });
  await peer.result({ ms: 1 });
  await sleep(120);
  const slept = (await peer.result({ ms: 50 })) as number;
  assert.ok(slept >= 49, `${slept}`);
});

/** User and system time in clock ticks. */
async function cpuTicks(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return stat.split(') ')[1]?.split(' ').slice(11, 13).join();
}
