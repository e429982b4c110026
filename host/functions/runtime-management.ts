// Which runtime version a function version runs on, and who decides. The host has one version of each runtime, so Auto and
// FunctionUpdate both run what it has; Manual runs the version it names or nothing.
import type { UpdateRuntimeOn } from '../api/model/types.ts';
import { ServiceError } from '../service-error.ts';

export type RuntimeManagementRecord =
  | { readonly updateOn: Exclude<UpdateRuntimeOn, 'Manual'> }
  | { readonly updateOn: 'Manual'; readonly runtimeVersionArn: string };

/** Of a version that was never configured. */
export const DEFAULT_RUNTIME_MANAGEMENT: RuntimeManagementRecord = { updateOn: 'Auto' };

/** The record of a request. Throws InvalidParameterValueException unless exactly Manual names a runtime version. */
export function runtimeManagement(
  updateOn: UpdateRuntimeOn,
  runtimeVersionArn: string | undefined,
): RuntimeManagementRecord {
  if (updateOn !== 'Manual') {
    if (runtimeVersionArn !== undefined)
      refuse(`Runtime version ARN must not be given when UpdateRuntimeOn is ${updateOn}`);
    return { updateOn };
  }
  if (runtimeVersionArn === undefined)
    return refuse('Runtime version ARN is required when UpdateRuntimeOn is Manual');
  return { updateOn, runtimeVersionArn };
}

/** The runtime version that must run, if there is one that must. */
export function pinnedRuntimeArn(record: RuntimeManagementRecord | undefined): string | undefined {
  return record?.updateOn === 'Manual' ? record.runtimeVersionArn : undefined;
}

/** Throws InvalidParameterValueException for a runtime version that the host does not have for the function. */
export function requireAvailable(record: RuntimeManagementRecord, available: string): void {
  const pinned = pinnedRuntimeArn(record);
  if (pinned !== undefined && pinned !== available)
    refuse(`The runtime version ${pinned} is not on this host; it has ${available}`);
}

function refuse(message: string): never {
  throw new ServiceError('InvalidParameterValueException', message);
}
