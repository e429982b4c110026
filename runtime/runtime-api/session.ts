// One runtime's conversation with its environment, apart from HTTP: which event it has, what it may say now, what that means.
import type { Clock } from '../clock.ts';
import type { InvokeOutcome } from '../invocation.ts';
import type { Message } from '../slots/messages.ts';
import type { SlotEvent } from '../slots/slot.ts';
import {
  INVALID_INVOCATION_ID,
  INVALID_REQUEST_ID,
  invalidTransition,
  type Reply,
} from './replies.ts';
import { mayFollow, type RuntimeState } from './state.ts';

/** An event as a runtime gets it. */
export interface Delivery {
  readonly event: SlotEvent;
  /** Of this attempt; the request id stays the same over retries. */
  readonly invocationId: string;
  readonly deadlineMs: number;
}

/** Whoever waits for the next event. Exactly one call of `deliver`, or none. */
export interface Waiter {
  deliver(delivery: Delivery): void;
}

/** An error that a runtime posts. */
export interface PostedError {
  /** As in its header; empty when it has none. */
  readonly errorType: string;
  readonly payload: Uint8Array;
}

export interface SessionOptions {
  readonly clock: Clock;
  /** A UUID. */
  readonly newId: () => string;
  /** What the environment's processes use, in KiB. */
  readonly residentKib: () => number;
  readonly onMessage: (message: Message) => void;
}

type ResultState = 'InvocationResponse' | 'InvocationErrorResponse';

export type FailureState = 'InitError' | 'RestoreError';

export class RuntimeSession {
  readonly #options: SessionOptions;
  readonly #waiters = new Set<Waiter>();
  #state: RuntimeState = 'Started';
  /** Handed over, and not yet delivered. */
  #pending: SlotEvent | undefined;
  /** The one delivered last, answered or not. */
  #current: (Delivery & { readonly beganAtMs: number }) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get state(): RuntimeState {
    return this.#state;
  }

  /** Whether an event has been handed over that no runtime has got. */
  get hasPending(): boolean {
    return this.#pending !== undefined;
  }

  /** How many calls for the next event wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Hands over an event; one at a time. */
  invoke(event: SlotEvent): void {
    this.#pending = event;
    this.#deliverPending();
  }

  /** A runtime asks for its next event; refused, or answered through the waiter now or later. */
  next(waiter: Waiter): Reply | undefined {
    if (this.#state === 'Running' && this.#current !== undefined) {
      waiter.deliver(this.#current);
      return undefined;
    }
    const before = this.#state;
    const refused = this.#enter('Ready');
    if (refused !== undefined) return refused;
    this.#waiters.add(waiter);
    this.#tellReady(before);
    this.#deliverPending();
    return undefined;
  }

  /** It has hung up before anything was delivered. */
  forget(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** A result is about to come: refused, or {@link complete} or {@link retract} must follow. */
  beginResult(
    requestId: string,
    invocationId: string | undefined,
    state: ResultState,
  ): Reply | undefined {
    const current = this.#current;
    if (current?.event.invocation.requestId !== requestId) return INVALID_REQUEST_ID;
    if ((invocationId ?? current.invocationId) !== current.invocationId)
      return INVALID_INVOCATION_ID;
    return this.#enter(state);
  }

  /** The result is there. */
  complete(outcome: InvokeOutcome): void {
    const refused = this.#enter('RuntimeResponseSentState');
    if (refused !== undefined || this.#current === undefined)
      throw new Error('a result is complete that has not begun');
    const { event } = this.#current;
    this.#options.onMessage({
      kind: 'answer',
      requestId: event.invocation.requestId,
      outcome,
      maxRssKib: this.#options.residentKib(),
      ownMs: this.#ownMs(),
      isFatal: false,
      staysBusy: true,
    });
  }

  /** A failure is about to be told: refused, or {@link fail} must follow. */
  beginFailure(state: FailureState): Reply | undefined {
    return this.#enter(state);
  }

  /** The failure is there. */
  fail(error: PostedError): void {
    this.#options.onMessage({
      kind: 'initFailed',
      ...error,
      maxRssKib: this.#options.residentKib(),
    });
  }

  /** The runtime's word that its state could be kept. There is no snapshot to take, so it goes on at once. */
  restoreNext(): Reply | undefined {
    return this.#enter('RestoreReady') ?? this.#enter('Restoring');
  }

  #tellReady(before: RuntimeState): void {
    if (before === 'RuntimeResponseSentState')
      this.#options.onMessage({ kind: 'free', ownMs: this.#ownMs() });
    if (before === 'Started' || before === 'Restoring')
      this.#options.onMessage({ kind: 'ready', maxRssKib: this.#options.residentKib() });
  }

  /** Since the last event was delivered. */
  #ownMs(): number {
    const { clock } = this.#options;
    return clock.monotonicMs() - (this.#current?.beganAtMs ?? clock.monotonicMs());
  }

  #deliverPending(): void {
    const event = this.#pending;
    const [waiter] = this.#waiters;
    if (event === undefined || waiter === undefined) return;
    this.#waiters.delete(waiter);
    this.#pending = undefined;
    this.#enter('Running');
    const { clock, newId } = this.#options;
    this.#current = {
      event,
      invocationId: newId(),
      deadlineMs: Math.round(clock.epochMs() + event.remainingMs),
      beganAtMs: clock.monotonicMs(),
    };
    waiter.deliver(this.#current);
  }

  #enter(next: RuntimeState): Reply | undefined {
    if (!mayFollow(this.#state, next)) return invalidTransition(this.#state, next);
    this.#state = next;
    return undefined;
  }
}
