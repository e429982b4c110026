// One attempt to tell a destination of an outcome, and what follows from how it ended.
import type { ClaimedItem } from '../store/store.ts';
import type { QueueCounters } from './counters.ts';
import { deadLetterItems } from './dead-letter.ts';
import { laneOf } from './event.ts';
import {
  eventOfOutcome,
  type FunctionDestinationOptions,
  isFunctionArn,
} from './function-destination.ts';
import type { LaneWork, Verdict } from './lane-engine.ts';
import { deliveryHead } from './outcomes/delivery-items.ts';
import { DELIVERY_KIND, type Deliverer, type DeliveryResult } from './outcomes/outcome.ts';
import { backOffMs } from './retry.ts';

/** Under way to one target at a time, and to all of them together. */
const MOST_EACH = 16;
const MOST_ALL = 256;

/** A target that takes nothing for so long does not get it any more: as long as an event waits at most. */
const GIVE_UP_MS = 6 * 3_600_000;

export interface DeliveryWorkOptions extends FunctionDestinationOptions {
  readonly deliverer: Deliverer;
  readonly counters: QueueCounters;
  readonly random: () => number;
  readonly keepDeadLettersMs: number;
  /** Aborts when the host ends. */
  readonly signal: AbortSignal;
  readonly onProblem: (text: string, cause?: unknown) => void;
}

export class DeliveryWork implements LaneWork {
  readonly kind = DELIVERY_KIND;
  readonly #options: DeliveryWorkOptions;
  readonly #underWay = new Map<string, number>();
  #all = 0;

  constructor(options: DeliveryWorkOptions) {
    this.#options = options;
  }

  begin(item: ClaimedItem): Promise<Verdict> | undefined {
    if (isFunctionArn(item.lane)) return Promise.resolve(this.#toFunction(item));
    const now = this.#underWay.get(item.lane) ?? 0;
    if (now >= MOST_EACH || this.#all >= MOST_ALL) return undefined;
    this.#underWay.set(item.lane, now + 1);
    this.#all += 1;
    return this.#deliver(item);
  }

  afterFault(item: ClaimedItem, error: unknown): Verdict {
    this.#options.onProblem(`an outcome could not be delivered to ${item.lane}`, error);
    const reason = error instanceof Error ? error.message : String(error);
    return this.#notDelivered(item, { kind: 'notDelivered', isRetryable: true, reason });
  }

  /** The event is accepted in the unit of work that removes the delivery: neither can be without the other. */
  #toFunction(item: ClaimedItem): Verdict {
    const made = eventOfOutcome(item, this.#options);
    if (made.kind === 'notDelivered') return this.#notDelivered(item, made);
    this.#options.counters.count(laneOf(deliveryHead(item)), 'delivered');
    return { again: undefined, followedBy: [made.item] };
  }

  async #deliver(item: ClaimedItem): Promise<Verdict> {
    const { deliverer, signal, counters } = this.#options;
    try {
      const result = await deliverer.deliver(item, signal);
      if (result.kind === 'notDelivered') return this.#notDelivered(item, result);
      counters.count(laneOf(deliveryHead(item)), 'delivered');
      return { again: undefined, followedBy: [] };
    } finally {
      const left = (this.#underWay.get(item.lane) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(item.lane);
      else this.#underWay.set(item.lane, left);
      this.#all -= 1;
    }
  }

  #notDelivered(
    item: ClaimedItem,
    { isRetryable, reason }: Extract<DeliveryResult, { kind: 'notDelivered' }>,
  ): Verdict {
    const { epochMs, random, counters } = this.#options;
    const head = deliveryHead(item);
    const failures = head.failures + 1;
    const dueAtMs = Math.ceil(epochMs() + backOffMs(failures, random));
    if (!isRetryable || dueAtMs - item.acceptedAtMs > GIVE_UP_MS) return this.#giveUp(item, reason);
    counters.count(laneOf(head), 'deliveryRetries');
    return { again: { dueAtMs, head: { ...head, failures } }, followedBy: [] };
  }

  #giveUp(item: ClaimedItem, reason: string): Verdict {
    const { counters, epochMs, keepDeadLettersMs, newId, onProblem } = this.#options;
    const head = deliveryHead(item);
    const isQueue = head.reason === 'deadLetterQueue';
    counters.count(laneOf(head), isQueue ? 'deadLetterErrors' : 'destinationDeliveryFailures');
    onProblem(
      `${head.target} did not get the outcome of ${head.functionName} (request ${head.requestId}): ${reason}`,
    );
    const { condition } = head;
    const diedAtMs = epochMs();
    return {
      again: undefined,
      followedBy: deadLetterItems(
        { what: 'delivery', original: head, condition, reason, diedAtMs },
        item.payload,
        { keepMs: keepDeadLettersMs, newId },
      ),
    };
  }
}
