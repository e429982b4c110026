// Processes and open files, tried with bounded loops.
import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { suite, test } from 'node:test';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { openTestHost, tierOptions, unlessTier } from './slot.ts';

const forkLoop = `
  const children = []; let refused = 0;
  for (let i = 0; i < 80; i++) {
    const child = spawn('/bin/sleep', ['20'], { stdio: 'ignore' });
    await new Promise((resolve) => { child.once('spawn', resolve); child.once('error', () => { refused++; resolve(); }); });
    if (child.pid !== undefined) children.push(child);
  }
  for (const child of children) child.kill('SIGKILL');
  return { started: children.length, refused };`;

for (const tier of ['full', 'partial', 'partial-uid'] as const satisfies readonly IsolationTier[]) {
  suite(`limits of tier ${tier}`, { skip: await unlessTier(tier) }, () => {
    test('a loop of forks is refused at the limit, and the host goes on', async () => {
      await using host = await openTestHost({ ...tierOptions[tier], maxProcesses: 40 });
      await using slot = await host.start();
      await using sibling = await host.start();
      const counts = await slot.run(forkLoop);
      assert.ok(typeof counts === 'object' && counts !== null && 'started' in counts);
      assert.ok(Number(counts.started) > 10 && Number(counts.started) < 40, JSON.stringify(counts));
      assert.equal(await sibling.run(`return execFileSync('/bin/echo', ['1']).toString()`), '1\n');
    });

    test('open files end at 1024', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using slot = await host.start();
      const opened = await slot.run(
        `const all = []; try { for (;;) all.push(fs.openSync('/dev/null', 'r')); } catch (error) { for (const fd of all) fs.closeSync(fd); return [error.code, all.length]; }`,
      );
      assert.ok(Array.isArray(opened));
      assert.equal(opened[0], 'EMFILE');
      assert.ok(Number(opened[1]) < 1024 && Number(opened[1]) > 900);
    });
  });
}

suite('the priority of slots without a group', { skip: await unlessTier('partial') }, () => {
  test('is behind that of the host, for their children too', async () => {
    await using host = await openTestHost(tierOptions.partial);
    await using slot = await host.start();
    const priorities = await slot.run(
      `return [os.getPriority(), Number(execFileSync('/bin/sh', ['-c', 'nice']).toString())]`,
    );
    assert.deepEqual(priorities, [getPriority() + 5, getPriority() + 5]);
  });
});
