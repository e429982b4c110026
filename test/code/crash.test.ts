// What a host that was killed leaves behind is never taken for a package.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { zip } from '../support/zip-writer.ts';
import { openPlace, waitFor } from './place.ts';

const archive = zip([{ name: 'index.mjs', content: 'export const whole = true;' }]);

async function codeDirectory(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'code-crash-'));
  t.after(() => rm(root, { recursive: true }));
  return join(root, 'code');
}

async function leave(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'half'), 'half');
}

test('leftovers are swept at the start and whole trees are taken over', async (t) => {
  const codeDir = await codeDirectory(t);
  let digest = '';
  {
    await using place = await openPlace({ codeDir, bootId: 'one boot' });
    ({ digest } = await place.packages.add(archive));
  }
  const half = 'a'.repeat(64);
  const lone = 'b'.repeat(64);
  for (const name of ['staging/package-x', 'clones/y', `trees/${half}`, 'trees/junk', 'trash/z']) {
    await leave(join(codeDir, name));
  }
  await writeFile(join(codeDir, 'trees', `${lone}.json`), '{}');
  // Blobs of its own, and empty: the tree taken over is all there is of the package.
  await using place = await openPlace({ codeDir, bootId: 'one boot' });
  assert.deepEqual((await place.names('trees')).toSorted(), [digest, `${digest}.json`]);
  assert.deepEqual(await place.names('staging'), []);
  assert.deepEqual(await place.names('clones'), []);
  await waitFor(async () => (await place.names('trash')).length === 0);
  const clone = await place.packages.stage(digest);
  assert.equal(await readFile(join(clone, 'index.mjs'), 'utf8'), 'export const whole = true;');
});

test('trees of an earlier boot are not trusted, since they were never fsynced', async (t) => {
  for (const [before, after] of [
    ['one boot', 'another boot'],
    ['one boot', undefined],
  ]) {
    const codeDir = await codeDirectory(t);
    let digest = '';
    {
      await using place = await openPlace({ codeDir, bootId: before });
      ({ digest } = await place.packages.add(archive));
    }
    const bootFile = join(codeDir, 'boot-id');
    if (after === undefined) await writeFile(bootFile, ''); // as a loss of power leaves it
    await using place = await openPlace({ codeDir, bootId: after ?? 'one boot' });
    assert.deepEqual(await place.names('trees'), []);
    await assert.rejects(place.packages.stage(digest), /there is no package/);
    await place.packages.add(archive);
    await place.packages.stage(digest);
  }
});

test('a host killed while it unpacks leaves no tree', async (t) => {
  const codeDir = await codeDirectory(t);
  const host = spawn(
    process.execPath,
    [join(import.meta.dirname, 'add-until-killed.ts'), codeDir],
    {
      env: { ...process.env, TMPDIR: dirname(codeDir) },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exit = once(host, 'exit');
  await once(host.stdout, 'data');
  await waitFor(async () => {
    const all = await readdir(join(codeDir, 'staging'), { recursive: true });
    return all.filter((name) => name.includes('tree/')).length > 100;
  });
  host.kill('SIGKILL');
  await exit;
  assert.notDeepEqual(await readdir(join(codeDir, 'staging')), []);
  await using place = await openPlace({ codeDir });
  assert.deepEqual(await place.names('trees'), []);
  assert.deepEqual(await place.names('staging'), []);
  await waitFor(async () => (await place.names('trash')).length === 0);
});
