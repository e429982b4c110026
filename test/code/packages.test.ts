// The life of a package: stored once, unpacked when needed, cloned ahead, evicted, swept.
import assert from 'node:assert/strict';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { UnpackTimeout } from '../../host/code/workers.ts';
import { ServiceError } from '../../host/service-error.ts';
import type { Blobs } from '../../host/store/store.ts';
import { type ZipEntry, zip } from '../support/zip-writer.ts';
import { malformedText, nothingLeft, openPlace, waitFor } from './place.ts';

function package_(name: string): Uint8Array {
  return zip([
    { name: 'index.mjs', content: `export const name = '${name}';` },
    { name: 'lib/a.js' },
  ]);
}

/** Counts how often the unpacked form had to be made from the blob. */
function counting(blobs: Blobs): { blobs: Blobs; count: () => number } {
  let reads = 0;
  return {
    blobs: {
      put: (source) => blobs.put(source),
      open: (digest) => blobs.open(digest),
      path: (digest) => {
        reads += 1;
        return blobs.path(digest);
      },
      sweep: (keep, graceMs) => blobs.sweep(keep, graceMs),
    },
    count: () => reads,
  };
}

test('parallel adds of the same bytes make one tree and one blob', async () => {
  await using place = await openPlace();
  const archive = package_('same');
  const added = await Promise.all(Array.from({ length: 8 }, () => place.packages.add(archive)));
  for (const one of added) assert.deepEqual(one, added[0]);
  assert.equal((await place.names('trees')).length, 2);
  assert.equal((await place.blobNames()).length, 1);
  await waitFor(async () => (await place.names('staging')).length === 0);
});

test('why a package is refused is told, since the text for the caller does not say it', async () => {
  const reasons: string[] = [];
  await using place = await openPlace({ onRefused: (reason) => reasons.push(reason) });
  await assert.rejects(place.packages.add(zip([{ name: 'src\\app.js' }])), {
    message: malformedText,
  });
  assert.deepEqual(reasons, ['backslash in a name: "src\\\\app.js"']);
});

test('a package may come as a stream', async () => {
  await using place = await openPlace();
  const archive = package_('stream');
  const streamed = await place.packages.add(
    Readable.from([archive.subarray(0, 50), archive.subarray(50)]),
  );
  assert.deepEqual(streamed, await place.packages.add(archive));
  const broken = Readable.from(
    (function* () {
      yield archive.subarray(0, 50);
      throw new Error('connection lost');
    })(),
  );
  await assert.rejects(place.packages.add(broken), /connection lost/);
  await waitFor(async () => (await place.names('staging')).length === 0);
});

test('a clone shares the files of its tree and may be renamed and deleted without harm to it', async () => {
  await using place = await openPlace();
  const { digest } = await place.packages.add(package_('shared'));
  const [one, other] = [await place.packages.stage(digest), await place.packages.stage(digest)];
  assert.notEqual(one, other);
  const tree = join(place.codeDir, 'trees', digest);
  const inodes = await Promise.all(
    [tree, one, other].map(async (root) => (await stat(join(root, 'index.mjs'))).ino),
  );
  assert.equal(new Set(inodes).size, 1);
  const slot = join(place.codeDir, 'slot-task');
  await rename(one, slot);
  await rm(slot, { recursive: true });
  for (const root of [tree, other]) {
    assert.equal(await readFile(join(root, 'index.mjs'), 'utf8'), "export const name = 'shared';");
    assert((await lstat(join(root, 'lib'))).isDirectory());
  }
});

test('clones lie ready after an add and are topped up after each use', async () => {
  await using place = await openPlace();
  const { digest } = await place.packages.add(package_('ahead'));
  await waitFor(async () => (await place.names('clones')).length === 2);
  const ready = await place.names('clones');
  const clone = await place.packages.stage(digest);
  assert(ready.includes(basename(clone)), 'it was made before it was asked for');
  await waitFor(async () => (await place.names('clones')).length >= 3);
});

test('a burst gets clones of its own for every caller', async () => {
  await using place = await openPlace();
  const { digest } = await place.packages.add(package_('burst'));
  const clones = await Promise.all(Array.from({ length: 50 }, () => place.packages.stage(digest)));
  assert.equal(new Set(clones).size, 50);
  for (const clone of clones) assert((await stat(join(clone, 'index.mjs'))).isFile());
});

test('discard removes a clone that was not used, and nothing else', async () => {
  await using place = await openPlace();
  const { digest } = await place.packages.add(package_('unused'));
  const clone = await place.packages.stage(digest);
  place.packages.discard(clone);
  await waitFor(async () => !(await place.names('clones')).includes(basename(clone)));
  assert.throws(() => place.packages.discard(join(place.codeDir, 'trees', digest)), /only clones/);
});

test('an evicted tree goes with its clones and is unpacked again, once, from the blob', async () => {
  await using outer = await openPlace();
  const { blobs, count } = counting(outer.blobs);
  await using place = await openPlace({ blobs, maxTrees: 1 });
  const first = await place.packages.add(package_('first'));
  const second = await place.packages.add(package_('second'));
  await waitFor(async () => (await place.names('trees')).length === 2);
  assert.deepEqual((await place.names('trees')).toSorted(), [
    second.digest,
    `${second.digest}.json`,
  ]);
  assert.equal(count(), 0);
  const clones = await Promise.all(
    Array.from({ length: 10 }, () => place.packages.stage(first.digest)),
  );
  assert.equal(count(), 1);
  for (const clone of clones) {
    assert.match(await readFile(join(clone, 'index.mjs'), 'utf8'), /first/);
  }
  await waitFor(async () => (await place.names('trees')).length === 2);
});

test('trees are bounded in bytes, and two that do not fit together both serve', async () => {
  await using place = await openPlace({ maxTreeBytes: 20_000 });
  const one = await place.packages.add(package_('one'));
  const two = await place.packages.add(package_('two'));
  await Promise.all(
    Array.from({ length: 20 }, async (_, k) => {
      const [digest, name] = k % 2 === 0 ? [one.digest, 'one'] : [two.digest, 'two'];
      const clone = await place.packages.stage(digest);
      assert.match(await readFile(join(clone, 'index.mjs'), 'utf8'), new RegExp(name));
    }),
  );
  await waitFor(async () => (await place.names('trees')).length === 2);
});

test('sweep removes the trees that nothing refers to', async () => {
  await using place = await openPlace();
  const kept = await place.packages.add(package_('kept'));
  const gone = await place.packages.add(package_('gone'));
  assert.deepEqual(await place.packages.sweep(new Set([kept.digest])), [gone.digest]);
  assert.deepEqual((await place.names('trees')).toSorted(), [kept.digest, `${kept.digest}.json`]);
  assert((await stat(await place.packages.stage(gone.digest))).isDirectory());
});

test('only the most recently used trees have spare clones', async () => {
  await using place = await openPlace({ maxStocked: 1 });
  await place.packages.add(package_('older'));
  await waitFor(async () => (await place.names('clones')).length === 2);
  const newer = await place.packages.add(package_('newer'));
  await place.packages.prepare(newer.digest);
  await waitFor(async () => {
    const clones = await place.names('clones');
    const texts = await Promise.all(
      clones.map((name) => readFile(join(place.codeDir, 'clones', name, 'index.mjs'), 'utf8')),
    ).catch(() => []);
    return texts.length === 2 && texts.every((text) => text.includes('newer'));
  });
});

test('a package that is not stored, or no longer what it was, is a fault of the host', async () => {
  await using place = await openPlace();
  await assert.rejects(place.packages.stage('0'.repeat(64)), /there is no package 0000/);
  await assert.rejects(place.packages.stage('../../etc'), /64 lower-case hex digits/);
  const { digest } = await place.packages.add(package_('damaged'));
  await place.packages.sweep(new Set());
  const blob = await place.blobs.path(digest);
  assert(blob !== undefined);
  await chmod(blob, 0o600);
  await writeFile(blob, package_('something else'));
  await assert.rejects(place.packages.stage(digest), (error) => {
    return !(error instanceof ServiceError) && /is damaged/.test(String(error));
  });
});

test('a package that takes too long is given up, its thread ended, and the next one served', async () => {
  await using place = await openPlace({ unpackTimeLimitMs: 2_000, unpackThreads: 1 });
  const detour = 'd/../'.repeat(160);
  const link = (name: string, content: string): ZipEntry => ({ name, content, mode: 0o120777 });
  const chain = Array.from({ length: 38 }, (_, k) => link(`l${k}`, `${detour}l${k + 1}`));
  const many = Array.from({ length: 20_000 }, (_, k) => link(`x${k}`, 'l0'));
  await assert.rejects(place.packages.add(zip([...chain, ...many])), (error) => {
    return (
      error instanceof ServiceError &&
      error.message === malformedText &&
      error.cause instanceof UnpackTimeout
    );
  });
  await nothingLeft(place);
  await place.packages.add(package_('next'));
});

test('a disposal in the midst of an add ends it and its threads', async () => {
  await using place = await openPlace();
  const files = Array.from({ length: 3000 }, (_, k) => ({ name: `f${k}`, content: 'x' }));
  const adding = place.packages.add(zip(files));
  const outcome = assert.rejects(adding);
  await waitFor(() => place.packages.threads > 0);
  await place.packages[Symbol.asyncDispose]();
  await outcome;
  assert.equal(place.packages.threads, 0);
  await assert.rejects(place.packages.add(package_('late')), /closed/);
  await assert.rejects(place.packages.stage('0'.repeat(64)), /closed/);
});

test('an idle host has no threads', async () => {
  await using place = await openPlace({ idleThreadMs: 20 });
  const { digest } = await place.packages.add(package_('idle'));
  await place.packages.stage(digest);
  await waitFor(() => place.packages.threads === 0);
  await place.packages.stage(digest);
});

test('slots that no clone can be renamed to are found out at once', async () => {
  const root = await mkdtemp(join(tmpdir(), 'code-slots-'));
  try {
    await mkdir(join(root, 'slots'));
    await using place = await openPlace({
      codeDir: join(root, 'code'),
      slotsDir: join(root, 'slots'),
    });
    assert.deepEqual(await place.names('clones'), []);
    assert.equal(dirname(place.codeDir), root);
    const elsewhere = openPlace({ slotsDir: '/proc' });
    await assert.rejects(elsewhere, /both must be on one file system/);
  } finally {
    await rm(root, { recursive: true });
  }
});
