// Functions as answers show them: the version that a qualifier means, with the ARN as it was asked for.
import { functionConfiguration, listedConfiguration } from '../functions/configuration.ts';
import type { HeldFunction } from '../functions/functions.ts';
import { functionNotFound } from '../functions/names.ts';
import type { FunctionRecord, VersionRecord } from '../functions/record.ts';
import { pinnedRuntimeArn } from '../functions/runtime-management.ts';
import { findTarget, shownVersion } from '../functions/target.ts';
import type { OperationContext } from './context.ts';
import type { FunctionConfiguration } from './model/types.ts';

export interface Shown {
  readonly record: FunctionRecord;
  readonly version: VersionRecord;
}

/** Throws ResourceNotFoundException naming the function and the qualifier. */
export function lookUp(
  context: OperationContext,
  name: string,
  qualifier: string | undefined,
): Shown {
  const held = context.functions.held(context.account, context.region, name);
  const target = held && findTarget(held, qualifier);
  const version = held && target && shownVersion(held, target);
  if (held === undefined || version === undefined) throw functionNotFound(context, name, qualifier);
  return { record: held.root, version };
}

/** Throws ResourceNotFoundException naming the function. */
export function requireFunction(context: OperationContext, name: string): HeldFunction {
  const held = context.functions.held(context.account, context.region, name);
  if (held === undefined) throw functionNotFound(context, name);
  return held;
}

/** @param qualifier as asked; undefined shows the unqualified ARN */
export function configurationOf(
  context: OperationContext,
  { record, version }: Shown,
  qualifier: string | undefined,
): FunctionConfiguration {
  const { runtimeHash, functions } = context;
  const pinnedRuntime = pinnedRuntimeArn(
    functions
      .held(record.account, record.region, record.name)
      ?.part('runtime-management', version.version),
  );
  const scope = context;
  return functionConfiguration({ scope, record, version, qualifier, runtimeHash, pinnedRuntime });
}

/** As {@link configurationOf}, in the form of listings. */
export function listedOf(
  context: OperationContext,
  { record, version }: Shown,
  qualifier: string | undefined,
): FunctionConfiguration {
  const { runtimeHash } = context;
  return listedConfiguration({ scope: context, record, version, qualifier, runtimeHash });
}
