// Functions with many processes, or at other people's: forks, daemons, signals, descriptors, CPU time.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLines } from '../../support/machine.ts';
import { fails, type HostileCase, returns, timesOut } from '../case.ts';

/** `limits.pids` of every host of the suite: what a fork bomb may cost the machine that runs it. */
export const MAX_PROCESSES = 128;

const FORKS = `let refused = 0;
  for (let i = 0; i < 200; i += 1) {
    const child = spawn('/bin/sleep', [String(event.sleepSeconds)], { stdio: 'ignore' });
    const code = await new Promise((resolve) => {
      child.on('error', (error) => resolve(error.code));
      child.on('spawn', () => resolve(''));
    });
    if (code === '') kept.push(child);
    else if (code === 'EAGAIN') refused += 1;
    else return code;
  }
  return { started: kept.length, refused };`;

/** Counts, in a session of its own and whatever becomes of who started it, until its environment ends. */
const DAEMON = `const beats = tmpdir() + '/beats';
  const count = () => fs.statSync(beats, { throwIfNoEntry: false })?.size ?? 0;
  if (event.starts) {
    spawn('/bin/sh', ['-c', \`(setsid sh -c "sleep \${event.sleepSeconds} & while :; do printf x >> \${beats}; sleep 0.02; done" &) &\`], { stdio: 'ignore' }).unref();
    while (count() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return count();`;
/** Some fifty beats of the daemon if it went on meanwhile. */
const IDLE_MS = 1_500;

export const processes: readonly HostileCase[] = [
  {
    number: 10,
    what: 'a daemon that goes on after the answer',
    attack: DAEMON,
    settings: { Timeout: 20 },
    async check(run) {
      const before = Number((await run.attack({ starts: true })).payload);
      // Here time itself is the subject.
      await sleep(IDLE_MS);
      const counted = Number((await run.attack()).payload) - before;
      assert.ok(counted < 20, `it has counted to ${counted} between two invocations`);
      assert.ok(
        commandLines().join('\n').includes(`sleep ${run.sleepSeconds}`),
        'it is still there',
      );
    },
    instead: { none: 'a daemon that leaves session and parent goes on, and survives' },
  },
  {
    number: 23,
    what: 'signals to its parent, to process 1 and to everybody',
    attack: `return [process.ppid, 1, -1].map((pid) => attempt(() => process.kill(pid, 'SIGKILL')));`,
    async check(run) {
      const answer = await run.attack();
      if (answer.functionError === undefined) return;
      assert.equal((answer.payload as { errorType: string }).errorType, 'Runtime.ExitError'); // every error's form
    },
    instead: { none: 'a host that runs as root, and everybody else, can be killed' },
  },
  {
    number: 26,
    what: 'a bomb of forks',
    attack: `spawnSync('/bin/sh', ['-c', 'bomb() { bomb | bomb & }; bomb; sleep 60']); await forever();`,
    settings: { Timeout: 2, MemorySize: 512 },
    check: timesOut,
    instead: { none: 'nothing limits the processes of a host that runs as root' },
  },
  {
    number: 26,
    what: 'more and more children',
    attack: FORKS,
    settings: { Timeout: 30, MemorySize: 512 },
    check: returns((payload) => {
      const { started, refused } = payload as { started: number; refused: number }; // as the attack returns
      assert.equal(started + refused, 200);
      assert.ok(started > 20 && started < MAX_PROCESSES, `${started} started`);
    }),
    instead: { none: 'nothing limits the processes of a host that runs as root' },
  },
  {
    number: 27,
    what: 'files opened until it fails',
    attack: `let opened = 0;
      try { for (;;) { fs.openSync('/dev/null'); opened += 1; } }
      catch (error) { return [error.code, opened]; }`,
    check: returns((payload) => {
      const [code, opened] = payload as [string, number]; // as the attack returns
      assert.equal(code, 'EMFILE');
      assert.ok(opened > 900 && opened < 1024, `${opened} descriptors`);
    }),
    everyTier: true,
  },
  {
    number: 44,
    what: 'eight loops at once',
    attack: 'for (;;);',
    settings: { Timeout: 2 },
    async check(run) {
      // What the neighbour waits meanwhile is judged as with every other case.
      await Promise.all(Array.from({ length: 8 }, () => fails('Sandbox.Timedout')(run)));
    },
  },
];
