// The worker threads of code intake. Unpacking and tree work have threads of their own, so that no upload, however slow or
// hostile, delays the clones that cold starts wait for. An idle host has none of these threads.
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { CloneTask, MergeTask } from './tree-worker.ts';
import type { TreeSize } from './tree-writer.ts';
import type { UnpackResult, UnpackTask } from './unpack-worker.ts';

export interface CodeWorkerOptions {
  /** Packages unpacked at the same time. */
  readonly unpackThreads: number;
  /** After it a package that is still being unpacked is given up and its thread ended. */
  readonly unpackTimeLimitMs: number;
  /** How long a thread with nothing to do stays. */
  readonly idleTimeoutMs: number;
}

/** The time limit has passed. The thread is on its way out and may still write for a moment. */
export class UnpackTimeout extends Error {
  override readonly name = 'UnpackTimeout';
}

const unpackWorker = fileURLToPath(new URL('unpack-worker.ts', import.meta.url));
const treeWorker = fileURLToPath(new URL('tree-worker.ts', import.meta.url));
/** For a hostile archive's directory of entries; what is unpacked streams through. Beyond it the thread dies alone. */
const unpackHeapMib = 256;

export class CodeWorkers implements AsyncDisposable {
  readonly #unpackers: Piscina;
  /** One thread may remove while the other clones. */
  readonly #hands: Piscina;
  readonly #timeLimitMs: number;
  readonly #unpackThreads: number;
  readonly #waiting: (() => void)[] = [];
  #unpacking = 0;
  #closed = false;
  #removal: Promise<void> = Promise.resolve();

  /** `onFault` hears of threads that die while they have nothing to do. */
  constructor(options: CodeWorkerOptions, onFault: (error: unknown) => void) {
    const common = {
      minThreads: 0,
      idleTimeout: options.idleTimeoutMs,
      atomics: 'disabled',
      env: threadEnvironment(),
    } as const;
    this.#unpackThreads = options.unpackThreads;
    this.#timeLimitMs = options.unpackTimeLimitMs;
    this.#unpackers = new Piscina({
      ...common,
      filename: unpackWorker,
      maxThreads: options.unpackThreads,
      resourceLimits: { maxOldGenerationSizeMb: unpackHeapMib },
    });
    this.#hands = new Piscina({ ...common, filename: treeWorker, maxThreads: 2 });
    // Piscina also complains of answers that were on their way when the threads were ended.
    const report = (error: unknown): void => {
      if (!this.#closed) onFault(error);
    };
    this.#unpackers.on('error', report);
    this.#hands.on('error', report);
  }

  /** Threads alive now. */
  get threads(): number {
    return this.#unpackers.threads.length + this.#hands.threads.length;
  }

  /** Lower-case hex SHA-256 of a file. */
  digest(path: string): Promise<string> {
    return this.#inTurn('digest', path);
  }

  /** Throws {@link UnpackTimeout}. The limit counts from the moment a thread is free, not from the call. */
  unpack(task: UnpackTask): Promise<UnpackResult> {
    return this.#inTurn('unpack', task);
  }

  async clone(task: CloneTask): Promise<void> {
    await this.#onHands('clone', task);
  }

  /** Uses up the parts; what is left of them is the caller's to remove. */
  merge(task: MergeTask): Promise<TreeSize> {
    return this.#onHands('merge', task);
  }

  /** One removal at a time, so that clones find a thread. */
  remove(paths: readonly string[]): Promise<void> {
    const done = this.#removal.then(async () => {
      await this.#onHands('remove', paths);
    });
    this.#removal = done.catch(() => undefined); // the caller has the error; the next removal need not
    return done;
  }

  /** Ends the threads in the midst of their work; whoever waits for it gets an error. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#unpackers.destroy(), this.#hands.destroy()]);
  }

  async #inTurn(name: 'digest' | 'unpack', task: unknown) {
    await this.#takeTurn();
    const signal = AbortSignal.timeout(this.#timeLimitMs);
    try {
      assertOpen(this.#closed);
      return await this.#unpackers.run(task, { name, signal });
    } catch (cause) {
      if (!signal.aborted) throw cause;
      throw new UnpackTimeout(`not unpacked within ${this.#timeLimitMs} ms`, { cause });
    } finally {
      this.#endTurn();
    }
  }

  async #onHands(name: 'clone' | 'merge' | 'remove', task: unknown) {
    assertOpen(this.#closed);
    return await this.#hands.run(task, { name });
  }

  async #takeTurn(): Promise<void> {
    if (this.#unpacking < this.#unpackThreads) {
      this.#unpacking += 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  /** The turn goes to the longest waiting, if any. */
  #endTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#unpacking -= 1;
    else next();
  }
}

function assertOpen(closed: boolean): void {
  if (closed) throw new Error('code intake has been closed');
}

/** Threads share what the process keeps compiled: a thread that strips types itself loads 10 MiB of WebAssembly for it. */
function threadEnvironment(): Readonly<Record<string, string>> {
  const directory = getCompileCacheDir();
  // Node keeps it below the directory that it was told, under a name made of its version.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}
