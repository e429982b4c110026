// Provisioned concurrency configs: what may be provisioned for a version or an alias. Pure: what is held in, the change out.
import type { FunctionChange, HeldFunction } from '../functions/functions.ts';
import { aliasNotFound, functionNotFound, type Scope } from '../functions/names.ts';
import type { AliasRecord } from '../functions/record.ts';
import { isOptimized } from '../functions/snap-start.ts';
import {
  findTarget,
  qualifiedPart,
  qualifiedParts,
  qualifierKind,
  versionNamed,
  withQualifiedPart,
} from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import type { Room } from './allotments.ts';
import type { ProvisionedConcurrencyRecord } from './record.ts';
import { sharesOf } from './shares.ts';

/** Their kind among the parts of a function. */
export const PROVISIONED = 'provisioned-concurrency';

const UNPUBLISHED =
  'Provisioned Concurrency Configs cannot be applied to unpublished function versions.';

/** Environments of a version are either kept or begin as if from a snapshot. */
export const NOT_WITH_SNAP_START =
  'Provisioned concurrency is not supported for SnapStart enabled functions.';

/** Throws InvalidParameterValueException for `$LATEST`, whether or not there is such a function. */
export function requirePublished(qualifier: string): void {
  if (qualifierKind(qualifier) === 'latest') throw invalid(UNPUBLISHED);
}

/** The same in the words of the operations that read and delete. */
export function requireConfigurable(qualifier: string): void {
  if (qualifierKind(qualifier) === 'latest')
    throw invalid('The function resource provided must be an alias or a published version.');
}

/** Throws ResourceNotFoundException unless the function has such a version or alias. */
export function requireTarget(
  scope: Scope,
  name: string,
  held: HeldFunction | undefined,
  qualifier: string,
): HeldFunction {
  if (held !== undefined && findTarget(held, qualifier) !== undefined) return held;
  if (qualifierKind(qualifier) === 'alias') throw aliasNotFound(scope, name, qualifier);
  throw functionNotFound(scope, name, qualifier);
}

/**
 * The change that provisions so much for a version or an alias that there is. Throws InvalidParameterValueException when the
 * function or the account has not so much, ResourceConflictException when the version is provisioned under another name.
 */
export function provision(
  held: HeldFunction,
  qualifier: string,
  config: ProvisionedConcurrencyRecord,
  room: Room,
): FunctionChange {
  const alias = held.part('alias', qualifier);
  if (alias?.version === '$LATEST') throw invalid(UNPUBLISHED);
  requireNoTenants(held);
  requireNoSnapStart(held, alias === undefined ? [qualifier] : versionsOf(alias));
  requireConcurrency(held, qualifier, config.requested, room);
  if (alias === undefined) requireNoAlias(held, qualifier);
  else requireNoOther(held, alias);
  return withQualifiedPart(held, PROVISIONED, qualifier, config);
}

function requireConcurrency(
  held: HeldFunction,
  qualifier: string,
  requested: number,
  room: Room,
): void {
  const { reserved, provisionedTotal } = sharesOf(held);
  const total =
    provisionedTotal - (qualifiedPart(held, PROVISIONED, qualifier)?.requested ?? 0) + requested;
  if (reserved !== undefined) {
    if (total <= reserved) return;
    throw invalid(
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    );
  }
  const { unreserved, minUnreserved, allotted } = room;
  if (total <= allotted) return;
  const left = unreserved - total;
  if (left < 0)
    throw untyped(
      `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${unreserved - (total - requested)}].`,
    );
  if (left < minUnreserved)
    throw untyped(
      `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${minUnreserved}].`,
    );
}

/** An environment serves one tenant for its whole life, and there is none before a call. */
function requireNoTenants({ root }: HeldFunction): void {
  if (root.latest.settings.tenantIsolation !== undefined)
    throw invalid(
      'Provisioned concurrency is not supported for functions that are enabled with tenancy configuration.',
    );
}

function requireNoSnapStart(held: HeldFunction, versions: readonly string[]): void {
  for (const number of versions) {
    const version = versionNamed(held, number);
    if (version !== undefined && isOptimized(version)) throw invalid(NOT_WITH_SNAP_START);
  }
}

/** A version is provisioned by itself or through one alias. */
function requireNoAlias(held: HeldFunction, version: string): void {
  for (const [qualifier] of qualifiedParts(held, PROVISIONED)) {
    const alias = held.part('alias', qualifier);
    if (alias !== undefined && versionsOf(alias).includes(version))
      throw conflict('Version is pointed by a Provisioned Concurrency alias');
  }
}

function requireNoOther(held: HeldFunction, alias: AliasRecord): void {
  const versions = versionsOf(alias);
  for (const [qualifier] of qualifiedParts(held, PROVISIONED)) {
    if (qualifier === alias.name) continue;
    const other = held.part('alias', qualifier);
    const taken = other === undefined ? [qualifier] : versionsOf(other);
    if (taken.some((version) => versions.includes(version)))
      throw conflict(
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
      );
  }
}

function versionsOf({ version, additional }: AliasRecord): readonly string[] {
  return additional === undefined ? [version] : [version, additional.version];
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}

function untyped(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message, { withoutType: true });
}

function conflict(message: string): ServiceError {
  return new ServiceError('ResourceConflictException', message);
}
