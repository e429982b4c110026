// How an alias shares invocations among versions: which pairs of versions may share, and which one an invocation gets.
import type { AliasRoutingConfiguration } from '../api/model/types.ts';
import { ServiceError } from '../service-error.ts';
import type { HeldFunction } from './functions.ts';
import { functionNotFound } from './names.ts';
import type { AliasRecord, VersionRecord } from './record.ts';
import { versionNamed } from './target.ts';

/** What decides where invocations of an alias go. */
export type Routing = Pick<AliasRecord, 'version' | 'additional'>;

/** One invocation's version. Each is drawn by itself. */
export function drawnVersion({ version, additional }: Routing, random: () => number): string {
  return additional !== undefined && random() < additional.weight ? additional.version : version;
}

/** The additional version of a request, none for an empty map. Throws InvalidParameterValueException for more than one. */
export function additionalVersion(
  request: AliasRoutingConfiguration | undefined,
): AliasRecord['additional'] {
  const entries = Object.entries(request?.AdditionalVersionWeights ?? {});
  if (entries.length > 1)
    throw invalid('Number of items in AdditionalVersionWeights cannot be greater than 1');
  const [entry] = entries;
  return entry && { version: entry[0], weight: entry[1] };
}

/**
 * Throws ResourceNotFoundException for a version that the function has not, InvalidParameterValueException for a pair that cannot
 * share invocations.
 */
export function checkRouting(held: HeldFunction, { version, additional }: Routing): void {
  const primary = requireVersion(held, version);
  if (additional === undefined) return;
  const other = requireVersion(held, additional.version);
  if (other === primary)
    throw invalid(
      `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
    );
  if (version === '$LATEST')
    throw new ServiceError(
      'InvalidParameterValueException',
      '$LATEST is not supported for an alias pointing to more than 1 version',
      { withoutType: true },
    );
  checkAlike(primary, other);
}

function requireVersion(held: HeldFunction, version: string): VersionRecord {
  const found = versionNamed(held, version);
  if (found === undefined) throw functionNotFound(held.root, held.root.name, version);
  return found;
}

function checkAlike({ settings: a }: VersionRecord, { settings: b }: VersionRecord): void {
  if (a.role !== b.role) throw invalid('The versions of the alias must have the same IAM role');
  if (a.deadLetter?.TargetArn !== b.deadLetter?.TargetArn)
    throw invalid('The versions of the alias must have the same dead-letter queue configuration');
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}
