// Another function as the destination of outcomes: the record becomes an event of its queue, in the name of the function whose outcome
// it is.
import { authorize, type PolicySource } from '../auth/authorize.ts';
import { functionCaller } from '../auth/function-credentials.ts';
import type { Dispatcher, InvokeTarget } from '../dispatch/dispatcher.ts';
import { functionNameParts } from '../functions/names.ts';
import { ServiceError } from '../service-error.ts';
import type { DueItem } from '../store/store.ts';
import { drawnVersion, eventItem, MAX_EVENT_BYTES } from './event.ts';
import { deliveryHead } from './outcomes/delivery-items.ts';
import type { DeliveryHead, DeliveryResult } from './outcomes/outcome.ts';

export interface FunctionDestinationOptions {
  readonly dispatcher: Pick<Dispatcher, 'resolve'>;
  readonly policies: PolicySource;
  readonly newId: () => string;
  /** A new one for each record. */
  readonly newRequestId: () => string;
  readonly epochMs: () => number;
}

export function isFunctionArn(arn: string): boolean {
  return arn.split(':')[2] === 'lambda';
}

export type EventOfOutcome = { readonly kind: 'event'; readonly item: DueItem };

/** The event to be accepted, or why there can be none. */
export function eventOfOutcome(
  delivery: Pick<DueItem, 'head' | 'payload'>,
  options: FunctionDestinationOptions,
): EventOfOutcome | Extract<DeliveryResult, { kind: 'notDelivered' }> {
  const head = deliveryHead(delivery);
  const { payload } = delivery;
  if (payload.length > MAX_EVENT_BYTES)
    return refused(
      `the record has ${payload.length} bytes, and events may have ${MAX_EVENT_BYTES}`,
    );
  try {
    const target = targetOf(head, options);
    if (target.version.settings.tenantIsolation !== undefined)
      return refused('a record is of no tenant, and the function keeps tenants apart');
    const call = {
      account: target.scope.account,
      region: target.scope.region,
      functionName: target.record.name,
      requestId: options.newRequestId(),
      qualifier: target.qualifier,
      version: drawnVersion(target),
      traceHeader: head.traceHeader,
      tenantId: '',
    };
    return { kind: 'event', item: eventItem(call, payload, options.newId, options.epochMs()) };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    // A function that is just being created will take it soon.
    const isRetryable = error.name === 'ResourceConflictException';
    return { kind: 'notDelivered', isRetryable, reason: error.message };
  }
}

/** Throws what the function itself would be answered if it called its destination. */
function targetOf(
  { account, region: ownRegion, roleArn, functionName, target }: DeliveryHead,
  { dispatcher, policies }: FunctionDestinationOptions,
): InvokeTarget {
  const parts = functionNameParts(target);
  const region = parts?.region ?? ownRegion;
  const caller = functionCaller({ account, role: roleArn, functionName }, region);
  const input = { FunctionName: target, Qualifier: parts?.qualifier };
  const scope = authorize(caller, 'Invoke', input, policies);
  return dispatcher.resolve({ account: scope.account, region: scope.region }, target, undefined);
}

function refused(reason: string): Extract<DeliveryResult, { kind: 'notDelivered' }> {
  return { kind: 'notDelivered', isRetryable: false, reason };
}
