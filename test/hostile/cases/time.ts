// Functions that do not end in time, whatever they wait for or compute.
import { exits, type HostileCase, timesOut } from '../case.ts';

const settings = { Timeout: 1 };

export const time: readonly HostileCase[] = [
  {
    number: 1,
    what: 'an endless loop',
    attack: 'for (;;);',
    settings,
    check: timesOut,
    everyTier: true,
  },
  {
    number: 2,
    what: 'a promise that never settles, with nothing left to do',
    attack: 'await new Promise(() => {});',
    check: exits('Runtime exited with error: exit status 13'),
    provenBy: 'test/e2e/function-errors.test.ts',
  },
  {
    number: 2,
    what: 'a promise that never settles, beside a timer',
    attack: 'await forever();',
    settings,
    check: timesOut,
  },
  {
    number: 3,
    what: 'Atomics.wait for ever',
    attack: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
    settings,
    check: timesOut,
  },
  {
    number: 4,
    what: 'a child process that is waited for',
    attack: 'execSync(`sleep ${event.sleepSeconds}`);',
    settings,
    check: timesOut,
    everyTier: true,
  },
  {
    number: 5,
    what: 'a hash of hundred million rounds',
    attack: "pbkdf2Sync('a', 'b', 1e8, 64, 'sha512');",
    settings,
    check: timesOut,
  },
  {
    number: 6,
    what: 'a read of a FIFO that nobody writes to',
    attack: 'const fifo = `${tmpdir()}/fifo`; execSync(`mkfifo ${fifo}`); fs.readFileSync(fifo);',
    settings,
    check: timesOut,
  },
  {
    number: 7,
    what: 'a regular expression that backtracks',
    attack: "/(a+)+$/.test('a'.repeat(60) + 'b');",
    settings,
    check: timesOut,
  },
  {
    number: 8,
    what: 'a loop of microtasks',
    attack: 'for (;;) await null;',
    settings,
    check: timesOut,
  },
  {
    number: 8,
    what: 'a loop of nextTick',
    attack: 'const again = () => process.nextTick(again); again(); await forever();',
    settings,
    check: timesOut,
  },
  {
    number: 8,
    what: 'a loop in finally',
    attack: 'try { for (;;); } finally { for (;;); }',
    settings,
    check: timesOut,
  },
  {
    number: 9,
    what: 'a loop that ignores every signal it may',
    attack:
      "for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) process.on(name, () => {}); for (;;);",
    settings,
    check: timesOut,
  },
  {
    number: 9,
    what: 'daemons in sessions of their own, left behind at the deadline',
    attack: `for (let i = 0; i < 3; i += 1)
      spawn('/bin/sh', ['-c', \`(setsid sh -c "trap : TERM; sleep \${event.sleepSeconds}; sleep \${event.sleepSeconds}" &) &\`], { detached: true, stdio: 'ignore' }).unref();
    for (;;);`,
    settings,
    check: timesOut,
    instead: { none: 'a daemon that leaves session and parent survives' },
  },
];
