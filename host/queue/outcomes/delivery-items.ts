// From an outcome to the stored items that tell it to whoever is to be told.
import type { DueItem } from '../../store/store.ts';
import { cutErrorMessage } from './dead-letter-message.ts';
import {
  DELIVERY_KIND,
  type DeliveryHead,
  type DeliveryReason,
  type EventOutcome,
  type OutcomeTargets,
} from './outcome.ts';
import { invocationRecord } from './record.ts';

/**
 * One item of kind `delivery` for each target that this outcome concerns, due at once: the destination for successes, or those for
 * failures and dead letters, which both get theirs.
 * @param newId ids of the items; what is sent more than once carries the same one
 * @param nowMs epoch milliseconds
 */
export function deliveryItems(
  outcome: EventOutcome,
  targets: OutcomeTargets,
  newId: () => string,
  nowMs: number,
): DueItem[] {
  return [...targetsOf(outcome, targets)].map(([reason, target]) => ({
    id: newId(),
    kind: DELIVERY_KIND,
    lane: target,
    dueAtMs: nowMs,
    acceptedAtMs: nowMs,
    head: headOf(outcome, reason, target),
    payload: reason === 'deadLetterQueue' ? outcome.requestPayload : invocationRecord(outcome),
  }));
}

/** The head of an item that {@link deliveryItems} has made, as the store gives it back. */
export function deliveryHead(item: Pick<DueItem, 'head'>): DeliveryHead {
  return item.head as DeliveryHead; // as: of this kind there is nothing else in the store
}

function* targetsOf(
  { condition }: EventOutcome,
  { onSuccess, onFailure, deadLetterQueue }: OutcomeTargets,
): Generator<readonly [DeliveryReason, string]> {
  if (condition === 'Success') {
    if (onSuccess !== undefined) yield ['onSuccess', onSuccess];
    return;
  }
  if (onFailure !== undefined) yield ['onFailure', onFailure];
  if (deadLetterQueue !== undefined) yield ['deadLetterQueue', deadLetterQueue];
}

function headOf(outcome: EventOutcome, reason: DeliveryReason, target: string): DeliveryHead {
  return {
    target,
    reason,
    requestId: outcome.requestId,
    functionArn: outcome.functionArn,
    functionName: outcome.functionName,
    account: outcome.account,
    region: outcome.region,
    roleArn: outcome.roleArn,
    condition: outcome.condition,
    traceHeader: outcome.traceHeader,
    errorCode: outcome.errorCode,
    errorMessage: cutErrorMessage(outcome.errorMessage),
    finishedAtMs: outcome.finishedAtMs,
    failures: 0,
  };
}
