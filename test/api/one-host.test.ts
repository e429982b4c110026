// One host owns a data directory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { returning } from '../support/functions.ts';
import { runHostProcess } from '../support/host-process.ts';
import { startTestHost } from '../support/test-host.ts';

test('A second host on the same data directory says so and ends with 1, and the first goes on', async () => {
  await using t = await startTestHost();
  await t.deploy('f', returning('1'));
  const { exitCode, stdout, stderr } = await runHostProcess(t.dataDir);
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
  assert.equal(
    stderr,
    `lambkin cannot start: Another lambkin host (pid ${process.pid}) owns ${t.dataDir}. Stop it, or start this one with --data OTHER.\n`,
  );
  assert.equal((await t.invoke('f')).payload, 1);
});
