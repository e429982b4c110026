// Tries the violations: starts sandboxes that attempt what they must not be able to do, and notes what happened.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessSandbox } from './process-sandbox.ts';
import type { SlotShape } from './sandbox.ts';
import type { SlotFactory } from './slot-factory.ts';

/** What the probes of one backend found. Plain data, since it is kept between starts. */
export interface ProbeFacts {
  /** Whether a sandbox came up at all; if not, `failure` is what it said. */
  readonly hasStarted: boolean;
  readonly failure: string;
  /** A file of the host that its user alone may read. */
  readonly readsHostFiles: boolean;
  /** Places besides /tmp that could be written. */
  readonly writable: readonly string[];
  readonly hasCapabilities: boolean;
  readonly noNewPrivileges: boolean;
  readonly hasFilter: boolean;
  /** What unshare(2) answered. */
  readonly namespaceError: string;
  readonly tmpIsLimited: boolean;
  readonly processesAreLimited: boolean;
  /** Processes seen in /proc. */
  readonly processesSeen: number;
  readonly memoryIsLimited: boolean;
  readonly viewMs: number;
  readonly memoryMs: number;
  readonly killMs: number;
}

/** `limits.pids` of the sandboxes that probe. */
export const probeProcesses = 16;
const viewShape: SlotShape = { runtime: 'probe', memoryMib: 64, ephemeralStorageMib: 1 };
const memoryShape: SlotShape = { runtime: 'probe', memoryMib: 16, ephemeralStorageMib: 1 };
const giveUpAfterMs = 5_000;
const keptOutput = 4_000;

/** $1 is the file that must not be readable, $2 the directory that stands for /tmp. */
const viewScript = `
while IFS= read -r line; do case $line in CapEff:*|NoNewPrivs:*|Seccomp:*) echo "$line";; esac; done < /proc/self/status
if (read -r x < "$1") 2>/dev/null; then echo 'canary read'; fi
for place in / /dev /dev/shm /var /var/lang /opt /etc /usr /proc; do
  if (: > "$place/.lambkin-probe") 2>/dev/null; then rm -f "$place/.lambkin-probe"; echo "writable $place"; fi
done
echo "namespace $(unshare -U true 2>&1 && echo granted)"
if head -c 2097152 /dev/zero 2>/dev/null > "$2/probe"; then echo 'tmp unlimited'; fi 2>/dev/null
rm -f "$2/probe"
set -- /proc/[0-9]*; echo "processes $#"
echo 'started'
i=0; while [ $i -lt 32 ]; do sleep 9 & i=$((i+1)); done
echo 'processes unlimited'
`;

/** Eats five times the limit in one process: a pipeline of two sometimes waits 2 s for the kernel's reaper. */
const memoryScript =
  'dd if=/dev/zero of=/dev/null bs=83886080 count=1 2> /dev/null; echo "status $?"';

/** Runs the probes side by side. `withMemory`: whether a kernel limit is to be tried. */
export async function probe(
  factory: SlotFactory,
  canary: string,
  withMemory: boolean,
): Promise<ProbeFacts> {
  const [view, memory] = await Promise.all([
    probeView(factory, canary),
    withMemory ? probeMemory(factory) : { memoryIsLimited: false, memoryMs: 0 },
  ]);
  return { ...view, ...memory };
}

async function probeView(factory: SlotFactory, canary: string) {
  const start = performance.now();
  const sandbox = factory.start(viewShape, (place) => ({
    runtimeDir: place.dir,
    interpreter: undefined,
    arguments: [
      '/bin/sh',
      '-c',
      viewScript,
      'sh',
      canary,
      factory.pathsOf(place, place.dir).tmpDir,
    ],
  }));
  const { output } = await ran(sandbox);
  const viewMs = performance.now() - start;
  await sandbox[Symbol.asyncDispose]();
  const killMs = performance.now() - start - viewMs;
  const line = (name: string) => new RegExp(`^${name}:?\\s+(.*)$`, 'm').exec(output)?.[1];
  return {
    hasStarted: /^started$/m.test(output),
    failure: output.slice(-keptOutput).trim(),
    readsHostFiles: /^canary read$/m.test(output),
    writable: [...output.matchAll(/^writable (.*)$/gm)].map(([, place]) => place ?? ''),
    hasCapabilities: !/^0+$/.test(line('CapEff') ?? ''),
    noNewPrivileges: line('NoNewPrivs') === '1',
    hasFilter: line('Seccomp') === '2',
    namespaceError: line('namespace') ?? '',
    tmpIsLimited: !/^tmp unlimited$/m.test(output),
    processesAreLimited: !/^processes unlimited$/m.test(output),
    processesSeen: Number(line('processes')),
    viewMs,
    killMs,
  };
}

async function probeMemory(factory: SlotFactory) {
  const start = performance.now();
  await using sandbox = factory.start(memoryShape, (place) => ({
    runtimeDir: place.dir,
    interpreter: undefined,
    arguments: ['/bin/sh', '-c', memoryScript],
  }));
  const { exit } = await ran(sandbox);
  return { memoryIsLimited: exit.kind === 'outOfMemory', memoryMs: performance.now() - start };
}

/** What a probe said until its main process ended, or was ended for taking too long. */
async function ran(sandbox: ProcessSandbox) {
  let output = '';
  sandbox.output.setEncoding('utf8').on('data', (part: string) => {
    output = (output + part).slice(-2 * keptOutput);
  });
  const timeout = setTimeout(() => sandbox.kill(), giveUpAfterMs);
  const exit = await sandbox.exit;
  clearTimeout(timeout);
  // What was written before the end is in the pipe already. Where children survive the main process, it stays open.
  if (!sandbox.output.readableEnded) await Promise.race([once(sandbox.output, 'end'), sleep(20)]);
  return { output, exit };
}
