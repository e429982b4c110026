// An asynchronous event as it is stored while it waits: everything of the call but its payload is the head.
import type { InvokeTarget } from '../dispatch/dispatcher.ts';
import { functionArn, type Scope } from '../functions/names.ts';
import { functionKey } from '../functions/record.ts';
import type { DueItem } from '../store/store.ts';

/** The service's limit for the payload of an asynchronous call. */
export const MAX_EVENT_BYTES = 1_048_576;

/** Kind of {@link DueItem}. */
export const EVENT_KIND = 'event';

export interface EventHead extends Scope {
  /** What the caller was told, and what the function sees at every attempt. */
  readonly requestId: string;
  readonly functionName: string;
  /** As it was called; undefined without one. Its settings apply, and it is part of the ARN that the function sees. */
  readonly qualifier?: string | undefined;
  /** What the qualifier meant at the call; undefined: `$LATEST`, whatever that is when the event is run. */
  readonly version?: string | undefined;
  /** As the caller sent it, or a new root. No attempt is counted in it. */
  readonly traceHeader: string;
  /** Empty where the function has no tenants. */
  readonly tenantId: string;
  /** Attempts that got to the function. */
  readonly attempts: number;
  /** Since the last of them, attempts that did not: throttled, or prevented by a fault of the host. */
  readonly refusals: number;
  /** Of the last attempt of either sort: what a synchronous caller would have been told. */
  readonly lastError?: EventError | undefined;
}

export interface EventError {
  /** HTTP status; 200 for an error of the function. */
  readonly code: number;
  readonly message: string;
}

/** What is new of a call that is accepted. */
export type AcceptedCall = Omit<EventHead, 'attempts' | 'refusals' | 'lastError'>;

/** An item that is due at once. @param newId unique among events; greater ids are younger */
export function eventItem(
  call: AcceptedCall,
  payload: Uint8Array,
  newId: () => string,
  nowMs: number,
): DueItem {
  const head: EventHead = { ...call, attempts: 0, refusals: 0 };
  const acceptedAtMs = Math.floor(nowMs);
  return {
    id: newId(),
    kind: EVENT_KIND,
    lane: laneOf(call),
    dueAtMs: acceptedAtMs,
    acceptedAtMs,
    head,
    payload,
  };
}

/**
 * What a call's qualifier meant, for its head: a version or alias is looked up once, at the call, so that the weights of an alias are
 * drawn once. Undefined for `$LATEST`, which is the code that is current when the event is run.
 */
export function drawnVersion({
  qualifier,
  version: { version },
}: InvokeTarget): string | undefined {
  return qualifier === undefined || version === '$LATEST' ? undefined : version;
}

/** The head of an item that {@link eventItem} has made, as the store gives it back. */
export function eventHead({ head }: Pick<DueItem, 'head'>): EventHead {
  return head as EventHead; // as: of this kind there is nothing else in the store
}

/** Events of one function wait in one lane, whichever version they are for. */
export function laneOf(head: Pick<EventHead, 'account' | 'region' | 'functionName'>): string {
  return functionKey(head.account, head.region, head.functionName);
}

/** As destinations are told it: qualified as it was called, with `:$LATEST` when it was called without a qualifier. */
export function calledArn(head: EventHead): string {
  return functionArn(head, head.functionName, head.qualifier ?? '$LATEST');
}

/**
 * Makes ids that begin with the time, so that neighbours in time are neighbours in the store and lists of them are in order.
 * @param randomText at least ten characters that tell two runs of the host apart, should the clock have been set back between them
 */
export function createIds(epochMs: () => number, randomText: () => string): () => string {
  let last = 0;
  return () => {
    last = (last + 1) % 36 ** 4;
    const time = Math.floor(epochMs()).toString(36).padStart(9, '0');
    return `${time}${last.toString(36).padStart(4, '0')}-${randomText()}`;
  };
}
