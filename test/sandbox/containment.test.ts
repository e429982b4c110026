// What a function finds when it looks around and tries the doors, in the tiers with a mount view.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { openTestHost, type TestSlot, tierOptions, unlessTier } from './slot.ts';

const python = '/usr/bin/python3';

for (const tier of ['full', 'partial'] as const satisfies readonly IsolationTier[]) {
  suite(`inside a sandbox of tier ${tier}`, { skip: await unlessTier(tier) }, () => {
    const inside = (
      name: string,
      check: (slot: TestSlot, dir: string) => Promise<void>,
      skip: string | false = false,
    ) => {
      test(name, { skip }, async () => {
        await using host = await openTestHost(tierOptions[tier]);
        await using slot = await host.start();
        await check(slot, host.dir);
      });
    };

    inside('the user has no capabilities, no way to new privileges, and a filter', async (slot) => {
      const status = await slot.run(
        `return fs.readFileSync('/proc/self/status', 'utf8').match(/^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):.*/gm)`,
      );
      assert.deepEqual(status, [
        'Uid:\t993\t993\t993\t993',
        'CapEff:\t0000000000000000',
        'CapBnd:\t0000000000000000',
        'NoNewPrivs:\t1',
        'Seccomp:\t2',
      ]);
    });

    inside("no process shows a variable of the host's", async (slot) => {
      const environments = await slot.run(
        `return fs.readdirSync('/proc').filter(Number).map((pid) => fs.readFileSync('/proc/' + pid + '/environ', 'latin1')).join('')`,
      );
      // bwrap itself sets PWD for the main process.
      assert.ok(environments === '' || environments === 'PWD=/\0', JSON.stringify(environments));
    });

    inside('the command line of pid 1 names no path of the host', async (slot, dir) => {
      const line = await slot.run(`return fs.readFileSync('/proc/1/cmdline', 'latin1')`);
      assert.ok(typeof line === 'string' && line.includes('bwrap'));
      assert.ok(!line.includes(dir) && !line.includes('--ro-bind'), line);
    });

    inside('only /tmp can be written', async (slot) => {
      const places = [
        '/',
        '/dev',
        '/dev/shm',
        '/var',
        '/var/runtime',
        '/opt',
        '/etc',
        '/usr',
        '/tmp',
      ];
      const wrote = await slot.run(
        `return ${JSON.stringify(places)}.filter((place) => attempt(() => (fs.writeFileSync(place + '/x', ''), true)) === true)`,
      );
      assert.deepEqual(wrote, ['/tmp']);
    });

    inside('/tmp has the size of EphemeralStorage', async (slot) => {
      const size = await slot.run(`const s = fs.statfsSync('/tmp'); return s.blocks * s.bsize`);
      assert.equal(size, 64 * 1_048_576);
    });

    inside(
      'a program started by the function inherits descriptors 0 to 2, and 3 is the only other',
      async (slot) => {
        const open = await slot.run(
          `return spawnSync('/bin/sh', ['-c', 'for fd in /proc/$$/fd/*; do echo "\${fd##*/}"; done'], { stdio: [0, 'pipe', 2] }).stdout.toString()`,
        );
        const numbers = String(open).trim().split('\n').map(Number);
        assert.ok(
          numbers.every((number) => number <= 3 || number === 10),
          String(open),
        );
        const own = await slot.run(
          `return fs.readdirSync('/proc/self/fd').map((fd) => attempt(() => fs.readlinkSync('/proc/self/fd/' + fd)))`,
        );
        assert.ok(Array.isArray(own));
        const foreign = own.filter(
          (target) =>
            !/^(socket:|anon_inode:|pipe:|ENOENT|\/dev\/null|\/proc\/)/.test(String(target)),
        );
        assert.deepEqual(foreign, []);
        assert.equal(own.filter((target) => String(target).startsWith('socket:')).length, 3);
      },
    );

    inside('the files of the host are not there', async (slot, dir) => {
      writeFileSync(path.join(dir, 'secret'), 'secret', { mode: 0o644 });
      const found = await slot.run(
        `return ${JSON.stringify([dir, '/root', '/home', '/etc/shadow', '/sys/fs/cgroup', '/run'])}.filter((place) => fs.existsSync(place))`,
      );
      assert.deepEqual(found, []);
    });

    inside('only its own processes are seen', async (slot) => {
      const pids = await slot.run(`return fs.readdirSync('/proc').filter(Number).length`);
      assert.equal(pids, 2);
    });

    inside('its control group does not tell where it is on the host', async (slot) => {
      const groups = await slot.run(`return fs.readFileSync('/proc/self/cgroup', 'utf8')`);
      assert.ok(!String(groups).includes('lambkin'), String(groups));
    });

    inside('the user has a name, and linked programs run', async (slot) => {
      assert.equal(await slot.run(`return os.userInfo().username`), 'sbx_user1051');
      assert.equal(
        await slot.run(`return execFileSync('awk', ['BEGIN { print 1 }']).toString()`),
        '1\n',
      );
    });

    inside(
      'ptrace, unshare, mount, setns, bpf, keyctl, io_uring and a namespace by clone are refused',
      async (slot) => {
        const script = `
import ctypes, json, platform, threading
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == 'aarch64'
numbers = dict(ptrace=117, unshare=97, mount=40, setns=268, bpf=280, keyctl=219, io_uring_setup=425, clone3=435, clone=220) if arm else dict(ptrace=101, unshare=272, mount=165, setns=308, bpf=321, keyctl=250, io_uring_setup=425, clone3=435, clone=56)
args = dict(ptrace=(16, 1), unshare=(0x10000000,), clone=(0x10000011, 0, 0, 0, 0))
answers = {}
for name, number in numbers.items():
    ctypes.set_errno(0)
    libc.syscall(number, *args.get(name, (0, 0, 0, 0)))
    answers[name] = ctypes.get_errno()
thread = threading.Thread(target=lambda: answers.update(thread=0)); thread.start(); thread.join()
print(json.dumps(answers))
`;
        const said = await slot.run(
          `const p = spawnSync('${python}', ['-c', ${JSON.stringify(script)}]); return p.stdout.toString() + p.stderr`,
        );
        const answers: unknown = JSON.parse(String(said));
        const eperm = 1;
        const enosys = 38;
        assert.deepEqual(answers, {
          ptrace: eperm,
          unshare: eperm,
          mount: eperm,
          setns: eperm,
          bpf: eperm,
          keyctl: eperm,
          io_uring_setup: eperm,
          clone3: enosys,
          clone: eperm,
          thread: 0,
        });
      },
      !existsSync(python) && `needs ${python}`,
    );

    inside('code appears by one rename into taskDir', async (slot, dir) => {
      mkdirSync(path.join(dir, 'staged'));
      writeFileSync(path.join(dir, 'staged', 'index.mjs'), 'export const answer = 42;');
      renameSync(path.join(dir, 'staged'), slot.sandbox.taskDir);
      const { taskRoot } = slot.sandbox.paths;
      const answer = await slot.run(`return (await import('${taskRoot}/index.mjs')).answer`);
      assert.equal(answer, 42);
      assert.equal(
        await slot.run(`return attempt(() => fs.writeFileSync('${taskRoot}/x', ''))`),
        'EROFS',
      );
    });
  });
}
