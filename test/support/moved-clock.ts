// A clock that a test can move forward; otherwise it goes with the machine's.
import { type Clock, systemClock } from '../../runtime/clock.ts';

export interface MovedClock extends Clock {
  /** Everything that reads this clock is that much later from now on. */
  advance(ms: number): void;
}

export function createMovedClock(): MovedClock {
  let ahead = 0;
  return {
    monotonicMs: () => systemClock.monotonicMs() + ahead,
    epochMs: () => systemClock.epochMs() + ahead,
    advance(ms) {
      ahead += ms;
    },
  };
}
