// Layers on disk: packages laid over one another, once for each distinct list.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { openBlobs } from '../../host/store/blobs.ts';
import { type ZipEntry, zip } from '../support/zip-writer.ts';
import { openPlace, type Place, waitFor } from './place.ts';

const symlink = 0o120777;

async function add(place: Place, entries: readonly ZipEntry[]): Promise<string> {
  return (await place.packages.add(zip(entries))).digest;
}

/** Paths below a directory with their content; directories end in a slash, links say where they point. */
async function contentOf(root: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    if (entry.isDirectory()) found[`${name}/`] = '';
    else if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`;
    else found[name] = await readFile(path, 'utf8');
  }
  return found;
}

test('a later layer replaces files of an earlier one and leaves the others beside its own', async () => {
  await using place = await openPlace();
  const first = await add(place, [
    { name: 'lib/shared.txt', content: 'first' },
    { name: 'lib/one.txt', content: 'one' },
    { name: 'bin/tool', content: 'tool', mode: 0o100755 },
  ]);
  const second = await add(place, [
    { name: 'lib/shared.txt', content: 'second' },
    { name: 'lib/deep/two.txt', content: 'two' },
  ]);
  const common = { 'bin/': '', 'bin/tool': 'tool', 'lib/': '', 'lib/one.txt': 'one' };
  const deep = { 'lib/deep/': '', 'lib/deep/two.txt': 'two' };
  const staged = await place.packages.stageLayers([first, second]);
  assert.deepEqual(await contentOf(staged), { ...common, ...deep, 'lib/shared.txt': 'second' });
  const reversed = await place.packages.stageLayers([second, first]);
  assert.deepEqual(await contentOf(reversed), { ...common, ...deep, 'lib/shared.txt': 'first' });
  assert.equal((await stat(join(staged, 'bin/tool'))).mode & 0o7777, 0o755);
  for (const directory of ['.', 'lib', 'lib/deep'])
    assert.equal((await stat(join(staged, directory))).mode & 0o7777, 0o755, directory);
  // The packages themselves are as they were.
  assert.deepEqual(await contentOf(await place.packages.stage(second)), {
    'lib/': '',
    'lib/shared.txt': 'second',
    ...deep,
  });
});

test('files, directories and links replace one another, and nothing is written through a link', async () => {
  await using place = await openPlace();
  const files = await add(place, [
    { name: 'a', content: 'file a' },
    { name: 'real/kept.txt', content: 'kept' },
    { name: 'b/inside.txt', content: 'inside b' },
    { name: 'link', content: 'real', mode: symlink, method: 0 },
    { name: 'c/x', content: 'x' },
  ]);
  const others = await add(place, [
    { name: 'a/inside.txt', content: 'inside a' },
    { name: 'b', content: 'file b' },
    { name: 'link/new.txt', content: 'new' },
    { name: 'real2', content: 'real2' },
    { name: 'c', content: 'real2', mode: symlink, method: 0 },
  ]);
  assert.deepEqual(await contentOf(await place.packages.stageLayers([files, others])), {
    'a/': '',
    'a/inside.txt': 'inside a',
    b: 'file b',
    c: '-> real2',
    'link/': '',
    'link/new.txt': 'new',
    'real/': '',
    'real/kept.txt': 'kept',
    real2: 'real2',
  });
});

test('one list is laid together once, cloned ahead, and shares the files of the packages', async () => {
  await using place = await openPlace();
  const one = await add(place, [{ name: 'one.txt', content: 'one' }]);
  const two = await add(place, [{ name: 'two.txt', content: 'two' }]);
  await place.packages.prepareLayers([one, two]);
  const trees = (await place.names('trees')).toSorted();
  assert.equal(trees.length, 6);
  const holdsBoth = (clone: string) =>
    ['one.txt', 'two.txt'].every((name) => existsSync(join(place.codeDir, 'clones', clone, name)));
  const laidTogether = async () => (await place.names('clones')).filter(holdsBoth);
  await waitFor(async () => (await laidTogether()).length >= 2);
  const ready = await laidTogether();
  const clones = await Promise.all(
    Array.from({ length: 5 }, () => place.packages.stageLayers([one, two])),
  );
  assert.equal(new Set(clones).size, 5);
  assert(clones.some((clone) => ready.includes(basename(clone))));
  assert.deepEqual((await place.names('trees')).toSorted(), trees);
  const inodeOf = async (path: string) => (await lstat(path)).ino;
  for (const clone of clones)
    assert.equal(
      await inodeOf(join(clone, 'one.txt')),
      await inodeOf(join(place.codeDir, 'trees', one, 'one.txt')),
    );
});

test('a list of one layer is that package itself', async () => {
  await using place = await openPlace();
  const only = await add(place, [{ name: 'only.txt', content: 'only' }]);
  const staged = await place.packages.stageLayers([only]);
  assert.deepEqual(await contentOf(staged), { 'only.txt': 'only' });
  assert.deepEqual((await place.names('trees')).toSorted(), [only, `${only}.json`]);
  place.packages.discard(staged);
  await waitFor(async () => !(await place.names('clones')).includes(basename(staged)));
});

test('what layers are made of may be evicted at any time', async () => {
  await using place = await openPlace({ maxTrees: 1 });
  const digests: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e'])
    digests.push(await add(place, [{ name: `${name}.txt`, content: name }]));
  const staged = await Promise.all([
    place.packages.stageLayers(digests),
    place.packages.stageLayers(digests.toReversed()),
  ]);
  for (const clone of staged)
    assert.deepEqual((await readdir(clone)).toSorted(), [
      'a.txt',
      'b.txt',
      'c.txt',
      'd.txt',
      'e.txt',
    ]);
});

test('layers stay over a sweep as long as all of their packages do', async () => {
  await using place = await openPlace();
  const one = await add(place, [{ name: 'one.txt' }]);
  const two = await add(place, [{ name: 'two.txt' }]);
  await place.packages.prepareLayers([one, two]);
  assert.deepEqual(await place.packages.sweep(new Set([one, two])), []);
  const removed = await place.packages.sweep(new Set([one]));
  assert.equal(removed.length, 2);
  assert(removed.includes(two));
  assert.deepEqual((await place.names('trees')).toSorted(), [one, `${one}.json`]);
});

test('they outlive the host and are not laid together again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'code-layers-'));
  try {
    const codeDir = join(root, 'code');
    await using blobs = await openBlobs({ folder: join(root, 'blobs'), now: () => Date.now() });
    const digests: string[] = [];
    const madeAt = async (place: Place) => {
      const merged = (await place.names('trees')).filter(
        (name) => /^[0-9a-f]{64}$/.test(name) && !digests.includes(name),
      );
      assert.equal(merged.length, 1);
      return (await stat(join(codeDir, 'trees', `${merged[0]}`))).ino;
    };
    let before: number;
    {
      await using place = await openPlace({ codeDir, blobs, bootId: 'one' });
      for (const name of ['one', 'two'])
        digests.push(await add(place, [{ name: `${name}.txt`, content: name }]));
      await place.packages.prepareLayers(digests);
      before = await madeAt(place);
    }
    await using place = await openPlace({ codeDir, blobs, bootId: 'one' });
    assert.deepEqual(await contentOf(await place.packages.stageLayers(digests)), {
      'one.txt': 'one',
      'two.txt': 'two',
    });
    assert.equal(await madeAt(place), before);
    assert.deepEqual(await place.packages.sweep(new Set(digests)), []);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test('a layer that is not there any more is named, and nothing is left of the attempt', async () => {
  await using place = await openPlace();
  const one = await add(place, [{ name: 'one.txt' }]);
  const gone = 'f'.repeat(64);
  await assert.rejects(place.packages.stageLayers([one, gone]), new RegExp(gone));
  await waitFor(async () => (await place.names('staging')).length === 0);
  assert.deepEqual((await place.names('trees')).toSorted(), [one, `${one}.json`]);
});
