// The data directory: what is in it, whose it is, and when it is refused.
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { openDataDirectory } from '../../host/store/data-directory.ts';
import { Program, temporaryFolder } from './place.ts';

suite('data directory', () => {
  test('is laid out with its modes, whatever they were before', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'some', 'where');
    await mkdir(join(path, 'secrets'), { recursive: true });
    await chmod(join(path, 'secrets'), 0o755);
    await writeFile(join(path, 'id'), '0f0e0d0c-0b0a-4908-8706-050403020100\n');
    await using directory = await openDataDirectory(path);
    assert.equal(directory.path, path);
    assert.equal(directory.hostId, '0f0e0d0c-0b0a-4908-8706-050403020100');
    const expected = { db: 0o700, secrets: 0o700, code: 0o711, slots: 0o711, logs: 0o700 };
    assert.equal(await modeOf(path), 0o711);
    for (const [name, mode] of Object.entries(expected)) {
      assert.equal(await modeOf(join(path, name)), mode, name);
    }
    assert.equal(directory.folders.slots, join(path, 'slots'));
  });

  test('is created with its parents, and keeps its id', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a', 'b', 'c');
    const first = await openDataDirectory(path);
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await using second = await openDataDirectory(path);
    assert.match(second.hostId, /^[0-9a-f-]{36}$/);
    assert.equal(second.hostId, first.hostId);
    assert.equal(await modeOf(path), 0o711);

    await using elsewhere = await openDataDirectory(join(folder.path, 'other'));
    assert.notEqual(elsewhere.hostId, first.hostId);
  });

  test('leaves the mode of a directory that holds other things alone', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'notes.txt'), 'mine');
    await chmod(folder.path, 0o750);
    await using directory = await openDataDirectory(folder.path);
    assert.equal(await modeOf(directory.path), 0o750);
  });

  test('is refused to a second host of the same process, by any path', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'data');
    const link = join(folder.path, 'link');
    await symlink(path, link);
    {
      await using _first = await openDataDirectory(path);
      for (const other of [path, link]) {
        await assert.rejects(openDataDirectory(other), {
          name: 'DataDirectoryRefused',
          message: `Another lambkin host (pid ${process.pid}) owns ${path}. Stop it, or start this one with --data OTHER.`,
        });
      }
      await using intruder = new Program('lock-holder.ts', [path]);
      assert.match(String(await intruder.line()), /^DataDirectoryRefused/, 'still locked');
    }
    await using _second = await openDataDirectory(path);
  });

  test('is refused to a second process, and free once the first is killed', async () => {
    await using folder = await temporaryFolder();
    await using holder = new Program('lock-holder.ts', [folder.path]);
    const opened = await holder.line();
    assert.match(String(opened), /^open /);
    await assert.rejects(openDataDirectory(folder.path), {
      message: `Another lambkin host (pid ${holder.pid}) owns ${folder.path}. Stop it, or start this one with --data OTHER.`,
    });
    await holder.kill();
    await using directory = await openDataDirectory(folder.path);
    assert.equal(opened, `open ${directory.hostId}`);
  });

  test('names the machine of a holder that runs under another host name', async () => {
    await using folder = await temporaryFolder();
    await using _holder = await openDataDirectory(folder.path);
    const file = join(folder.path, 'db', 'holder.json');
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
      pid: process.pid,
      hostName: hostname(),
    });
    await writeFile(file, JSON.stringify({ pid: 7, hostName: 'elsewhere' }));
    await assert.rejects(openDataDirectory(folder.path), {
      message: /^Another lambkin host \(pid 7 on elsewhere\) owns /,
    });
  });

  test('goes to exactly one of many hosts that start at once', async () => {
    await using folder = await temporaryFolder();
    await using stack = new AsyncDisposableStack();
    const hosts = Array.from({ length: 6 }, () =>
      stack.use(new Program('lock-holder.ts', [folder.path])),
    );
    const answers = await Promise.all(hosts.map((host) => host.line()));
    const opened = answers.filter((answer) => answer?.startsWith('open '));
    const refused = answers.filter((answer) =>
      answer?.startsWith('DataDirectoryRefused: Another '),
    );
    assert.deepEqual([opened.length, refused.length], [1, 5], answers.join('\n'));
  });

  test('is refused with the reason when its id is damaged or it is no directory', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'id'), 'not an id');
    await assert.rejects(openDataDirectory(folder.path), {
      name: 'DataDirectoryRefused',
      message: `${folder.path}/id does not hold this directory's id. Remove the file to have a new one made.`,
    });
    await writeFile(join(folder.path, 'id'), '');
    await assert.rejects(openDataDirectory(folder.path), { name: 'DataDirectoryRefused' });

    await assert.rejects(openDataDirectory('/proc/nowhere/data'), {
      name: 'DataDirectoryRefused',
      message: /^\/proc\/nowhere\/data cannot be the data directory: ENOENT/,
    });

    const file = join(folder.path, 'file');
    await writeFile(file, '');
    await assert.rejects(openDataDirectory(file), {
      name: 'DataDirectoryRefused',
      message: /^\S+file cannot be the data directory: EEXIST/,
    });
  });
});

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}
