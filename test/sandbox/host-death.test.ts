// A host that is killed leaves no sandbox running, and the next host of its id finds a clean place.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { openSandboxes } from '../../runtime/sandbox/open.ts';
import { isRunning, treeOf } from '../../runtime/sandbox/process-tree.ts';
import type { IsolationTier, SandboxConfig } from '../../runtime/sandbox/sandbox.ts';
import { temporaryDirectory, tierOptions, unlessTier, waitFor } from './slot.ts';

const openModule = path.resolve(import.meta.dirname, '../../runtime/sandbox/open.ts');
const slotModule = path.resolve(import.meta.dirname, 'slot.ts');

/** A host of its own process: four slots, two of them blocked in a read and two in an endless loop. */
const victim = `
const { openSandboxes } = await import(process.argv[1]);
const { testProgram, TestSlot, defaultShape } = await import(process.argv[2]);
const config = JSON.parse(process.argv[3]);
const sandboxes = await openSandboxes(config);
const program = testProgram(process.argv[4]);
const slots = await Promise.all([0, 1, 2, 3].map(() => new TestSlot(sandboxes.spawn(defaultShape, program)).up()));
for (const slot of slots.slice(2)) void slot.run('for (;;);');
for (const slot of slots.slice(0, 2))
  await slot.run("spawn('/bin/sleep', ['60'], { stdio: 'ignore' }).unref(); return 1");
console.log('up');
setInterval(() => 0, 1000);
`;

async function killedHost(config: SandboxConfig, dir: string) {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', victim, openModule, slotModule, JSON.stringify(config), dir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [said] = await once(child.stdout, 'data');
  assert.equal(String(said), 'up\n');
  assert.ok(child.pid !== undefined);
  const pids = treeOf(child.pid).slice(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return pids;
}

for (const tier of [
  'full',
  'partial',
  'partial-uid',
  'none',
] as const satisfies readonly IsolationTier[]) {
  suite(`a host of tier ${tier} that is killed`, { skip: await unlessTier(tier) }, () => {
    test('leaves nothing for the next one of its id', async () => {
      const dir = temporaryDirectory();
      const config: SandboxConfig = {
        slotsDir: path.join(dir, 'slots'),
        mode: 'auto',
        maxProcesses: 64,
        hostId: path.basename(dir),
        ...tierOptions[tier],
      };
      const pids = await killedHost(config, dir);
      assert.ok(pids.length >= 4, String(pids.length));
      if (tier === 'full' || tier === 'partial') {
        await waitFor('the sandboxes end by themselves', () => !pids.some(isRunning), 1_000);
      }
      const left = readdirSync(config.slotsDir).filter((name) => /^\d+$/.test(name));
      assert.ok(left.length >= 4);
      const sandboxes = await openSandboxes(config);
      try {
        if (tier !== 'none') assert.ok(!pids.some(isRunning));
        const kept = left.filter((name) => existsSync(`${config.slotsDir}/${name}/var/task`));
        assert.deepEqual(kept, []);
      } finally {
        await sandboxes[Symbol.asyncDispose]();
        for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGKILL');
        rmSync(dir, { recursive: true });
      }
    });

    test('has its old code removed', async () => {
      const dir = temporaryDirectory();
      const slotsDir = path.join(dir, 'slots');
      mkdirSync(path.join(slotsDir, '7', 'var', 'task'), { recursive: true });
      const hostId = path.basename(dir);
      const config: SandboxConfig = { slotsDir, mode: 'auto', maxProcesses: 64, hostId };
      const sandboxes = await openSandboxes({ ...config, ...tierOptions[tier] });
      assert.ok(!existsSync(path.join(slotsDir, '7', 'var', 'task')));
      await sandboxes[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true });
    });
  });
}
