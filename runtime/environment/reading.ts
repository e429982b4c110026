// When what a sandbox says is read: not while it prints more than the host should take, but always when a decision hangs on it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { HeldMessages } from './held-messages.ts';

/** After the process has ended, its last frames are still in the socket; they are read for at most this long. */
const LAST_FRAMES_MS = 100;

export class Reading {
  readonly #sandbox: Sandbox;
  readonly #messages: HeldMessages;
  #wantsPause = false;
  #isPaused = false;
  /** How many wait for all that there is to be read. */
  #readers = 0;

  constructor(sandbox: Sandbox, messages: HeldMessages) {
    this.#sandbox = sandbox;
    this.#messages = messages;
  }

  /** Asks for a pause, or for its end. */
  pause(wantsPause: boolean): void {
    this.#wantsPause = wantsPause;
    this.#readOrPause();
  }

  /** Resolves when all is delivered that the process had written before the call: after one whole poll phase. */
  async everything(): Promise<void> {
    this.#readers += 1;
    this.#readOrPause();
    await nextTurn();
    await nextTurn();
    this.#readers -= 1;
    this.#readOrPause();
    this.#messages.flush();
  }

  /** The same once the process has ended: what is left is bounded by the sockets' buffers, so nothing is held back any more. */
  async lastWords(): Promise<void> {
    this.#readers += 1;
    this.#readOrPause();
    await lastBytes(this.#sandbox);
    await this.everything();
  }

  #readOrPause(): void {
    const isPaused = this.#wantsPause && this.#readers === 0;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    const { control, output } = this.#sandbox;
    for (const stream of [control, output]) {
      if (isPaused) stream.pause();
      else stream.resume();
    }
  }
}

/** Resolves when all that an ended process has written is read: its end may be known before that. Whatever is paused stays so. */
export async function lastBytes({ control, output }: Pick<Sandbox, 'control' | 'output'>) {
  await settledWithin(Promise.all([closed(control), closed(output)]), LAST_FRAMES_MS);
}

function closed(stream: { closed: boolean; once(e: 'close', f: () => void): unknown }) {
  return new Promise<void>((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
}

/** Resolves when the promise does or the time is over, whichever is first; leaves no timer behind. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  const time = Promise.withResolvers<void>();
  const timer = setTimeout(time.resolve, ms);
  try {
    await Promise.race([promise, time.promise]);
  } finally {
    clearTimeout(timer);
  }
}
