// What becomes of an asynchronous event in the end, and who is told: the words that the queue and those who deliver share.
import type { DueItem } from '../../store/store.ts';

/** Kinds of {@link DueItem}: one for whoever is to be told of an outcome, one for what is kept because it was given up. */
export const DELIVERY_KIND = 'delivery';
export const DEAD_LETTER_KIND = 'dead-letter';

/**
 * How it ended, in the words of the record that destinations get.
 * - `RecursiveInvocationTerminated`: the function was called over and over again in one chain of invocations
 */
export type OutcomeCondition =
  | 'Success'
  | 'RetriesExhausted'
  | 'EventAgeExceeded'
  | 'ZeroReservedConcurrency'
  | 'RecursiveInvocationTerminated';

/** What the function answered the last time it got the event; or, if it never did, the status with which it was not run. */
export interface OutcomeResponse {
  readonly statusCode: number;
  /** `$LATEST` or a version number; undefined when nothing ran. */
  readonly executedVersion?: string | undefined;
  /** `Unhandled`, or `Handled` where the host tells them apart; undefined after a success. */
  readonly functionError?: string | undefined;
  /** What it posted, usually JSON; undefined when nothing ran. */
  readonly payload?: Uint8Array | undefined;
}

/** One asynchronous event that is done: run, or given up. */
export interface EventOutcome {
  readonly requestId: string;
  /** Qualified as it was called; with `:$LATEST` when it was called without a qualifier. */
  readonly functionArn: string;
  readonly functionName: string;
  readonly account: string;
  readonly region: string;
  /** Of the version that ran, or that would have; empty when there is none any more. Destinations are reached as this role. */
  readonly roleArn: string;
  readonly condition: OutcomeCondition;
  /** Attempts that got to the function. */
  readonly approximateInvokeCount: number;
  readonly requestPayload: Uint8Array;
  /** Undefined when no attempt was made. */
  readonly response?: OutcomeResponse | undefined;
  /** `X-Amzn-Trace-Id` with which the function ran, its lineage included. */
  readonly traceHeader: string;
  /**
   * For a dead-letter queue: the HTTP status that a caller of the last attempt would have seen, and its message; no code (0) where no
   * attempt was made, as with zero reserved concurrency. Recorded of the service: `200` and the function's error; `429` and
   * `Rate Exceeded.` (throttled until too old, count 0); `404` and `Function not found: {functionArn}` (deleted meanwhile, in the
   * record RetriesExhausted with a count of 1 and a response that is a status of 404 alone).
   */
  readonly errorCode: number;
  readonly errorMessage: string;
  readonly finishedAtMs: number;
}

/** Who is told; ARNs. */
export interface OutcomeTargets {
  readonly onSuccess?: string | undefined;
  readonly onFailure?: string | undefined;
  readonly deadLetterQueue?: string | undefined;
}

/** For which setting an item is delivered. */
export type DeliveryReason = 'onSuccess' | 'onFailure' | 'deadLetterQueue';

/**
 * The head of an item of kind `delivery`. Its lane is the ARN of the target; its payload is what is sent: the record of the
 * outcome as JSON, for a dead-letter queue the event as it was accepted. It outlives the function and its settings, so whatever
 * is needed to deliver is in here.
 */
export interface DeliveryHead {
  readonly target: string;
  readonly reason: DeliveryReason;
  readonly requestId: string;
  readonly functionArn: string;
  readonly functionName: string;
  readonly account: string;
  readonly region: string;
  readonly roleArn: string;
  readonly condition: OutcomeCondition;
  readonly traceHeader: string;
  readonly errorCode: number;
  /** At most the first 1,024 bytes of it are sent. */
  readonly errorMessage: string;
  readonly finishedAtMs: number;
  /** How often it has been tried in vain. */
  readonly failures: number;
}

/** What came of one attempt to deliver. `notDelivered` without `isRetryable` will not get better with time. */
export type DeliveryResult =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'notDelivered'; readonly isRetryable: boolean; readonly reason: string };

/**
 * Sends outcomes to queues, topics, buses and buckets. Other functions are not among its targets: what goes to them is accepted as
 * an event in the same unit of work that removes the delivery, which the queue does by itself.
 */
export interface Deliverer {
  /**
   * One attempt; it has its own time limit. What goes wrong is a value; a throw is a fault of ours and counts as retryable.
   * @param item of kind `delivery`, its head a {@link DeliveryHead}
   */
  deliver(item: DueItem, signal: AbortSignal): Promise<DeliveryResult>;
}
