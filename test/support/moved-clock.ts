// A clock whose monotonic side a test can move forward. Epoch time stays the machine's: requests are signed with it.
import { type Clock, systemClock } from '../../runtime/clock.ts';

export interface MovedClock extends Clock {
  /** Whatever measures how long something lasts sees that much more from now on. */
  advance(ms: number): void;
}

export function createMovedClock(): MovedClock {
  let ahead = 0;
  return {
    monotonicMs: () => systemClock.monotonicMs() + ahead,
    epochMs: () => systemClock.epochMs(),
    advance(ms) {
      ahead += ms;
    },
  };
}
