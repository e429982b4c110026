// MemorySize and EphemeralStorage as a function meets them.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isHeapExhaustion } from '../../runtime/sandbox/exit-status.ts';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { openTestHost, tierOptions, unlessTier } from './slot.ts';

const lambda = { memoryMib: 128, ephemeralStorageMib: 512 } as const;
// Slow enough that a poll on a busy machine sees it before RLIMIT_DATA, which would only make the allocation throw.
const nap = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);';
const bufferBomb = `const all = []; for (;;) { all.push(Buffer.alloc(4 << 20, 1)); ${nap} }`;
const heapBomb = 'const all = []; for (;;) all.push({ x: [1, 2, 3] });';
const childBomb = `
  const eat = 'const all = []; for (let i = 0; i < 250; i++) { all.push(Buffer.alloc(4 << 20, 1)); ${nap} } setTimeout(() => 0, 60000);';
  const child = spawn(process.execPath, ['-e', eat], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  await new Promise(() => setInterval(() => 0, 1000));`;
const write = (mib: number) => `
  const piece = Buffer.alloc(1 << 20, 1), file = fs.openSync('/tmp/full', 'w');
  try { for (let i = 0; i < ${mib}; i++) fs.writeSync(file, piece); return 'written'; }
  catch (error) { return error.code; } finally { fs.closeSync(file); }`;

suite('/tmp beside MemorySize, tier full', { skip: await unlessTier('full') }, () => {
  test('a function of 128 MB writes 400 MB into /tmp', async () => {
    await using host = await openTestHost();
    await using slot = await host.start(lambda);
    slot.sandbox.watchMemory(true);
    assert.equal(await slot.run(write(400)), 'written');
    await sleep(100); // four looks of the poll, which must not count these pages
    assert.equal(await slot.run('return fs.statSync("/tmp/full").size'), 400 << 20);
    assert.ok(slot.sandbox.peakKib > 0 && slot.sandbox.peakKib < 128 * 1024);
  });

  test('600 MB do not fit, and the function is told so', async () => {
    await using host = await openTestHost();
    await using slot = await host.start(lambda);
    slot.sandbox.watchMemory(true);
    assert.equal(await slot.run(write(600)), 'ENOSPC');
    assert.equal(await slot.run('return 1'), 1);
  });
});

for (const tier of [
  'full',
  'partial',
  'partial-uid',
  'none',
] as const satisfies readonly IsolationTier[]) {
  suite(`more than MemorySize, tier ${tier}`, { skip: await unlessTier(tier) }, () => {
    for (const [name, code] of [
      ['buffers', bufferBomb],
      ['a child process', childBomb],
    ] as const) {
      test(`in ${name} ends the sandbox as outOfMemory, and no other`, async () => {
        await using host = await openTestHost(tierOptions[tier]);
        await using sibling = await host.start(lambda);
        await using slot = await host.start(lambda);
        slot.sandbox.watchMemory(true);
        sibling.sandbox.watchMemory(true);
        const ran = slot.run(code);
        assert.deepEqual(await slot.sandbox.exit, { kind: 'outOfMemory' });
        assert.equal(await ran, undefined);
        assert.ok(slot.sandbox.peakKib >= 128 * 1024);
        assert.equal(await sibling.run('return 1'), 1);
      });
    }

    test('in the heap ends in the message of V8 or as outOfMemory', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using slot = await host.start(lambda);
      slot.sandbox.watchMemory(true);
      await slot.run(heapBomb);
      const exit = await slot.sandbox.exit;
      const isOutOfMemory = exit.kind === 'outOfMemory' || isHeapExhaustion(exit, slot.output);
      assert.ok(isOutOfMemory, JSON.stringify(exit) + slot.output);
    });

    const isBackstopped = tier === 'partial' || tier === 'none';
    test('untouched buffers do not count', {
      skip: isBackstopped && 'without a group, RLIMIT_DATA counts what is only reserved',
    }, async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using slot = await host.start(lambda);
      slot.sandbox.watchMemory(true);
      await slot.run('globalThis.kept = Buffer.allocUnsafeSlow(300 << 20)');
      await sleep(100); // four looks of the poll
      assert.equal(await slot.run('return kept.length'), 300 << 20);
    });
  });
}

suite('the hard limit of the kernel', { skip: await unlessTier('full') }, () => {
  test('holds while nobody watches', async () => {
    await using host = await openTestHost();
    await using slot = await host.start({ memoryMib: 128, ephemeralStorageMib: 64 });
    await slot.run(bufferBomb);
    assert.deepEqual(await slot.sandbox.exit, { kind: 'outOfMemory' });
  });
});
