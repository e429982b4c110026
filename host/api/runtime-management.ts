// Runtime management configs: when the runtime of `$LATEST` or of a published version changes.
import { runtimeVersionArn } from '../functions/configuration.ts';
import type { HeldFunction } from '../functions/functions.ts';
import {
  type FunctionReference,
  functionArn,
  functionNotFound,
  resolveReference,
} from '../functions/names.ts';
import type { VersionRecord } from '../functions/record.ts';
import {
  DEFAULT_RUNTIME_MANAGEMENT,
  pinnedRuntimeArn,
  type RuntimeManagementRecord,
  requireAvailable,
  runtimeManagement,
} from '../functions/runtime-management.ts';
import { findTarget, qualifiedPart, withQualifiedPart } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import type { PutRuntimeManagementConfigResponse } from './model/types.ts';
import { operation } from './operation.ts';

const KIND = 'runtime-management';

export const PutRuntimeManagementConfig = operation(
  'PutRuntimeManagementConfig',
  async (input, context) => {
    const reference = resolveReference(context, input.FunctionName, input.Qualifier);
    const value = runtimeManagement(input.UpdateRuntimeOn, input.RuntimeVersionArn);
    const { functions, account, region } = context;
    await functions.change(account, region, reference.name, (current) => {
      const { held, version } = requireVersion(context, current, reference);
      requireAvailable(value, runtimeVersionArn(region, context.runtimeHash, version.settings));
      const change = withQualifiedPart(held, KIND, reference.qualifier, value);
      return { change, result: undefined };
    });
    return shown(context, reference, value);
  },
);

export const GetRuntimeManagementConfig = operation(
  'GetRuntimeManagementConfig',
  async (input, context) => {
    const reference = resolveReference(context, input.FunctionName, input.Qualifier);
    const current = context.functions.held(context.account, context.region, reference.name);
    const { held } = requireVersion(context, current, reference);
    const record = qualifiedPart(held, KIND, reference.qualifier);
    return shown(context, reference, record ?? DEFAULT_RUNTIME_MANAGEMENT);
  },
);

/** The version that is meant. Throws ResourceNotFoundException, and InvalidParameterValueException for an alias. */
function requireVersion(
  context: OperationContext,
  held: HeldFunction | undefined,
  { name, qualifier }: FunctionReference,
): { readonly held: HeldFunction; readonly version: VersionRecord } {
  const target = held && findTarget(held, qualifier);
  if (held === undefined || target === undefined) throw functionNotFound(context, name, qualifier);
  if (target.kind === 'alias')
    throw new ServiceError(
      'InvalidParameterValueException',
      'Runtime management is configured on $LATEST or a published version, not on an alias.',
    );
  return { held, version: target.version };
}

function shown(
  context: OperationContext,
  { name, qualifier }: FunctionReference,
  record: RuntimeManagementRecord,
): PutRuntimeManagementConfigResponse {
  return {
    UpdateRuntimeOn: record.updateOn,
    FunctionArn: functionArn(context, name, qualifier),
    RuntimeVersionArn: pinnedRuntimeArn(record),
  };
}
