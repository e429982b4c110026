// Stops all processes of an environment while it has nothing to do, as the service does: no timer fires, no CPU is used. For
// runtimes that do not block in a read between events, or not with all of their threads and processes.
import type { Sandbox } from './sandbox/sandbox.ts';

/** One that gets its next event sooner is not stopped: stopping and waking it would cost more than what it may do meanwhile. */
const FREEZE_AFTER_MS = 50;

export class IdleFreeze implements Disposable {
  readonly #sandbox: Pick<Sandbox, 'freeze' | 'thaw'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(sandbox: Pick<Sandbox, 'freeze' | 'thaw'>) {
    this.#sandbox = sandbox;
  }

  /** It waits for its next event. */
  idle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#sandbox.freeze(), FREEZE_AFTER_MS).unref();
  }

  /** It is about to get one. */
  busy(): void {
    clearTimeout(this.#timer);
    this.#sandbox.thaw();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
