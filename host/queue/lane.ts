// What is held in memory of one lane: figures, and the few items that have been claimed.
import type { ClaimedItem } from '../store/store.ts';

/** Items that are claimed ahead, at least and at most. */
const LEAST_AHEAD = 4;
const MOST_AHEAD = 64;

export class Lane {
  readonly name: string;
  /** In the store and not claimed. Below zero for the moment between the claim of an item and the news that it was accepted. */
  waiting = 0;
  /** Nothing is due before, by epoch milliseconds. */
  nextDueAtMs = Number.POSITIVE_INFINITY;
  /** Claimed and not begun. */
  readonly inHand: ClaimedItem[] = [];
  /** Begun and not settled. */
  running = 0;
  /** So many are to be held ready. */
  #ahead = LEAST_AHEAD;

  constructor(name: string) {
    this.name = name;
  }

  /** Nothing is known of it that must be kept. */
  get isEmpty(): boolean {
    return this.waiting === 0 && this.running === 0 && this.inHand.length === 0;
  }

  /** How many items to claim now. */
  wantedAt(nowMs: number): number {
    if (this.nextDueAtMs > nowMs || this.inHand.length * 2 > this.#ahead) return 0;
    return this.#ahead - this.inHand.length;
  }

  /** Something is due from then on. */
  expect(dueAtMs: number): void {
    this.nextDueAtMs = Math.min(this.nextDueAtMs, dueAtMs);
  }

  /** A lane that ran out while the store was asked will hold more; one that hardly moved, less. */
  takeIn(items: readonly ClaimedItem[]): void {
    if (this.inHand.length === 0) this.#ahead = Math.min(MOST_AHEAD, 2 * this.#ahead);
    else if (this.inHand.length * 4 > this.#ahead)
      this.#ahead = Math.max(LEAST_AHEAD, this.#ahead - LEAST_AHEAD);
    this.waiting -= items.length;
    this.inHand.push(...items);
  }

  /** The first in hand has been begun. */
  noteBegun(): void {
    this.inHand.shift();
    this.running += 1;
  }
}
