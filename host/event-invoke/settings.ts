// What Put and Update requests make of an event invoke config: Put replaces it, Update keeps what it leaves out.
import type { DestinationConfig } from '../api/model/types.ts';
import { ServiceError } from '../service-error.ts';
import type { EventInvokeRecord } from './record.ts';

export interface EventInvokeMembers {
  readonly MaximumRetryAttempts?: number | undefined;
  readonly MaximumEventAgeInSeconds?: number | undefined;
  readonly DestinationConfig?: DestinationConfig | undefined;
}

/** Throws InvalidParameterValueException when a request sets nothing. A DestinationConfig without destinations is a setting. */
export function requireSetting(request: EventInvokeMembers): void {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = request;
  const members = [MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig];
  if (members.every((member) => member === undefined))
    throw new ServiceError(
      'InvalidParameterValueException',
      'You must specify at least one of error handling or destination setting.',
    );
}

export function replaced(request: EventInvokeMembers, epochMs: number): EventInvokeRecord {
  return merged(undefined, request, epochMs);
}

/** Each of the two destinations is kept unless its side is given; a side without a destination, or with an empty one, clears it. */
export function merged(
  current: EventInvokeRecord | undefined,
  request: EventInvokeMembers,
  epochMs: number,
): EventInvokeRecord {
  const { OnSuccess: onSuccess, OnFailure: onFailure } = request.DestinationConfig ?? {};
  return {
    lastModifiedMs: epochMs,
    maximumRetryAttempts: request.MaximumRetryAttempts ?? current?.maximumRetryAttempts,
    maximumEventAgeSeconds: request.MaximumEventAgeInSeconds ?? current?.maximumEventAgeSeconds,
    onSuccess: onSuccess === undefined ? current?.onSuccess : onSuccess.Destination || undefined,
    onFailure: onFailure === undefined ? current?.onFailure : onFailure.Destination || undefined,
  };
}
