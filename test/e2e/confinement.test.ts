// What a function sees of the machine it runs on: itself, read-only, and nothing of host or neighbours.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

const CODE = `import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
const attempt = (f) => { try { return f(); } catch (error) { return error.code ?? String(error); } };
const ways = {
  write: ({ places }) => places.map((place) => attempt(() => { writeFileSync(place + '/x', ''); return 'written'; })),
  makeDirectory: () => attempt(() => mkdirSync('/x')),
  read: ({ files }) => files.map((file) => attempt(() => readFileSync(file, 'latin1'))),
  list: ({ places }) => places.map((place) => attempt(() => readdirSync(place))),
  pids: () => readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map((pid) => attempt(() => readFileSync('/proc/' + pid + '/cmdline', 'latin1'))),
  identity: () => ({ uid: process.getuid(), groups: process.getgroups(), status: readFileSync('/proc/self/status', 'utf8') }),
  writable: () => execFileSync('/bin/sh', ['-c', "find / -path /proc -prune -o -writable '(' -type d -o -type f ')' -print 2>/dev/null; exit 0"]).toString(),
  descriptors: () => readdirSync('/proc/self/fd').map((fd) => attempt(() => statSync('/proc/self/fd/' + fd).isFile() || statSync('/proc/self/fd/' + fd).isDirectory())),
  scratch: () => { writeFileSync('/tmp/mine', 'secret'); return readdirSync('/tmp'); },
  tmp: () => readdirSync('/tmp'),
};
export const handler = async (event) => ways[event.way](event);`;

test('a function is alone with its own files', async (t) => {
  process.env['HOST_CANARY'] = 'canary-in-the-environment';
  const secretDir = mkdtempSync(path.join(tmpdir(), 'lambkin-canary-'));
  t.after(() => rmSync(secretDir, { recursive: true }));
  writeFileSync(path.join(secretDir, 'canary'), 'x');
  await using host = await startTestHost();
  if (host.host.isolation.tier !== 'full' && host.host.isolation.tier !== 'partial') {
    t.skip(`the tier reached here is ${host.host.isolation.tier}`);
    return;
  }
  await host.deploy('f', { 'index.mjs': CODE }, { Timeout: 60 });
  await host.deploy('g', { 'index.mjs': CODE });
  const run = (event: object) => result(host, 'f', event);

  await t.test('it can write to /tmp only', async () => {
    const places = [
      '/',
      '/var/task',
      '/var/runtime',
      '/opt',
      '/var',
      '/etc',
      '/usr',
      '/dev',
      '/dev/shm',
      '/dev/pts',
      '/proc',
      '/sys',
      '/var/tmp',
      '/run',
      '/home',
    ];
    const answers = (await run({ way: 'write', places })) as string[]; // as the fixture returns
    assert.deepEqual(
      answers.filter((code) => !['EROFS', 'ENOENT', 'EACCES', 'EPERM'].includes(code)),
      [],
    );
    assert.equal(await run({ way: 'makeDirectory' }), 'EROFS');
    assert.deepEqual(await run({ way: 'write', places: ['/tmp'] }), ['written']);
    const found = String(await run({ way: 'writable' }))
      .trimEnd()
      .split('\n');
    // Devices are mounted over empty files, by which `find` judges them.
    assert.deepEqual(
      found.filter((place) => !place.startsWith('/dev/')),
      ['/tmp', '/tmp/x'],
    );
  });

  await t.test('it does not see the files of host, neighbours or anybody', async () => {
    const files = [
      `${host.dataDir}/secrets/credentials.json`,
      `${host.dataDir}/secrets/token`,
      `${secretDir}/canary`,
      '/root/.profile',
      '/etc/shadow',
      import.meta.filename,
    ];
    assert.deepEqual(
      await run({ way: 'read', files }),
      files.map(() => 'ENOENT'),
    );
    await run({ way: 'scratch' });
    assert.deepEqual(await result(host, 'g', { way: 'tmp' }), []);
  });

  await t.test('it sees no process but its own, and no variable or path of the host', async () => {
    const lines = (await run({ way: 'pids' })) as string[]; // as the fixture returns
    assert.ok(lines.length >= 1 && lines.length <= 4, `${lines.length} processes`);
    const files = ['/proc/1/environ', '/proc/self/environ', '/proc/1/cmdline'];
    const [first, own, command] = (await run({ way: 'read', files })) as string[]; // as the fixture returns
    assert.equal(first, '');
    const all = [...lines, first, own, command].join('\n');
    assert.equal(all.includes('canary-in-the-environment'), false);
    assert.equal(all.includes(host.dataDir), false);
  });

  await t.test('it has no file of the host open', async () => {
    const isFile = (await run({ way: 'descriptors' })) as unknown[]; // as the fixture returns
    assert.equal(
      isFile.filter((answer) => answer === true).length <= 1,
      true,
      JSON.stringify(isFile),
    );
  });

  await t.test('it is an ordinary user without capabilities or a way to new ones', async () => {
    const { uid, groups, status } = (await run({ way: 'identity' })) as {
      uid: number;
      groups: number[];
      status: string;
    }; // as the fixture returns
    assert.notEqual(uid, 0);
    assert.equal(groups.includes(0), false);
    assert.match(status, /^CapEff:\s+0+$/m);
    assert.match(status, /^CapPrm:\s+0+$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
  });
});
