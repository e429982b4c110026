// A host as a process of its own, started as people start it: for tests that kill it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from './test-host.ts';

const root = path.join(import.meta.dirname, '../..');

export interface HostProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

function spawnHost(dataDir: string): ChildProcess {
  const args = [
    'bin/node24',
    'host/main.ts',
    'start',
    '--data',
    dataDir,
    '--listen',
    '127.0.0.1:0',
  ];
  return spawn('sh', args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      LAMBKIN_ACCESS_KEY_ID: ACCESS_KEY_ID,
      LAMBKIN_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
    },
  });
}

/** Resolves with the first line that says where the host is. Rejects when it ends before. */
export async function startHostProcess(dataDir: string): Promise<HostProcess> {
  const child = spawnHost(dataDir);
  const ended = once(child, 'exit');
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null || child.pid === undefined)
    throw new Error('the host could not be spawned');
  stderr.resume();
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const found = /^lambkin is ready at (\S+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    ended.then(() => reject(new Error('the host ended before it was ready')), reject);
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { url, pid: child.pid, kill, [Symbol.asyncDispose]: kill };
}

/** Runs a host that is expected to end by itself. */
export async function runHostProcess(dataDir: string) {
  const child = spawnHost(dataDir);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the host could not be spawned');
  const ended = once(child, 'exit');
  const [out, err] = await Promise.all([text(stdout), text(stderr)]);
  await ended;
  return { exitCode: child.exitCode, stdout: out, stderr: err };
}
