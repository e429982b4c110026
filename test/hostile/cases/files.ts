// Functions that fill, change or read what is not theirs.
import assert from 'node:assert/strict';
import { type HostileCase, returns } from '../case.ts';

/** A variable of every host of the suite, which no function may see. */
export const CANARY = 'canary-of-the-host';

const CONFINEMENT = 'test/e2e/confinement.test.ts';
const NO_VIEW = 'the files of the machine are seen with the rights of the user of the slot';
const SAME_USER = 'functions are the user of the host and see all that it sees';

export const files: readonly HostileCase[] = [
  {
    number: 28,
    what: '/tmp is filled',
    attack: `const file = fs.openSync('/tmp/big', 'w');
      const piece = Buffer.alloc(MIB, 7);
      let written = 0;
      try { for (; written < 600 * MIB; ) written += fs.writeSync(file, piece); return 'no end'; }
      catch (error) { return [error.code, written / MIB]; }`,
    settings: { Timeout: 60 },
    check: returns((payload) => {
      const [code, written] = payload as [string, number]; // as the attack returns
      assert.equal(code, 'ENOSPC');
      assert.ok(written > 500 && written <= 512, `${written} MiB`);
    }),
    provenBy: 'test/e2e/ephemeral-storage.test.ts',
    instead: {
      'partial-uid': 'its directory is on the disk of the host and has no size of its own',
      none: 'its directory is on the disk of the host and has no size of its own',
    },
  },
  {
    number: 29,
    what: 'writes everywhere',
    attack: `return ['/var/task', '/opt', '', '/dev/shm', '/etc', '/usr', '/var/runtime'].map((place) => attempt(() => fs.writeFileSync(place + '/x', '')));`,
    check: returns((payload) => {
      for (const code of payload as string[]) assert.equal(code, 'EROFS'); // as the attack returns
    }),
    provenBy: CONFINEMENT,
    instead: { 'partial-uid': NO_VIEW, none: SAME_USER },
  },
  {
    number: 30,
    what: 'reads files of the host, of the machine and of other slots',
    attack: `const places = [...event.places, '/root/.profile', '/etc/shadow'];
      return places.map((place) => attempt(() => fs.readFileSync(place).length));`,
    async check(run) {
      const places = [
        'secrets/token',
        'secrets/credentials.json',
        'slots/.host/canary',
        'db/lambkin.db',
      ];
      const answer = await run.attack({ places: places.map((each) => `${run.dataDir}/${each}`) });
      for (const code of answer.payload as unknown[])
        assert.match(String(code), /^(ENOENT|EACCES)$/);
    },
    provenBy: CONFINEMENT,
    instead: { none: SAME_USER },
  },
  {
    number: 31,
    what: 'looks at every process it sees',
    attack: `const pids = fs.readdirSync('/proc').filter(Number);
      const text = pids.flatMap((pid) => ['environ', 'cmdline', 'root/etc/shadow'].map((file) => attempt(() => fs.readFileSync('/proc/' + pid + '/' + file, 'latin1')))).join('\\n');
      return { count: pids.length, text };`,
    check: returns((payload, { dataDir }) => {
      const { count, text } = payload as { count: number; text: string }; // as the attack returns
      assert.ok(count <= 4, `${count} processes`);
      assert.ok(!text.includes(CANARY) && !text.includes(dataDir) && !text.includes('root:'));
    }),
    provenBy: CONFINEMENT,
    instead: {
      'partial-uid': 'other processes are listed, their variables are not',
      none: SAME_USER,
    },
  },
  {
    number: 32,
    what: 'looks for variables of the host',
    attack: 'return JSON.stringify(process.env);',
    check: returns((payload) => assert.ok(!String(payload).includes(CANARY))),
    provenBy: CONFINEMENT,
    everyTier: true,
  },
  {
    number: 33,
    what: 'asks for another user, root directory, mounts and namespaces',
    attack: `const run = (...command) => spawnSync(command[0], command.slice(1)).status;
      return [attempt(() => process.setuid(0)), attempt(() => process.setgid(0)), run('/usr/bin/unshare', '-r', 'true'), run('/usr/bin/mount', '-t', 'tmpfs', 'x', '/tmp'), run('/usr/sbin/chroot', '/', 'true')];`,
    check: returns((payload) => {
      const [setuid, setgid, ...commands] = payload as unknown[]; // as the attack returns
      assert.match(String(setuid), /EPERM|EINVAL/);
      assert.match(String(setgid), /EPERM|EINVAL/);
      for (const status of commands) assert.ok(status !== 0 && status !== true, String(payload));
    }),
    provenBy: 'test/sandbox/containment.test.ts',
    instead: {
      'partial-uid':
        'no filter: namespaces of its own are open to it where the machine lets any user have them',
      none: SAME_USER,
    },
  },
];
