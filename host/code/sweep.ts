// Removes code that nothing refers to any more: of deleted functions and layers, of superseded versions, of dry runs and refusals.
import type { Blobs } from '../store/store.ts';
import type { CodePackages } from './packages.ts';

/** A package that was stored less than this ago may belong to a call that is still running. */
const GRACE_MS = 10 * 60 * 1000;

/** So a package leaves the disk at the latest this long after its grace. */
const SWEEP_EVERY_MS = 10 * 60 * 1000;

export interface CodeSweepOptions {
  /** Digests of all packages that records refer to. */
  readonly referencedCode: () => ReadonlySet<string>;
  readonly packages: CodePackages;
  readonly blobs: Blobs;
  readonly report: (text: string, cause: unknown) => void;
}

export class CodeSweep implements AsyncDisposable {
  readonly #options: CodeSweepOptions;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CodeSweepOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.#sweep());
    }, SWEEP_EVERY_MS);
    this.#timer.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const { referencedCode, packages, blobs, report } = this.#options;
    try {
      const removed = await blobs.sweep(referencedCode(), GRACE_MS);
      // Trees follow their blobs: one that is still in its grace has its blob still.
      if (removed.length > 0) await packages.sweep(referencedCode());
    } catch (error) {
      report('code that nothing refers to could not be removed', error);
    }
  }
}
