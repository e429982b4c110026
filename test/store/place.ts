// A temporary folder with an SQLite store in it, and programs run on it as processes of their own.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { openStore, type SqliteStore, type StoreOptions } from '../../host/store/sqlite.ts';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'lambkin-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface SqlitePlace extends AsyncDisposable {
  readonly dataDir: string;
  readonly databaseFile: string;
  readonly clock: { nowMs: number };
  open(): Promise<SqliteStore>;
}

/** Where stores with these options can be opened on a clock that only the test moves. */
export async function createSqlitePlace(
  options: Omit<StoreOptions, 'dataDir' | 'now'> = {},
): Promise<SqlitePlace> {
  const folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  return {
    dataDir,
    databaseFile: join(dataDir, 'db', 'lambkin.db'),
    clock,
    open: () => openStore({ ...options, dataDir, now: () => clock.nowMs }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** A program of this folder in a process of its own, killed when disposed. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  readonly exited: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, args: readonly string[]) {
    const script = join(import.meta.dirname, file);
    this.child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.exited = once(this.child, 'exit');
    this.#lines = linesOf(this.child.stdout)[Symbol.asyncIterator]();
  }

  get pid(): number {
    assert.ok(this.child.pid !== undefined, 'the program did not start');
    return this.child.pid;
  }

  /** Its next line of output; undefined at the end. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Whole lines only: what a killed program wrote of its last one does not count. */
async function* linesOf(source: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of source.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
