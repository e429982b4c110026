// Removal in two steps: out of the way by one rename, however large the thing, then removed by a worker thread in the
// background. What a crash or a shutdown leaves in the trash is removed by the next run.
import { randomUUID } from 'node:crypto';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../../runtime/error-code.ts';
import type { CodeWorkers } from './workers.ts';

export class Trash implements AsyncDisposable {
  readonly #folder: string;
  readonly #workers: CodeWorkers;
  readonly #onFault: (error: unknown) => void;
  readonly #moving = new Set<Promise<void>>();
  #emptying: Promise<void> | undefined;
  #fuller = false;
  #closed = false;

  /** `folder` exists, on the file system of whatever is thrown away. */
  constructor(folder: string, workers: CodeWorkers, onFault: (error: unknown) => void) {
    this.#folder = folder;
    this.#workers = workers;
    this.#onFault = onFault;
  }

  /** Resolves once the path is free again. Harmless when there is nothing. */
  async take(path: string): Promise<void> {
    try {
      await rename(path, join(this.#folder, randomUUID()));
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
    this.empty();
  }

  /** As `take`, for those who do not wait. */
  toss(path: string): void {
    if (this.#closed) return;
    const moving = this.take(path)
      .catch(this.#onFault)
      .finally(() => this.#moving.delete(moving));
    this.#moving.add(moving);
  }

  /** Starts removing what is there, unless that is under way. */
  empty(): void {
    this.#fuller = true;
    if (this.#closed || this.#emptying !== undefined) return;
    this.#emptying = this.#empty()
      .catch((error: unknown) => {
        if (!this.#closed) this.#onFault(error);
      })
      .finally(() => {
        this.#emptying = undefined;
        if (this.#fuller) this.empty();
      });
  }

  /** Waits for what touches the disk from this thread; dispose of the workers first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#moving);
    await this.#emptying;
  }

  async #empty(): Promise<void> {
    this.#fuller = false;
    const names = await readdir(this.#folder);
    if (names.length > 0) await this.#workers.remove(names.map((name) => join(this.#folder, name)));
  }
}
