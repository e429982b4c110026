// Ending a sandbox: what a kill reaches, what is left behind (nothing), and what must not end it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runningProcesses, statOf, treeOf } from '../../runtime/sandbox/process-tree.ts';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { defaultShape, openTestHost, tierOptions, unlessTier, waitFor } from './slot.ts';

/** Five daemons that have left parent, session and group, and refuse SIGTERM; each names itself after the slot. */
const daemons = (name: string) => `
  for (let i = 0; i < 5; i++) spawnSync('/bin/sh', ['-c',
    'setsid sh -c "trap : TERM; while :; do sleep 0.5; done; : ${name}" </dev/null >/dev/null 2>&1 &']);
  process.on('SIGTERM', () => {});`;

const commandLine = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return ''; // ended between the listing and now
  }
};
const processesNamed = (name: string) =>
  runningProcesses().filter(({ pid }) => commandLine(pid).includes(name));

/** Every directory of the host's in any control group hierarchy. */
function groupsOf(hostId: string): readonly string[] {
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  const hierarchies = [root, ...readdirSync(root).map((name) => `${root}/${name}`)];
  return hierarchies.map((at) => `${at}/lambkin-${hostId}`).filter((at) => existsSync(at));
}

const tiers = [
  'full',
  'partial',
  'partial-uid',
  'none',
] as const satisfies readonly IsolationTier[];
for (const tier of tiers) {
  suite(`disposing of a slot of tier ${tier}`, { skip: await unlessTier(tier) }, () => {
    test('leaves no process, zombie, directory, group or descriptor', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await (await host.start())[Symbol.asyncDispose]();
      const descriptors = readdirSync('/proc/self/fd').length;
      const pids: number[] = [];
      for (let i = 0; i < 4; i++) {
        const slot = await host.start();
        const mine = treeOf(process.pid).slice(1);
        pids.push(...mine);
        await slot[Symbol.asyncDispose]();
        await slot[Symbol.asyncDispose]();
        const dir = slot.sandbox.taskDir.replace('/var/task', '');
        assert.ok(!existsSync(`${dir}/var/task`));
      }
      await waitFor('all gone', () => pids.every((pid) => statOf(pid) === undefined));
      await waitFor('descriptors', () => readdirSync('/proc/self/fd').length <= descriptors);
      const groups = groupsOf(host.config.hostId);
      assert.equal(groups.length > 0, tier === 'full' || tier === 'partial-uid');
      await host.sandboxes[Symbol.asyncDispose]();
      assert.deepEqual(groupsOf(host.config.hostId), []);
      assert.deepEqual(readdirSync(host.config.slotsDir), []);
      assert.equal(host.sandboxes.quarantined, 0);
      assert.throws(() => host.sandboxes.spawn(defaultShape, host.program), /closed/);
    });

    test('ends an endless loop', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      const slot = await host.start();
      const running = slot.run('for (;;);');
      const start = performance.now();
      await slot[Symbol.asyncDispose]();
      assert.equal(await running, undefined);
      assert.ok(performance.now() - start < 1_000);
    });

    const reachesDaemons = tier !== 'none';
    test('ends daemons that left their session', {
      skip: reachesDaemons ? false : 'a plain process cannot be kept from leaving its session',
    }, async () => {
      await using host = await openTestHost(tierOptions[tier]);
      const slot = await host.start();
      const name = `daemon-${host.config.hostId}`;
      await slot.run(daemons(name));
      await waitFor('five daemons', () => processesNamed(name).length >= 5);
      await slot[Symbol.asyncDispose]();
      assert.deepEqual(processesNamed(name), []);
    });

    test('ends children that stayed in the session, after the main process has left by itself', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      const slot = await host.start();
      const name = `child-${host.config.hostId}`;
      await slot.run(
        `spawn('/bin/sh', ['-c', 'while :; do sleep 0.5; done; : ${name}'], { stdio: 'ignore' }).unref(); await new Promise((r) => setTimeout(r, 50)); process.exit(0)`,
      );
      await slot.sandbox.exit;
      await slot[Symbol.asyncDispose]();
      assert.deepEqual(processesNamed(name), []);
    });

    test('a frozen slot stands still, goes on when thawed, and can be killed frozen', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using slot = await host.start();
      await slot.run('globalThis.ticks = 0; setInterval(() => ticks++, 1)');
      const waiting = slot.run('await new Promise((r) => setTimeout(r, 300)); return ticks');
      await sleep(50);
      slot.sandbox.freeze();
      const start = performance.now();
      assert.equal(await Promise.race([waiting, sleep(600)]), undefined);
      slot.sandbox.thaw();
      assert.ok(Number(await waiting) < 400);
      assert.ok(performance.now() - start >= 590);
      slot.sandbox.freeze();
      slot.sandbox.kill();
      assert.deepEqual(await slot.sandbox.exit, { kind: 'signalled', signal: 'killed' });
    });
  });
}

suite('a sandbox with a pid namespace', { skip: await unlessTier('full') }, () => {
  test('is not ended by SIGTERM to its pid 1, from inside or outside', async () => {
    await using host = await openTestHost();
    await using slot = await host.start();
    const [outer] = treeOf(process.pid).slice(1);
    const [, inner] = treeOf(outer ?? 0);
    assert.ok(inner !== undefined);
    process.kill(inner, 'SIGTERM');
    await slot.run(`process.kill(1, 'SIGTERM'); attempt(() => process.kill(1, 'SIGKILL'))`);
    assert.equal(await slot.run('return 1'), 1);
  });

  test('that signals everybody reaches nobody else', async () => {
    await using host = await openTestHost();
    await using slot = await host.start();
    await using sibling = await host.start();
    // Neither pid 1 nor the caller is among those meant, so there may be nobody.
    const answer = await slot.run(`return attempt(() => process.kill(-1, 'SIGKILL'))`);
    assert.ok(answer === 'ESRCH' || answer === true);
    assert.equal(await sibling.run('return 1'), 1);
  });

  test('is not reached by the Ctrl-C of a terminal, having a session of its own', async () => {
    await using host = await openTestHost();
    await using _slot = await host.start();
    const [outer] = treeOf(process.pid).slice(1);
    assert.ok(outer !== undefined);
    assert.notEqual(statOf(outer)?.session, statOf(process.pid)?.session);
  });
});

const userOnly = { backend: 'uid', cgroupRoot: 'none' } as const;
suite('a user per slot without a control group', { skip: await unlessTier('partial-uid') }, () => {
  test('is enough to find and end daemons that left their session', async () => {
    await using host = await openTestHost(userOnly);
    assert.equal(host.sandboxes.report.tier, 'partial-uid');
    const slot = await host.start();
    await using sibling = await host.start();
    const name = `daemon-${host.config.hostId}`;
    await slot.run(daemons(name));
    await waitFor('five daemons', () => processesNamed(name).length >= 5);
    await slot[Symbol.asyncDispose]();
    assert.deepEqual(processesNamed(name), []);
    assert.equal(await sibling.run('return 1'), 1);
  });
});
