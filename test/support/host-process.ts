// A host as a process of its own, started as people start it: for tests that kill it, signal it, or read what it prints.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from './test-host.ts';
import { waitFor } from './wait-for.ts';

const root = path.join(import.meta.dirname, '../..');

export interface HostProcessOptions {
  /** As on the command line, behind those that every test host has. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface HostProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Standard output and standard error up to now. */
  readonly printed: string;
  readonly isRunning: boolean;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  signal(name: NodeJS.Signals): void;
  /** Closes our ends of its standard output and standard error. */
  stopReading(): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

function spawnHost(dataDir: string, { args = [], env = {} }: HostProcessOptions = {}) {
  const start = ['bin/lambkin', 'start', '--data', dataDir];
  return spawn('sh', [...start, '--listen', '127.0.0.1:0', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      LAMBKIN_ACCESS_KEY_ID: ACCESS_KEY_ID,
      LAMBKIN_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      ...env,
    },
  });
}

/** Resolves when the host says where it is. Rejects when it ends before. */
export async function startHostProcess(
  dataDir: string,
  options?: HostProcessOptions,
): Promise<HostProcess> {
  const child = spawnHost(dataDir, options);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const ended = endOf(child);
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const place = () => /^lambkin is ready at (\S+) .*\n/m.exec(printed)?.[1];
  await waitFor('the host is ready', () => hasEnded || place() !== undefined);
  const url = place();
  if (url === undefined || child.pid === undefined)
    throw new Error(`the host ended before it was ready: ${printed}`);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url,
    pid: child.pid,
    get printed() {
      return printed;
    },
    get isRunning() {
      return !hasEnded;
    },
    ended,
    signal: (name) => child.kill(name),
    stopReading: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

async function endOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]; // as Node documents
  return code ?? signal ?? 'lost';
}

/** Runs a host that is expected to end by itself. */
export async function runHostProcess(dataDir: string, options?: HostProcessOptions) {
  const child = spawnHost(dataDir, options);
  const ended = endOf(child);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  return { exitCode: child.exitCode, stdout, stderr };
}
