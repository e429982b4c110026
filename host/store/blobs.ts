// Content-addressed files: code/blobs/<first two hex digits>/<sha256>. A blob appears under its name only once it is whole
// and on disk; being renamed into place again renews its age, so a sweep never takes what was just stored.

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { hasErrorCode } from '../../runtime/error-code.ts';
import { ifPresent, syncDirectory } from './files.ts';
import { type Blobs, StoreError } from './store.ts';

const incomingPrefix = '.incoming-';
const sha256Pattern = /^[0-9a-f]{64}$/;
/** Bytes hashed between two turns of the event loop. */
const chunkBytes = 256 * 1024;

interface BlobOptions {
  readonly folder: string;
  /** Epoch milliseconds; a blob's age counts from it. */
  readonly now: () => number;
}

/** Opens the folder, which is created if missing and is this process's alone, and removes what a crash left half-written. */
export async function openBlobs(options: BlobOptions): Promise<FileBlobs> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(options.folder)) {
    if (name.startsWith(incomingPrefix)) await rm(join(options.folder, name));
  }
  return new FileBlobs(options);
}

export class FileBlobs implements Blobs, AsyncDisposable {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ folder, now }: BlobOptions) {
    this.#folder = folder;
    this.#now = now;
  }

  put(source: Uint8Array | Readable): Promise<{ sha256: string; sizeBytes: number }> {
    return this.#tracked(async () => {
      const temporary = join(this.#folder, incomingPrefix + randomUUID());
      // Before anything is awaited: from here on an error of the source has a listener.
      const chunks = chunksOf(source, this.#closing.signal);
      try {
        const written = await this.#write(temporary, chunks);
        await this.#publish(temporary, written.sha256);
        return written;
      } catch (error) {
        if (!(source instanceof Uint8Array)) source.destroy();
        await rm(temporary, { force: true });
        throw isDiskFull(error) ? full(error) : error;
      }
    });
  }

  async open(sha256: string): Promise<{ stream: Readable; sizeBytes: number } | undefined> {
    this.#assertOpen();
    const file = await ifPresent(openBlob(this.#pathOf(sha256)));
    if (file === undefined) return undefined;
    const { size } = await file.stat();
    return { stream: file.createReadStream(), sizeBytes: size };
  }

  async path(sha256: string): Promise<string | undefined> {
    this.#assertOpen();
    const path = this.#pathOf(sha256);
    if (path === undefined) return undefined;
    const found = await ifPresent(stat(path));
    return found === undefined ? undefined : path;
  }

  sweep(keep: ReadonlySet<string>, graceMs: number): Promise<readonly string[]> {
    return this.#tracked(async () => {
      const removed: string[] = [];
      for (const group of await readdir(this.#folder)) {
        if (!/^[0-9a-f]{2}$/.test(group)) continue;
        for (const name of await readdir(join(this.#folder, group))) {
          if (keep.has(name) || !sha256Pattern.test(name)) continue;
          if (await this.#removeIfOlder(join(this.#folder, group, name), graceMs)) {
            removed.push(name);
          }
        }
      }
      return removed;
    });
  }

  /** Ends what is being stored, whose callers get an error, and waits until its files are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
  }

  async #write(temporary: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const file = await open(temporary, 'wx', 0o400);
    try {
      for await (const chunk of chunks) {
        this.#assertOpen();
        hash.update(chunk);
        await file.appendFile(chunk);
        sizeBytes += chunk.byteLength;
      }
      const seconds = this.#now() / 1_000;
      await file.utimes(seconds, seconds);
      await file.sync();
    } finally {
      await file.close();
    }
    return { sha256: hash.digest('hex'), sizeBytes };
  }

  /** Renames over an older copy of the same content: that renews its age and mends it if the disk had damaged it. */
  async #publish(temporary: string, sha256: string): Promise<void> {
    const group = join(this.#folder, sha256.slice(0, 2));
    const created = await mkdir(group, { recursive: true, mode: 0o700 });
    if (created !== undefined) await syncDirectory(this.#folder);
    await this.#inTurn(() => rename(temporary, join(group, sha256)));
    await syncDirectory(group);
  }

  #removeIfOlder(path: string, graceMs: number): Promise<boolean> {
    return this.#inTurn(async () => {
      const found = await ifPresent(stat(path));
      if (found === undefined || this.#now() - found.mtimeMs < graceMs) return false;
      await rm(path);
      return true;
    });
  }

  /** One at a time, so that no blob is renewed between a sweep's look at its age and its removal. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined); // whoever asked gets the failure; the next in line need not
    return done;
  }

  #tracked<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw closed();
  }

  /** Undefined for anything that is not a digest, so that no name leads out of the folder. */
  #pathOf(sha256: string): string | undefined {
    if (!sha256Pattern.test(sha256)) return undefined;
    return join(this.#folder, sha256.slice(0, 2), sha256);
  }
}

function closed(): StoreError {
  return new StoreError('closed', 'The store is closed');
}

function full(cause: unknown): StoreError {
  return new StoreError('full', 'The store did nothing: the disk or its quota is full', { cause });
}

function isDiskFull(error: unknown): boolean {
  return hasErrorCode(error, 'ENOSPC', 'EDQUOT');
}

async function openBlob(path: string | undefined) {
  return path === undefined ? undefined : await open(path, 'r');
}

function chunksOf(source: Uint8Array | Readable, closing: AbortSignal) {
  return source instanceof Uint8Array ? slicesOf(source) : bytesOf(addAbortSignal(closing, source));
}

function* slicesOf(source: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < source.byteLength; at += chunkBytes) {
    yield source.subarray(at, at + chunkBytes);
  }
}

async function* bytesOf(source: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    if (typeof chunk === 'string') yield Buffer.from(chunk);
    else if (chunk instanceof Uint8Array) yield chunk;
    else throw new TypeError('A blob is made of bytes');
  }
}
