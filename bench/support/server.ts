// A server process under measurement, from its spawn over the line that says it is ready to its end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from '../../test/support/test-host.ts';

export const ROOT = path.join(import.meta.dirname, '../..');

/** A host gives what runs 30 s; whoever needs longer is killed. */
const END_LIMIT_MS = 40_000;
const START_LIMIT_MS = 30_000;
const KEPT_OUTPUT = 4_000;

export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** From just before spawn to the ready line. */
  readonly readyMs: number;
}

export interface HostServerOptions {
  readonly dataDir: string;
  readonly signal: AbortSignal;
  /** The checkout whose host is started; this one by default. */
  readonly root?: string | undefined;
  /** Write CPU profiles here when the host ends. */
  readonly profileDir?: string | undefined;
}

/** Our host as `npm start` runs it, on a free port, with the key pair of the test helpers. */
export async function startHostServer(options: HostServerOptions): Promise<Server> {
  const { dataDir, profileDir, signal, root = ROOT } = options;
  const profiling =
    profileDir === undefined
      ? {}
      : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir="${path.resolve(profileDir)}"` };
  const launcher = path.join(root, 'bin/lambkin');
  return await startServer({
    command: ['sh', launcher, 'start', '--listen', '127.0.0.1:0', '--data', dataDir],
    env: {
      LAMBKIN_ACCESS_KEY_ID: ACCESS_KEY_ID,
      LAMBKIN_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      ...profiling,
    },
    signal,
  });
}

/** The raw echo that hosts are compared with. */
export async function startBaselineServer(signal: AbortSignal): Promise<Server> {
  const program = path.join(import.meta.dirname, '../baseline/echo.ts');
  return await startServer({ command: [process.execPath, program], env: {}, signal });
}

/** Answers every GET with what the file holds as JSON. */
export async function startJsonServer(file: string, signal: AbortSignal): Promise<Server> {
  const program = path.join(import.meta.dirname, '../baseline/json.ts');
  return await startServer({ command: [process.execPath, program, file], env: {}, signal });
}

interface StartOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function startServer({ command, env, signal }: StartOptions): Promise<Server> {
  signal.throwIfAborted();
  const [program, ...args] = command;
  const spawnedAt = performance.now();
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    // Ctrl-C in a terminal goes to every process of its group: this one is ended by us, once.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = new ServerProcess(child);
  try {
    const url = await running.ready(signal);
    const { pid = 0 } = child;
    const readyMs = performance.now() - spawnedAt;
    return { pid, url, readyMs, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}

class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #url = Promise.withResolvers<string>();
  #output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'close');
    // Whoever waits for readiness sees the failure; after that nobody does.
    this.#url.promise.catch(() => {});
    const onEnd = () => this.#url.reject(new Error(`a server ended: ${this.#output}`));
    this.#exit.then(onEnd, (error: unknown) => this.#url.reject(error));
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  async ready(signal: AbortSignal): Promise<string> {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_MS)]);
    const stopped = Promise.withResolvers<never>();
    const onStop = () => stopped.reject(stop.reason);
    stop.addEventListener('abort', onStop, { once: true });
    try {
      return await Promise.race([this.#url.promise, stopped.promise]);
    } finally {
      stop.removeEventListener('abort', onStop);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = new AbortController();
    const late = sleep(END_LIMIT_MS, true, { signal: timer.signal }).catch(() => false);
    const isLate = await Promise.race([this.#exit.then(() => false), late]);
    timer.abort();
    if (!isLate) return;
    process.kill(-pid, 'SIGKILL');
    await this.#exit;
  }

  #read(text: string): void {
    this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
    const url = /ready at (http:\S+)/.exec(this.#output)?.[1];
    if (url !== undefined) this.#url.resolve(url);
  }
}
