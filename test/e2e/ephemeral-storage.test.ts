// /tmp holds EphemeralStorage, whatever MemorySize is, and stays from one invocation to the next.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

const CODE = `import { closeSync, openSync, readdirSync, rmSync, statfsSync, writeSync } from 'node:fs';
const piece = Buffer.alloc(2 ** 20, 7);
export const handler = async ({ mib, remove }) => {
  if (remove) rmSync('/tmp/big');
  if (mib === undefined) return readdirSync('/tmp');
  const file = openSync('/tmp/big', 'w');
  let written = 0;
  try {
    for (let i = 0; i < mib; i += 1) for (let at = 0; at < piece.length; written += piece.length, at += piece.length) writeSync(file, piece);
    return written / piece.length;
  } catch (error) {
    return [error.code, written / piece.length];
  } finally {
    closeSync(file);
  }
};`;

test('a function of 128 MB fills its 512 MB of /tmp, and not one more', async () => {
  await using t = await startTestHost();
  await t.deploy('f', { 'index.mjs': CODE }, { MemorySize: 128, Timeout: 60 });
  assert.deepEqual(await result(t, 'f'), []);
  assert.equal(await result(t, 'f', { mib: 400 }), 400);
  assert.deepEqual(await result(t, 'f'), ['big'], 'it stays for the next invocation');
  const [code, written] = (await result(t, 'f', { remove: true, mib: 600 })) as [string, number]; // as the fixture returns
  assert.equal(code, 'ENOSPC');
  assert.ok(written > 500 && written <= 512, `${written} MiB`);
  assert.deepEqual(await result(t, 'f', { remove: true }), []);

  await t.deploy('large', { 'index.mjs': CODE }, { EphemeralStorage: { Size: 700 }, Timeout: 60 });
  assert.equal(await result(t, 'large', { mib: 650 }), 650);
  assert.deepEqual(await result(t, 'f'), [], 'of its own');
});
