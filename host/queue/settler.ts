// Brings what has become of claimed items to the store: many at a time, one unit of work after the other, and again for as long as the
// store has no room.
import { type Due, type Settlement, StoreError } from '../store/store.ts';
import type { Timers } from './timers.ts';

/** Settlements of one unit of work. */
const BATCH = 256;

/** A store that is full or busy is tried again after that. */
const AGAIN_MS = 500;

export interface SettlerOptions {
  readonly due: Pick<Due, 'settle'>;
  readonly timers: Timers;
  readonly onProblem: (text: string, cause?: unknown) => void;
}

interface Pending {
  readonly settlement: Settlement;
  readonly done: (isStored: boolean) => void;
}

export class Settler {
  readonly #options: SettlerOptions;
  #pending: Pending[] = [];
  #isAtWork = false;
  #isStuck = false;
  /** Said once for each time that the store has no room. */
  #hasComplained = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** There is no room for what has ended already: what begins now would only add to it, and run again if the host is killed. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /**
   * Resolves when it is on disk, with false when it never will be: the claim has been lost, or the store cannot do it. The item is
   * then as if nothing had happened to it, from the next start at the latest.
   */
  settle(settlement: Settlement): Promise<boolean> {
    return new Promise((done) => {
      this.#pending.push({ settlement, done });
      if (!this.#isAtWork) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    while (this.#pending.length > 0) {
      const left = await this.#store(this.#pending.splice(0, BATCH));
      this.#isStuck = left.length > 0;
      if (!this.#isStuck) continue;
      await this.#pause();
      this.#pending.push(...left);
    }
    this.#isAtWork = false;
  }

  /** Returns those for which the store has no room now. */
  async #store(batch: readonly Pending[]): Promise<readonly Pending[]> {
    try {
      const stored = await this.#options.due.settle(batch.map(({ settlement }) => settlement));
      this.#hasComplained = false;
      batch.forEach(({ done }, at) => done(stored[at] ?? false));
      return [];
    } catch (error) {
      if (batch.length > 1) return await this.#storeOneByOne(batch);
      if (isPassing(error)) {
        this.#complain(error);
        return batch;
      }
      if (!isEnd(error))
        this.#options.onProblem('what became of an event could not be stored', error);
      for (const { done } of batch) done(false);
      return [];
    }
  }

  /**
   * What does not fit together may fit alone, and one that cannot be stored does not keep the others. Those that are done come first:
   * they make room, where what waits again takes some.
   */
  async #storeOneByOne(batch: readonly Pending[]): Promise<readonly Pending[]> {
    const left: Pending[] = [];
    const [done, again] = [batch.filter(isDone), batch.filter((each) => !isDone(each))];
    for (const each of [...done, ...again]) left.push(...(await this.#store([each])));
    return left;
  }

  #complain(error: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#options.onProblem('what became of events cannot be stored for now', error);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.timers.after(AGAIN_MS, resolve));
  }
}

function isDone({ settlement: { again, followedBy } }: Pending): boolean {
  return again === undefined && followedBy.length === 0;
}

/** Nothing has been stored, and later it may be. */
function isPassing(error: unknown): boolean {
  return error instanceof StoreError && (error.reason === 'full' || error.reason === 'busy');
}

/** The host ends anyway. */
function isEnd(error: unknown): boolean {
  return error instanceof StoreError && (error.reason === 'closed' || error.reason === 'lost');
}
