// Processes and file descriptors of a function are limited, and nobody else has fewer for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

const CODE = `import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
const children = [];
const ways = {
  fork: async ({ count }) => {
    let refused = 0;
    for (let i = 0; i < count; i += 1) {
      const code = await new Promise((resolve) => {
        const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
        child.on('error', (error) => resolve(error.code));
        child.on('spawn', () => { children.push(child); resolve(''); });
      });
      if (code === 'EAGAIN') refused += 1;
      else if (code !== '') return code;
    }
    return { started: children.length, refused };
  },
  descriptors: () => {
    let opened = 0;
    try { for (;;) { openSync('/dev/null'); opened += 1; } }
    catch (error) { return [error.code, opened]; }
  },
  ok: () => children.length,
};
export const handler = async (event) => await ways[event.way](event);`;

test('a function meets its limits of processes and descriptors, alone', async () => {
  await using t = await startTestHost({ env: { LAMBKIN_LIMITS_PIDS: '64' } });
  await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 30, MemorySize: 512 });
  await t.deploy('g', { 'index.mjs': CODE }, { Timeout: 30, MemorySize: 512 });

  const forked = (await result(t, 'f', { way: 'fork', count: 100 })) as {
    started: number;
    refused: number;
  }; // as the fixture returns
  assert.equal(forked.started + forked.refused, 100);
  assert.ok(
    forked.refused > 30 && forked.started < 64 && forked.started > 20,
    JSON.stringify(forked),
  );
  assert.deepEqual(await result(t, 'g', { way: 'fork', count: 5 }), { started: 5, refused: 0 });

  const [code, opened] = (await result(t, 'f', { way: 'descriptors' })) as [string, number]; // as the fixture returns
  assert.equal(code, 'EMFILE');
  assert.ok(opened > 900 && opened < 1024, `${opened} descriptors`);
  assert.equal(await result(t, 'f', { way: 'ok' }), forked.started, 'it goes on nevertheless');
  assert.equal(await result(t, 'g', { way: 'ok' }), 5);
});
