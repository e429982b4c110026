// What a package looks like once it is unpacked, read through a clone as a slot would.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tar } from '../support/tar-writer.ts';
import { type ZipEntry, zip } from '../support/zip-writer.ts';
import { openPlace, type Place } from './place.ts';

async function unpacked(place: Place, archive: Uint8Array): Promise<string> {
  const { digest } = await place.packages.add(archive);
  return await place.packages.stage(digest);
}

async function modeOf(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o7777).toString(8);
}

test('add tells digest and sizes of the bytes it received', async () => {
  await using place = await openPlace();
  const archive = zip([
    { name: 'a.js', content: 'abc' },
    { name: 'b/c.js', content: 'defg' },
  ]);
  const added = await place.packages.add(archive);
  const hash = createHash('sha256').update(archive);
  assert.deepEqual(added, {
    sha256: hash.copy().digest('base64'),
    digest: hash.digest('hex'),
    sizeBytes: archive.length,
    unzippedBytes: 7,
    warnings: [],
  });
  const stored = await place.blobs.path(added.digest);
  assert(stored !== undefined);
  assert.deepEqual(await readFile(stored), archive);
});

test('modes keep only the executable bit', async () => {
  await using place = await openPlace();
  const modes: Record<string, [mode: number, expected: string]> = {
    plain: [0o100644, '644'],
    bootstrap: [0o100755, '755'],
    private: [0o100600, '644'],
    'private-executable': [0o100700, '755'],
    'executable-by-others': [0o100601, '755'],
    none: [0, '644'],
    'none-but-file': [0o100000, '644'],
    setuid: [0o104755, '755'],
    setgid: [0o102644, '644'],
    sticky: [0o101777, '755'],
    writable: [0o100666, '644'],
  };
  const entries: ZipEntry[] = Object.entries(modes).map(([name, [mode]]) => ({ name, mode }));
  const tree = await unpacked(
    place,
    zip([...entries, { name: 'd/', mode: 0o040700 }, { name: 'e/f' }]),
  );
  for (const [name, [, expected]] of Object.entries(modes)) {
    assert.equal(await modeOf(join(tree, name)), expected, name);
  }
  assert.equal(await modeOf(join(tree, 'd')), '755');
  assert.equal(await modeOf(join(tree, 'e')), '755');
  assert.equal(await modeOf(tree), '755');
});

test('a slot under a foreign uid and a strict umask can read the tree', {
  skip: process.getuid?.() !== 0,
}, async () => {
  const root = await mkdtemp('/tmp/code-uid-');
  await chmod(root, 0o711);
  const before = process.umask(0o077);
  try {
    await using place = await openPlace({ codeDir: join(root, 'code') });
    const tree = await unpacked(place, zip([{ name: 'a/b.txt', content: 'read me' }]));
    const read = ['--reuid=65534', '--regid=65534', '--clear-groups', 'cat', join(tree, 'a/b.txt')];
    assert.equal(execFileSync('setpriv', read, { encoding: 'utf8' }), 'read me');
    const list = ['--reuid=65534', '--regid=65534', '--clear-groups', 'ls', place.codeDir];
    assert.throws(() => execFileSync('setpriv', list, { stdio: 'pipe' }), /Permission denied/);
  } finally {
    process.umask(before);
    await rm(root, { recursive: true });
  }
});

test('links inside the package are kept, dangling ones too', async () => {
  await using place = await openPlace();
  const link = (name: string, content: string): ZipEntry => ({ name, content, mode: 0o120777 });
  const entries = [
    link('lib/libx.so', 'libx.so.1'),
    { name: 'lib/libx.so.1', content: 'elf' },
    link('bin/up', '../lib/libx.so'),
    link('later', 'not/there'),
    link('root', 'bin/..'),
  ];
  const tree = await unpacked(place, zip(entries));
  assert.equal(await readFile(join(tree, 'bin/up'), 'utf8'), 'elf');
  assert.equal(await readlink(join(tree, 'later')), 'not/there');
  assert.deepEqual((await readdir(join(tree, 'root'))).toSorted(), ['bin', 'later', 'lib', 'root']);
});

test('directories may be listed twice, after their files, or not at all', async () => {
  await using place = await openPlace();
  const entries = [
    { name: 'a/b/c.js', content: 'c' },
    { name: 'a/' },
    { name: 'a/' },
    { name: 'a/b/' },
  ];
  const tree = await unpacked(place, zip(entries));
  assert.equal(await readFile(join(tree, 'a/b/c.js'), 'utf8'), 'c');
});

test('names keep their spelling: UTF-8, code page 437 with a warning, Windows case', async () => {
  await using place = await openPlace();
  const archive = zip([
    { name: 'caf\u00e9', content: '1' },
    { name: Buffer.from([0x82, 0x2e, 0x6a, 0x73]), flags: 0, content: '2' },
    { name: 'A', content: '3' },
    { name: 'a', content: '4' },
    { name: 'with space and "quotes" & $', content: '5' },
  ]);
  const { digest, warnings } = await place.packages.add(archive);
  const tree = await place.packages.stage(digest);
  const names = ['A', 'a', 'caf\u00e9', 'with space and "quotes" & $', '\u00e9.js'];
  assert.deepEqual((await readdir(tree)).toSorted(), names);
  assert.deepEqual(warnings, ['name without the UTF-8 flag, read as code page 437: "é.js"']);
});

test('zip64 and a prefix that offsets count are read', async () => {
  await using place = await openPlace();
  const large = 'abc'.repeat(1_000_000);
  const entries = [
    { name: 'a', content: 'x', zip64: true },
    { name: 'b', content: large, zip64: true },
  ];
  const tree = await unpacked(
    place,
    zip(entries, { zip64: true, prefix: Buffer.from('#!/bin/sh\n') }),
  );
  assert.equal(await readFile(join(tree, 'b'), 'utf8'), large);
});

test('stored and empty files are read, with the times the archive has for them', async () => {
  await using place = await openPlace();
  const tree = await unpacked(
    place,
    zip([{ name: 'a', content: 'x', method: 0 }, { name: 'b' }, { name: 'c', method: 0 }]),
  );
  assert.equal(await readFile(join(tree, 'a'), 'utf8'), 'x');
  assert.equal((await stat(join(tree, 'a'))).mtime.toISOString(), '1980-01-01T00:00:00.000Z');
  assert.equal((await stat(join(tree, 'b'))).size + (await stat(join(tree, 'c'))).size, 0);
});

test('what Python writes as a zip is read', async (t) => {
  const source = await mkdtemp(join(tmpdir(), 'code-source-'));
  t.after(() => rm(source, { recursive: true }));
  await mkdir(join(source, 'lib'));
  await writeFile(join(source, 'lib/x.py'), 'print(1)\n');
  await symlink('lib/x.py', join(source, 'x.py'));
  const script =
    'import sys,zipfile,os\nz=zipfile.ZipFile(sys.argv[1],"w",zipfile.ZIP_DEFLATED)\nz.write("lib/x.py")\nz.close()';
  execFileSync('python3', ['-c', script, 'out.zip'], { cwd: source });
  await using place = await openPlace();
  const tree = await unpacked(place, await readFile(join(source, 'out.zip')));
  assert.equal(await readFile(join(tree, 'lib/x.py'), 'utf8'), 'print(1)\n');
});

test('tar and tar.gz are taken as well: the tar program, links, modes and times', async (t) => {
  const source = await mkdtemp(join(tmpdir(), 'code-source-'));
  t.after(() => rm(source, { recursive: true }));
  const long = `${'deep/'.repeat(30)}${'n'.repeat(120)}`;
  await mkdir(join(source, 'deep/'.repeat(30)), { recursive: true });
  await writeFile(join(source, long), 'long name');
  await writeFile(join(source, 'bootstrap'), '#!/bin/sh\n', { mode: 0o4755 });
  await symlink('bootstrap', join(source, 'start'));
  await using place = await openPlace();
  for (const form of ['gnu', 'pax']) {
    const options = ['--create', '--gzip', '--mtime=2020-02-02 02:02:02Z', `--format=${form}`, '.'];
    const archive = execFileSync('tar', options, { cwd: source });
    const tree = await unpacked(place, archive);
    assert.equal(await readFile(join(tree, long), 'utf8'), 'long name', form);
    assert.equal(await modeOf(join(tree, 'bootstrap')), '755');
    assert.equal(await readlink(join(tree, 'start')), 'bootstrap');
    const { mtime } = await stat(join(tree, 'bootstrap'));
    assert.equal(mtime.toISOString(), '2020-02-02T02:02:02.000Z');
  }
});

test('hard links inside a tar become files, and a bare tar needs no gzip', async () => {
  await using place = await openPlace();
  const entries = [
    { name: 'a', content: 'same', mode: 0o4755 },
    { name: 'd/b', type: '1', linkTarget: 'a' },
  ];
  for (const archive of [tar(entries), gzipSync(tar(entries))]) {
    const { digest, unzippedBytes } = await place.packages.add(archive);
    const tree = await place.packages.stage(digest);
    assert.equal(await readFile(join(tree, 'd/b'), 'utf8'), 'same');
    assert.equal(await modeOf(join(tree, 'd/b')), '755');
    assert.equal(unzippedBytes, 8);
  }
});
