// Where interpreters are found, which of them is taken, and that each is asked once.
import assert from 'node:assert/strict';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findCandidates } from '../../runtime/runtimes/python/places.ts';
import { findPythons, type PythonInterpreter } from '../../runtime/runtimes/python/probe.ts';
import { Runtimes } from '../../runtime/runtimes/runtimes.ts';
import { machinePythons } from './support.ts';

/** A home with what each version manager lays out; programs are copies of one that is no script. */
async function home(): Promise<
  { path: string; add(file: string): Promise<string> } & AsyncDisposable
> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lambkin-home-'));
  return {
    path: folder,
    async add(file) {
      const whole = path.join(folder, file);
      await mkdir(path.dirname(whole), { recursive: true });
      await copyFile(process.execPath, whole);
      return whole;
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

test('named ones come first, then PATH, then the version managers, the newest patch of each', async () => {
  await using h = await home();
  const files = await Promise.all(
    [
      'named/bin/python3.12',
      'onpath/python3.12',
      '.pyenv/versions/3.12.10/bin/python3.12',
      '.pyenv/versions/3.12.9/bin/python3.12',
      '.local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu/bin/python3.12',
    ].map((each) => h.add(each)),
  );
  const found = await findCandidates({
    named: [path.join(h.path, 'named')],
    searchPath: `relative/bin:${path.join(h.path, 'onpath')}`,
    home: h.path,
  });
  assert.deepEqual(
    found.map(({ file }) => file).filter((file) => file.startsWith(h.path)),
    files,
  );
});

test('a stand-in of a version manager, a dangling link and other programs are left alone', async () => {
  await using h = await home();
  const shims = path.join(h.path, 'shims');
  await mkdir(shims);
  await writeFile(path.join(shims, 'python3.11'), '#!/bin/sh\nexec pyenv "$@"\n', { mode: 0o755 });
  await symlink('/nonexistent', path.join(shims, 'python3.12'));
  await symlink(process.execPath, path.join(shims, 'python3.13'));
  const found = await findCandidates({ named: [], searchPath: shims, home: h.path });
  assert.deepEqual(
    found.filter(({ file }) => file.startsWith(h.path) || file === process.execPath),
    [],
  );
});

test('what is no interpreter is asked once; one that has changed is asked again', async () => {
  await using h = await home();
  const cacheFile = path.join(h.path, 'pythons.json');
  const program = path.join(h.path, 'bin/python3.14');
  await mkdir(path.dirname(program));
  await copyFile('/bin/sh', program);
  const find = () =>
    findPythons({ named: [path.join(h.path, 'bin')], searchPath: '', home: h.path }, cacheFile);
  const first = await find();
  assert.ok(first.every(({ file }) => file !== program));
  const kept = await readFile(cacheFile, 'utf8');
  assert.match(kept, /bin\/python3\.14:\d+:[\d.]+":null/);
  await find();
  assert.equal(await readFile(cacheFile, 'utf8'), kept);
  await utimes(program, 1, 1);
  await find();
  assert.notEqual(await readFile(cacheFile, 'utf8'), kept);
});

test('one that could not be asked is asked again', async () => {
  await using h = await home();
  const cacheFile = path.join(h.path, 'pythons.json');
  const program = path.join(h.path, 'bin/python3.14');
  await mkdir(path.dirname(program));
  await copyFile('/bin/sh', program);
  await chmod(program, 0o644);
  const known = async () => {
    await findPythons({ named: [program], searchPath: '', home: h.path }, cacheFile);
    return (await readFile(cacheFile, 'utf8').catch(() => '')).includes(program);
  };
  assert.equal(await known(), false);
  await chmod(program, 0o755);
  assert.equal(await known(), true);
});

test('an interpreter whose installation holds the home of the user is not shown to functions', async () => {
  await using h = await home();
  const program = path.join(h.path, 'bin/python3.14');
  await mkdir(path.dirname(program));
  await copyFile('/bin/sh', program);
  const { size, mtimeMs } = await stat(program);
  const cacheFile = path.join(h.path, 'pythons.json');
  const facts = { minor: 14, version: '3.14.0', prefix: h.path };
  // What the program has said once.
  const kept = { format: 2, facts: { [`${program}:${size}:${mtimeMs}`]: facts } };
  await writeFile(cacheFile, JSON.stringify(kept));
  const found = async (userHome: string) =>
    (await findPythons({ named: [program], searchPath: '', home: userHome }, cacheFile)).some(
      ({ file }) => file === program,
    );
  assert.equal(await found('/nonexistent'), true);
  assert.equal(await found(h.path), false);
  assert.equal(await found(path.join(h.path, 'user')), false);
});

test('a cache that is cut short is as good as none', async () => {
  await using h = await home();
  const cacheFile = path.join(h.path, 'pythons.json');
  await writeFile(cacheFile, '{"format":1,"fa');
  const found = await findPythons({ named: [], searchPath: '', home: h.path }, cacheFile);
  const system = (await machinePythons()).filter(({ file }) => file.startsWith('/usr/'));
  for (const python of system) assert.ok(found.some(({ minor }) => minor === python.minor));
});

test('a runtime without an interpreter says where it was looked for and what installs it', () => {
  const runtimes = runtimesWith([]);
  const support = runtimes.support('python3.12');
  assert.ok(support.kind === 'missing');
  assert.deepEqual(support.missing, {
    reason: 'it needs an interpreter called python3.12, and none was found in PATH and elsewhere',
    remedy:
      'Install it with one of: uv python install 3.12; pyenv install 3.12; apt-get install python3.12. Then start the host again',
  });
  // The service has had it; there is no use in installing it.
  const old = runtimes.support('python3.8');
  assert.ok(old.kind === 'missing');
  assert.equal(old.missing.reason, 'it needs Python 3.8, which this host does not start');
});

test('an interpreter whose slots do not come up is missing until one does', () => {
  const runtimes = runtimesWith([
    { minor: 12, version: '3.12.1', prefix: '/opt/p', file: '/opt/p/bin/python3.12' },
  ]);
  const kind = () => runtimes.support('python3.12').kind;
  assert.equal(kind(), 'available');
  runtimes.noteBoot('python3.12', 'no libpython');
  const support = runtimes.support('python3.12');
  assert.ok(support.kind === 'missing');
  assert.equal(
    support.missing.reason,
    'what was found for it does not start in a sandbox: no libpython',
  );
  runtimes.noteBoot('python3.12', undefined);
  assert.equal(kind(), 'available');
  // Works as a rule: this will pass.
  runtimes.noteBoot('python3.12', 'out of memory');
  assert.equal(kind(), 'available');
});

function runtimesWith(interpreters: readonly PythonInterpreter[]): Runtimes {
  const bootstrap = { directory: '/nowhere', hash: '0'.repeat(64) };
  return new Runtimes({
    node: '/nowhere/node',
    nodeVersion: '24.0.0',
    bootstraps: { current: bootstrap, older: bootstrap },
    nodes: [],
    waiting: { directory: '/nowhere', script: '' },
    python: { bootstrap, interpreters, places: 'PATH and elsewhere' },
  });
}
