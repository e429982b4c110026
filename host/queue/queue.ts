// Asynchronous invocation: takes events in, runs what waits, and tells destinations. All that must last is in the store; a host that is
// killed goes on where its store stands.
import type { PolicySource } from '../auth/authorize.ts';
import type { Dispatcher, InvokeTarget } from '../dispatch/dispatcher.ts';
import type { Functions } from '../functions/functions.ts';
import { ServiceError } from '../service-error.ts';
import type { Due, DueItem } from '../store/store.ts';
import { QueueCounters } from './counters.ts';
import { DeliveryWork } from './delivery-work.ts';
import { createIds, drawnVersion, EVENT_KIND, eventItem } from './event.ts';
import { EventWork } from './event-work.ts';
import { ExpiryWork } from './expiry-work.ts';
import { LaneEngine, type LaneWork } from './lane-engine.ts';
import type { Deliverer } from './outcomes/outcome.ts';
import { Settler } from './settler.ts';
import type { Timers } from './timers.ts';

export interface QueueOptions {
  readonly due: Due;
  readonly dispatcher: Pick<Dispatcher, 'resolve' | 'hasRoom' | 'invokeQueued'>;
  readonly functions: Pick<Functions, 'held'>;
  readonly policies: PolicySource;
  readonly deliverer: Deliverer;
  /** `async.retryBaseSeconds` in milliseconds. */
  readonly retryBaseMs: number;
  /** `async.deadLetterSeconds` in milliseconds. */
  readonly keepDeadLettersMs: number;
  readonly functionError: 'modern' | 'classic';
  readonly epochMs: () => number;
  readonly timers: Timers;
  readonly random: () => number;
  readonly newUuid: () => string;
  readonly onProblem: (text: string, cause?: unknown) => void;
}

/** One call whose event is to be accepted; everything about it has been checked. */
export interface EventCall {
  readonly requestId: string;
  /** As the caller sent it, or a new root. */
  readonly traceHeader: string;
  readonly tenantId: string;
  readonly payload: Uint8Array;
}

export class AsyncQueue implements AsyncDisposable {
  readonly counters = new QueueCounters();
  readonly #options: QueueOptions;
  readonly #newId: () => string;
  readonly #engines: ReadonlyMap<string, LaneEngine>;
  readonly #ending = new AbortController();
  /** Said once for each time that the store takes nothing. */
  #hasComplained = false;

  private constructor(options: QueueOptions) {
    this.#options = options;
    this.#newId = createIds(options.epochMs, options.newUuid);
    const settler = new Settler(options);
    const engines = this.#works().map((work) => this.#engine(work, settler));
    this.#engines = new Map(engines.map((engine) => [engine.kind, engine]));
  }

  /** Reads what waits. Events can be accepted; none is run before {@link run}. */
  static async open(options: QueueOptions): Promise<AsyncQueue> {
    const queue = new AsyncQueue(options);
    for (const engine of queue.#engines.values()) await engine.open();
    return queue;
  }

  /** Runs what waits and what is accepted, from now on. */
  run(): void {
    for (const engine of this.#engines.values()) engine.run();
  }

  /** Resolves when the event is on disk. Throws ServiceException when it cannot be: the caller will try again. */
  async accept(target: InvokeTarget, call: EventCall): Promise<void> {
    const { due, epochMs } = this.#options;
    const { requestId, traceHeader, tenantId, payload } = call;
    const { scope, record, qualifier } = target;
    const head = {
      account: scope.account,
      region: scope.region,
      functionName: record.name,
      requestId,
      qualifier,
      version: drawnVersion(target),
      traceHeader,
      tenantId,
    };
    const item = eventItem(head, payload, this.#newId, epochMs());
    try {
      await due.accept([item]);
    } catch (error) {
      throw this.#notAccepted(item, error);
    }
    this.#hasComplained = false;
    this.counters.count(item.lane, 'accepted');
    this.noteStored([item]);
  }

  /** Items that somebody has stored: they are run when they are due. */
  noteStored(items: readonly DueItem[]): void {
    for (const item of items) this.#engines.get(item.kind)?.noteStored(item);
  }

  /** Unclaimed items of a lane that somebody has removed. */
  noteRemoved(kind: string, lane: string, count: number): void {
    this.#engines.get(kind)?.noteRemoved(lane, count);
  }

  /** Removes for good what is in hand of a lane and has not begun; how many it were. */
  async removeInHand(kind: string, lane: string): Promise<number> {
    return (await this.#engines.get(kind)?.removeInHand(lane)) ?? 0;
  }

  /** What is made with ids that are greater than all before them, and as of now: in place of another item for one. */
  renew<T>(make: (newId: () => string, nowMs: number) => T): T {
    return make(this.#newId, this.#options.epochMs());
  }

  /** Events that run, deliveries under way. */
  get running(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#engines].map(([kind, { running }]) => [kind, running]));
  }

  /**
   * Begins nothing more. What runs may end within so many milliseconds; whatever has not ended then, and what has not begun, is run
   * by the next start.
   */
  async drain(graceMs: number): Promise<void> {
    const cancel = this.#options.timers.after(graceMs, () => this.#ending.abort());
    const { signal } = this.#ending;
    await Promise.all([...this.#engines.values()].map((engine) => engine.stop(signal)));
    cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.drain(0);
  }

  #works(): readonly LaneWork[] {
    const { counters } = this;
    const shared = { ...this.#options, counters, newId: this.#newId };
    return [
      new EventWork(shared),
      new DeliveryWork({
        ...shared,
        newRequestId: this.#options.newUuid,
        signal: this.#ending.signal,
      }),
      new ExpiryWork(counters),
    ];
  }

  #engine(work: LaneWork, settler: Settler): LaneEngine {
    const { due, epochMs, timers, onProblem } = this.#options;
    return new LaneEngine({
      due,
      settler,
      work,
      epochMs,
      timers,
      onFollowed: (items) => this.#noteFollowed(items),
      onProblem,
    });
  }

  #noteFollowed(items: readonly DueItem[]): void {
    for (const item of items)
      if (item.kind === EVENT_KIND) this.counters.count(item.lane, 'accepted');
    this.noteStored(items);
  }

  #notAccepted(item: DueItem, error: unknown): ServiceError {
    this.counters.count(item.lane, 'notAccepted');
    if (!this.#hasComplained) this.#options.onProblem('events cannot be accepted', error);
    this.#hasComplained = true;
    return new ServiceError('ServiceException', 'The event could not be stored. Try again later.', {
      cause: error,
    });
  }
}
