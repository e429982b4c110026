// Stops all processes of an environment while it has nothing to do, as the service does: no timer fires, no CPU is used. For
// runtimes that do not block in a read between events, or not with all of their threads and processes.
import type { Sandbox } from '../sandbox/sandbox.ts';

/**
 * One that gets its next event sooner is not stopped: stopping and waking it would cost more than what it may do meanwhile. It
 * takes up to twice as long, since a timer is not set anew for each event.
 */
const FREEZE_AFTER_MS = 50;

/** Threads that only work for the main one, which blocks. A function that gives its own such a name just runs on in them. */
const IDLE_THREADS: ReadonlySet<string> = new Set([
  'DelayedTaskSche',
  'SignalInspector',
  'V8Worker',
  'libuv-worker',
]);

export class IdleFreeze implements Disposable {
  readonly #sandbox: Pick<Sandbox, 'freeze' | 'thaw' | 'isAlone'>;
  readonly #blocksWhenIdle: boolean;
  #timer: NodeJS.Timeout | undefined;
  #isIdle = false;
  /** It has been busy since the timer was set. */
  #wasBusy = false;

  /** With `blocksWhenIdle` the program's main thread waits in a read: then it is stopped only when it is not alone. */
  constructor(sandbox: Pick<Sandbox, 'freeze' | 'thaw' | 'isAlone'>, blocksWhenIdle = false) {
    this.#sandbox = sandbox;
    this.#blocksWhenIdle = blocksWhenIdle;
  }

  /** It waits for its next event. */
  idle(): void {
    this.#isIdle = true;
    if (this.#timer === undefined) this.#look();
  }

  /** It is about to get one. */
  busy(): void {
    this.#isIdle = false;
    this.#wasBusy = true;
    this.#sandbox.thaw();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#wasBusy = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isIdle) return;
      if (this.#wasBusy) this.#look();
      else if (!(this.#blocksWhenIdle && this.#sandbox.isAlone(IDLE_THREADS)))
        this.#sandbox.freeze();
    }, FREEZE_AFTER_MS).unref();
  }
}
