// The main thread's end of the database worker: collects calls into batches, pairs answers with them, owns the thread.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  DatabaseOptions,
  FromWorker,
  Migrated,
  Output,
  PackedAnswers,
  Refusal,
  ToWorker,
  UnitName,
  Units,
} from './database-messages.ts';
import { packCalls, type UnsentCall } from './packing.ts';
import { DataDirectoryRefused, RevisionConflict, StoreError } from './store.ts';

interface Pending {
  readonly resolve: (output: Output) => void;
  readonly reject: (error: Error) => void;
}

const noPayloads: readonly Uint8Array[] = [];

/**
 * Starts the worker and waits until the database is open and current. Throws {@link DataDirectoryRefused} for a database that this
 * program cannot or must not use.
 */
export async function startDatabaseThread(options: DatabaseOptions): Promise<DatabaseThread> {
  // No execArgv of the host's: this thread runs .ts by Node's own type stripping and nothing else.
  const worker = new Worker(new URL('./database-worker.ts', import.meta.url), {
    name: 'lambkin-store',
    workerData: options,
    execArgv: [],
  });
  const opened = await firstMessage(worker);
  switch (opened.kind) {
    case 'opened':
      return new DatabaseThread(worker, opened.migrated);
    case 'refused':
      await worker.terminate();
      throw new DataDirectoryRefused(opened.message);
    case 'answers':
      throw new Error('The database thread answered before it was asked');
    default:
      return opened satisfies never;
  }
}

async function firstMessage(worker: Worker): Promise<FromWorker> {
  // once() rejects when the worker fails first.
  const [message]: FromWorker[] = await once(worker, 'message');
  if (message === undefined) throw new Error('The database thread sent nothing');
  return message;
}

/** An open database in its thread. Once the thread has died, every call is refused as `lost`. */
export class DatabaseThread implements AsyncDisposable {
  /** What opening did to an older database. */
  readonly migrated: Migrated | undefined;
  /** Resolves when the thread dies by itself. */
  readonly lost: Promise<StoreError>;
  readonly #worker: Worker;
  readonly #resolveLost: (error: StoreError) => void;
  readonly #exited: Promise<unknown>;
  readonly #pending = new Map<number, Pending>();
  #collected: UnsentCall[] = [];
  #lastId = 0;
  #ended: StoreError | undefined;
  #failure: unknown;
  #closing: Promise<void> | undefined;

  constructor(worker: Worker, migrated: Migrated | undefined) {
    this.#worker = worker;
    this.migrated = migrated;
    const { promise: lost, resolve: resolveLost } = Promise.withResolvers<StoreError>();
    this.lost = lost;
    this.#resolveLost = resolveLost;
    const { promise: exited, resolve: resolveExited } = Promise.withResolvers<unknown>();
    this.#exited = exited;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('messageerror', (error) => this.#lose(error));
    worker.on('error', (error) => this.#lose(error));
    worker.on('exit', (code) => {
      if (this.#closing === undefined || code !== 0) this.#lose(endedWith(code));
      resolveExited(code);
    });
  }

  /** Carries out one unit of work, for which the payloads are copied; resolves once it is on disk. */
  call<N extends UnitName>(
    unit: N,
    input: Units[N]['input'],
    payloads = noPayloads,
  ): Promise<Units[N]['output']> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    // Once per turn of the event loop, after all sockets that had something to read: each message wakes the thread, and what is
    // in one message goes to the disk together.
    if (this.#collected.length === 0) setImmediate(() => this.#flush());
    this.#collected.push({ id, unit, input, payloads });
    return new Promise<Units[N]['output']>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject }); // as: the answer with this id is N's
    });
  }

  /** Finishes the calls made so far, then closes the database. Throws when the thread fails on that way. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended === undefined) {
      this.#flush();
      this.#ended = new StoreError('closed', 'The store is closed');
      this.#post({ kind: 'close' });
      await this.#exited;
      if (this.#failure !== undefined) throw this.#failure;
    }
    await this.#exited;
  }

  #flush(): void {
    if (this.#collected.length === 0) return;
    const calls = packCalls(this.#collected);
    this.#collected = [];
    this.#post({ kind: 'calls', calls }, [calls.bytes.buffer]);
  }

  #post(message: ToWorker, transferred: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transferred);
  }

  #receive(message: FromWorker): void {
    if (message.kind !== 'answers') return;
    this.#settle(message.answers);
  }

  #settle({ ids, outputs, refusals }: PackedAnswers): void {
    ids.forEach((id, n) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      const refusal = refusals.get(id);
      if (refusal === undefined) pending?.resolve(outputs[n]);
      else pending?.reject(errorOf(refusal));
    });
  }

  #lose(cause: unknown): void {
    const lost = new StoreError('lost', 'The store has failed; start the host again', { cause });
    this.#ended ??= lost;
    this.#failure ??= lost;
    this.#resolveLost(lost);
    this.#collected = [];
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(lost);
  }
}

function endedWith(code: number): Error {
  return new Error(`The database thread ended with code ${code}`);
}

function errorOf(refusal: Refusal): Error {
  switch (refusal.name) {
    case 'RevisionConflict':
      return new RevisionConflict(refusal.kind, refusal.key);
    case 'StoreError':
      return new StoreError(refusal.reason, `The store did nothing: ${refusal.message}`);
    default:
      return refusal satisfies never;
  }
}
