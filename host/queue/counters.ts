// What the queue has done since the host started, for metrics and for operators: of all functions together and of each.

export interface QueueCounts {
  /** Calls answered 202, and outcomes handed to a function. */
  accepted: number;
  /** Calls that could not be stored, and were told so. */
  notAccepted: number;
  /** Events that a function has run without an error. */
  succeeded: number;
  /** Attempts that ended in an error of the function. */
  functionErrors: number;
  /** Attempts that did not get to the function: throttled, or prevented by a fault of the host. */
  refused: number;
  /** Events that wait for another attempt after one that failed, each time. */
  retried: number;
  /** Events given up. */
  dropped: number;
  delivered: number;
  /** Attempts to deliver that are repeated. */
  deliveryRetries: number;
  /** Records that a destination never got. */
  destinationDeliveryFailures: number;
  /** Events that a dead-letter queue never got. */
  deadLetterErrors: number;
  /** Dead letters whose time was over. */
  deadLettersExpired: number;
  /** From the call to the begin of an attempt, in milliseconds: of all attempts that began. */
  ageSumMs: number;
  ageCount: number;
  ageMaxMs: number;
}

type CountName = Exclude<keyof QueueCounts, 'ageSumMs' | 'ageCount' | 'ageMaxMs'>;

export class QueueCounters {
  readonly total: QueueCounts = noCounts();
  readonly #byFunction = new Map<string, QueueCounts>();

  /** By function key. */
  get byFunction(): ReadonlyMap<string, Readonly<QueueCounts>> {
    return this.#byFunction;
  }

  count(functionKey: string, name: CountName): void {
    this.total[name] += 1;
    this.#of(functionKey)[name] += 1;
  }

  /** An attempt begins so long after the call. */
  countAge(functionKey: string, ageMs: number): void {
    for (const counts of [this.total, this.#of(functionKey)]) {
      counts.ageSumMs += ageMs;
      counts.ageCount += 1;
      counts.ageMaxMs = Math.max(counts.ageMaxMs, ageMs);
    }
  }

  #of(functionKey: string): QueueCounts {
    let counts = this.#byFunction.get(functionKey);
    if (counts === undefined) {
      counts = noCounts();
      this.#byFunction.set(functionKey, counts);
    }
    return counts;
  }
}

function noCounts(): QueueCounts {
  return {
    accepted: 0,
    notAccepted: 0,
    succeeded: 0,
    functionErrors: 0,
    refused: 0,
    retried: 0,
    dropped: 0,
    delivered: 0,
    deliveryRetries: 0,
    destinationDeliveryFailures: 0,
    deadLetterErrors: 0,
    deadLettersExpired: 0,
    ageSumMs: 0,
    ageCount: 0,
    ageMaxMs: 0,
  };
}
