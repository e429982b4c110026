// What a host has compiled is kept for the next one; a host that cannot keep it works like any other.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { startHostProcess } from '../support/host-process.ts';
import { createClient, deploy, invoke } from '../support/test-host.ts';

const FILES = { 'index.mjs': 'export const handler = async () => 1;' };

/** Runs a host that unpacks, clones and invokes, to its regular end. */
async function runHost(dataDir: string, cache: string): Promise<void> {
  await using host = await startHostProcess(dataDir, { env: { NODE_COMPILE_CACHE: cache } });
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(host.url), (each) => each.destroy());
  await deploy(client, 'f', FILES);
  assert.equal((await invoke(client, 'f')).payload, 1);
  host.signal('SIGTERM');
  assert.equal(await host.ended, 0);
}

async function inTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lambkin-test-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('the second host finds all that it would compile', () =>
  inTemporaryFolder(async (folder) => {
    const cache = path.join(folder, 'cache');
    const kept = async () => (await readdir(cache, { recursive: true })).toSorted();
    await runHost(path.join(folder, 'first'), cache);
    const first = await kept();
    assert.ok(first.length > 50, `${first.length} entries`);
    await runHost(path.join(folder, 'second'), cache);
    assert.deepEqual(await kept(), first);
  }));

test('a host without a place for it starts and serves', () =>
  inTemporaryFolder((folder) => runHost(path.join(folder, 'data'), '/dev/null/cache')));
