// Calls that wait for an environment of their group: who comes first, who has waited too long, how many there are in all.

import type { Call } from '../invocation.ts';
import type { Group } from './group.ts';

/** There is no room: the queue of this function is full, its calls have waited too long, or the host ends. Nothing ran. */
export class CapacityError extends Error {
  override readonly name = 'CapacityError';
}

/** Counts them for all groups; they stand in the groups themselves. */
export class WaitingCalls {
  readonly #mostEach: number;
  #count = 0;

  /** `mostEach`: calls of one group that may wait. */
  constructor(mostEach: number) {
    this.#mostEach = mostEach;
  }

  get count(): number {
    return this.#count;
  }

  /** Behind all others of its group. Fails it and returns false when there are too many. */
  add({ waiting }: Group, call: Call): boolean {
    if (waiting.length >= this.#mostEach) {
      call.fail(new CapacityError(`${waiting.length} calls wait for this function already`));
      return false;
    }
    waiting.push(call);
    this.#count += 1;
    return true;
  }

  /** They have waited longest: before all others, however many there are. */
  addFirst({ waiting }: Group, calls: readonly Call[]): void {
    waiting.unshift(...calls);
    this.#count += calls.length;
  }

  take({ waiting }: Group): Call | undefined {
    const call = waiting.shift();
    if (call !== undefined) this.#count -= 1;
    return call;
  }

  /** Those that were admitted before that time, or all; the reason is what they are told. */
  refuse(group: Group, reason: string, admittedBeforeMs = Number.POSITIVE_INFINITY): void {
    for (;;) {
      const oldest = group.waiting[0];
      if (oldest === undefined || oldest.admittedAtMs > admittedBeforeMs) return;
      this.take(group)?.fail(new CapacityError(reason));
    }
  }
}
