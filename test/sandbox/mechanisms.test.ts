// The pure parts: filter bytes, heap flags, command lines, cgroup texts, the poll's arithmetic.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { bwrapAbilities, bwrapArguments, childPidIn } from '../../runtime/sandbox/bwrap.ts';
import { type CgroupMount, counterIn, parseCgroupMounts } from '../../runtime/sandbox/cgroup.ts';
import { openGroupV1 } from '../../runtime/sandbox/cgroup-v1.ts';
import { openGroupV2 } from '../../runtime/sandbox/cgroup-v2.ts';
import { MemoryPoll, type MemorySubject } from '../../runtime/sandbox/memory-poll.ts';
import { seccompFilter } from '../../runtime/sandbox/seccomp.ts';
import { slotUid } from '../../runtime/sandbox/uid.ts';
import { v8Flags } from '../../runtime/sandbox/v8-flags.ts';

/** What the filter answers to a system call: an interpreter of the few instructions it uses. */
function answerOf(filter: Buffer, architecture: number, number: number, argument = 0): number {
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const code = filter.readUInt16LE(at * 8);
    const [ifTrue, ifFalse] = [filter.readUInt8(at * 8 + 2), filter.readUInt8(at * 8 + 3)];
    const operand = filter.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return operand;
    if (code === 0x20)
      accumulator = { 0: number, 4: architecture, 16: argument }[operand] ?? Number.NaN;
    else if (code === 0x15) at += accumulator === operand ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= operand ? ifTrue : ifFalse;
    else if (code === 0x45) at += (accumulator & operand) !== 0 ? ifTrue : ifFalse;
    else assert.fail(`unknown instruction ${code}`);
  }
}

const allow = 0x7fff0000;
const eperm = 0x50001;
const enosys = 0x50026;
const kill = 0x80000000;
const machines = [
  {
    name: 'x64',
    audit: 0xc000003e,
    clone: 56,
    denied: [101, 272, 308, 165, 321, 425, 442, 438],
    allowed: [0, 1, 59, 257],
  },
  {
    name: 'arm64',
    audit: 0xc00000b7,
    clone: 220,
    denied: [117, 97, 268, 40, 280, 425, 442, 438],
    allowed: [56, 63, 64, 221],
  },
] as const;

for (const { name, audit, clone, denied, allowed } of machines) {
  test(`the filter for ${name} refuses what it should, and no more`, () => {
    const filter = seccompFilter(name);
    assert.ok(filter !== undefined);
    for (const number of denied) assert.equal(answerOf(filter, audit, number), eperm, `${number}`);
    for (const number of allowed) assert.equal(answerOf(filter, audit, number), allow, `${number}`);
    assert.equal(answerOf(filter, audit, 435), enosys);
    assert.equal(answerOf(filter, audit, clone, 0x11), allow);
    for (const flag of [
      0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
    ]) {
      assert.equal(answerOf(filter, audit, clone, flag | 0x11), eperm);
    }
    assert.equal(answerOf(filter, 0x40000003, 1), kill);
  });
}

test('the x32 numbering is refused as a whole, and other machines have no filter', () => {
  const filter = seccompFilter('x64');
  assert.ok(filter !== undefined);
  assert.equal(answerOf(filter, 0xc000003e, 0x40000001), eperm);
  assert.equal(seccompFilter('riscv64'), undefined);
});

test('the heap stays below MemorySize', () => {
  const old = (mib: number) => Number(/=(\d+)$/.exec(v8Flags(mib)[0] ?? '')?.[1]);
  assert.deepEqual([128, 256, 512, 1024].map(old), [83, 204, 409, 819]);
  for (let mib = 128; mib <= 10_240; mib++) assert.ok(old(mib) <= mib - 45);
});

test('users of slots are within the range, apart, and the same after a restart', () => {
  const uids = Array.from({ length: 1000 }, (_, index) => slotUid('host', index));
  assert.equal(new Set(uids).size, 1000);
  assert.ok(uids.every((uid) => uid >= 200_000 && uid <= 265_535));
  assert.equal(slotUid('host', 5), uids[5]);
  assert.notEqual(slotUid('other', 5), uids[5]);
});

test('mounts that seal the view come after all others', () => {
  const view = {
    varDir: '/s/var',
    optDir: '/s/opt',
    runtimeDir: '/r',
    interpreter: '/n',
    passwdFile: '/p',
    tmpBytes: 1024,
    withFilter: true,
  };
  const list = bwrapArguments(view, bwrapAbilities('bubblewrap 0.8.0'), [
    '--ro-bind',
    '/usr',
    '/usr',
  ]).split('\0');
  const lastBind = list.findLastIndex((each) => each.startsWith('--ro-bind') || each === '--tmpfs');
  assert.ok(list.indexOf('--remount-ro') > lastBind);
  assert.equal(list[list.indexOf('--tmpfs') - 2], '--size');
  assert.ok(list.includes('--disable-userns'));
  const old = bwrapArguments(view, bwrapAbilities('bubblewrap 0.6.1'), []).split('\0');
  assert.ok(!old.includes('--disable-userns') && !old.includes('--size'));
  assert.equal(childPidIn('{ "child-pid": 4711, "cgroup-namespace": 1 }\n'), 4711);
  assert.equal(childPidIn(''), undefined);
});

test('cgroup mounts are found, with the directory of our own group', () => {
  const mountinfo = [
    '30 23 0:26 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory',
    '31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '32 23 0:28 /docker/1 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids',
    '33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate',
  ].join('\n');
  const membership = '5:memory:/user\n4:cpu,cpuacct:/\n3:pids:/docker/1/x\n0::/user.slice/a:b\n';
  assert.deepEqual(parseCgroupMounts(mountinfo, membership), [
    {
      version: 1,
      controllers: ['memory'],
      mountPoint: '/sys/fs/cgroup/memory',
      own: '/sys/fs/cgroup/memory/user',
    },
    {
      version: 1,
      controllers: ['cpu', 'cpuacct'],
      mountPoint: '/sys/fs/cgroup/cpu,cpuacct',
      own: '/sys/fs/cgroup/cpu,cpuacct',
    },
    {
      version: 1,
      controllers: ['pids'],
      mountPoint: '/sys/fs/cgroup/pids',
      own: '/sys/fs/cgroup/pids/x',
    },
    {
      version: 2,
      controllers: [],
      mountPoint: '/sys/fs/cgroup/unified',
      own: '/sys/fs/cgroup/unified/user.slice/a:b',
    },
  ]);
});

test('a counter is read by its whole name', () => {
  const text = 'under_oom 0\noom_kill_disable 1\noom_kill 7\n';
  assert.equal(counterIn(text, 'oom_kill'), 7);
  assert.equal(counterIn(text, 'under_oom'), 0);
  assert.equal(counterIn(text, 'kill'), 0);
});

test('version 2 without the controllers is refused with the way to get them', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'lambkin-cgroup-'));
  writeFileSync(path.join(dir, 'cgroup.controllers'), 'hugetlb\n');
  const result = await openGroupV2({ version: 2, controllers: [], mountPoint: dir, own: dir }, 'h');
  assert.ok(result.kind === 'refused');
  assert.match(result.reason, /memory, pids.*Delegate=yes/);
  rmSync(dir, { recursive: true });
});

test('version 1 that cannot be written is refused with a way that is open to this user', async () => {
  const own = '/proc/nowhere';
  const mounts: readonly CgroupMount[] = [
    { version: 1, controllers: ['memory'], mountPoint: own, own },
    { version: 1, controllers: ['pids'], mountPoint: own, own },
  ];
  const result = await openGroupV1(mounts, 'h');
  assert.ok(result.kind === 'refused');
  const isRoot = process.getuid?.() === 0;
  assert.match(result.reason, /^cgroup v1 is not writable/);
  assert.match(result.reason, isRoot ? /; mount .* read-write$/ : /; run the host as root$/);
});

test('version 2 limits are written as the kernel reads them', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'lambkin-cgroup-'));
  writeFileSync(path.join(dir, 'cgroup.controllers'), 'cpu memory pids\n');
  const result = await openGroupV2({ version: 2, controllers: [], mountPoint: dir, own: dir }, 'h');
  assert.ok(result.kind === 'open');
  assert.equal(
    readFileSync(path.join(dir, 'cgroup.subtree_control'), 'utf8'),
    '+memory +pids +cpu',
  );
  const group = result.group.create('0', {
    hardMemoryMib: 640,
    memoryMib: 128,
    maxProcesses: 1024,
  });
  const read = (file: string) => readFileSync(path.join(dir, 'lambkin-h', '0', file), 'utf8');
  assert.equal(read('memory.max'), String(640 * 1_048_576));
  assert.equal(read('memory.oom.group'), '1');
  assert.equal(read('pids.max'), '1024');
  assert.deepEqual(group.joinFiles, [path.join(dir, 'lambkin-h', '0', 'cgroup.procs')]);
  mkdirSync(path.join(dir, 'x'));
  writeFileSync(path.join(dir, 'lambkin-h', '0', 'memory.stat'), 'anon 4096\nfile 8192\n');
  writeFileSync(path.join(dir, 'lambkin-h', '0', 'memory.events'), 'oom 2\noom_kill 1\n');
  assert.deepEqual(group.usage(), { processBytes: 4096, oomKills: 1 });
  rmSync(dir, { recursive: true });
});

class Subject implements MemorySubject {
  readonly limitBytes = 100;
  processBytes = 0;
  looks = 0;
  ended = 0;
  measure() {
    this.looks++;
    return { processBytes: this.processBytes, oomKills: 0 };
  }
  measured(): void {
    // nothing is kept here
  }
  exceeded(): void {
    this.ended++;
  }
}

test('the poll ends a subject that is over its limit twice in a row', () => {
  let now = 0;
  using poll = new MemoryPoll(() => now);
  const subject = new Subject();
  poll.add(subject);
  assert.ok(!poll.isTicking);
  poll.setActive(subject, true);
  assert.ok(poll.isTicking);
  poll.tick();
  assert.equal(subject.looks, 0, 'it became active after the last tick');
  subject.processBytes = 101;
  poll.tick();
  subject.processBytes = 99;
  poll.tick();
  subject.processBytes = 101;
  poll.tick();
  assert.equal(subject.ended, 0);
  poll.tick();
  poll.tick();
  assert.equal(subject.ended, 1);
  assert.ok(!poll.isTicking, 'nobody is left to watch');
  now += 1;
});

test('the poll costs short invocations one look a second, and rests without any', () => {
  let now = 0;
  using poll = new MemoryPoll(() => now);
  const subject = new Subject();
  poll.add(subject);
  for (let i = 0; i < 200; i++) {
    poll.setActive(subject, true);
    poll.setActive(subject, false);
    now += 25;
    poll.tick();
  }
  assert.equal(subject.looks, 5);
  poll.tick();
  assert.ok(!poll.isTicking);
});
