// Removes code that no function refers to any more, some time after the last reference went.
import type { Functions } from '../functions/functions.ts';
import type { Blobs } from '../store/store.ts';
import type { CodePackages } from './packages.ts';

/** Sweeping waits this long after a change, so that a burst of changes is one sweep. */
const DELAY_MS = 30_000;

/** A package that was stored less than this ago may belong to a call that is still running. */
const GRACE_MS = 10 * 60 * 1000;

export interface CodeSweepOptions {
  readonly functions: Functions;
  readonly packages: CodePackages;
  readonly blobs: Blobs;
  readonly report: (text: string, cause: unknown) => void;
}

export class CodeSweep implements AsyncDisposable {
  readonly #options: CodeSweepOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CodeSweepOptions) {
    this.#options = options;
    this.later();
  }

  /** Something has lost a reference. */
  later(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#sweep());
    }, DELAY_MS);
    this.#timer.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const { functions, packages, blobs, report } = this.#options;
    try {
      const removed = await blobs.sweep(functions.referencedCode(), GRACE_MS);
      // Trees follow their blobs: one that is still in its grace has its blob still.
      if (removed.length > 0) await packages.sweep(functions.referencedCode());
    } catch (error) {
      report('code that nothing refers to could not be removed', error);
    }
  }
}
