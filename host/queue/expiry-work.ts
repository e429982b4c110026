// The end of a dead letter: when its time is over it is removed.
import type { ClaimedItem } from '../store/store.ts';
import type { QueueCounters } from './counters.ts';
import type { LaneWork, Verdict } from './lane-engine.ts';
import { DEAD_LETTER_KIND } from './outcomes/outcome.ts';

export class ExpiryWork implements LaneWork {
  readonly kind = DEAD_LETTER_KIND;
  readonly #counters: QueueCounters;

  constructor(counters: QueueCounters) {
    this.#counters = counters;
  }

  begin({ lane }: ClaimedItem): Promise<Verdict> {
    this.#counters.count(lane, 'deadLettersExpired');
    return Promise.resolve({ again: undefined, followedBy: [] });
  }

  afterFault(_item: ClaimedItem, error: unknown): Verdict {
    throw error;
  }
}
