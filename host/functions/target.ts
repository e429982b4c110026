// What a qualifier means in a function: `$LATEST`, a published version or an alias.
import type { PartChange } from '../store/aggregates.ts';
import type { FunctionChange, HeldFunction } from './functions.ts';
import { isVersionNumber } from './names.ts';
import {
  type AliasRecord,
  FUNCTION_PART_KINDS,
  type FunctionParts,
  type VersionRecord,
} from './record.ts';

/** The form of a qualifier, whether or not there is such a thing. */
export type QualifierKind = 'latest' | 'version' | 'alias';

export type Target =
  | { readonly kind: 'latest'; readonly version: VersionRecord }
  | { readonly kind: 'version'; readonly version: VersionRecord }
  | { readonly kind: 'alias'; readonly alias: AliasRecord };

export function qualifierKind(qualifier: string | undefined): QualifierKind {
  if (qualifier === undefined || qualifier === '$LATEST') return 'latest';
  return isVersionNumber(qualifier) ? 'version' : 'alias';
}

/** Undefined when the function has no such version or alias. */
export function findTarget(held: HeldFunction, qualifier: string | undefined): Target | undefined {
  const kind = qualifierKind(qualifier);
  if (qualifier === undefined || kind === 'latest')
    return { kind: 'latest', version: held.root.latest };
  if (kind === 'version') {
    const version = held.part('version', qualifier);
    return version && { kind, version };
  }
  const alias = held.part('alias', qualifier);
  return alias && { kind, alias };
}

/** `$LATEST` or a published version. Undefined when there is no such version. */
export function versionNamed(held: HeldFunction, version: string): VersionRecord | undefined {
  return version === '$LATEST' ? held.root.latest : held.part('version', version);
}

/** The version that a target shows: an alias shows its primary one. Undefined when an alias points to a version that is gone. */
export function shownVersion(held: HeldFunction, target: Target): VersionRecord | undefined {
  return target.kind === 'alias' ? versionNamed(held, target.alias.version) : target.version;
}

/** Names of the aliases that point to a version, as their primary or their additional one; ascending. */
export function aliasesOfVersion(held: HeldFunction, version: string): readonly string[] {
  const names: string[] = [];
  for (const [name, alias] of held.parts('alias'))
    if (alias.version === version || alias.additional?.version === version) names.push(name);
  return names.sort();
}

/**
 * The name under which things of a qualifier (policy, event invoke config, …) are kept as parts: one for the unqualified
 * function and `$LATEST`, one for each version and alias.
 */
export function qualifierPartName(qualifier: string | undefined): string {
  return qualifier ?? '$LATEST';
}

/** Kinds of what is kept for each qualifier. */
type QualifiedKind = Exclude<keyof FunctionParts, 'version' | 'alias'>;

export function qualifiedPart<Kind extends QualifiedKind>(
  held: HeldFunction,
  kind: Kind,
  qualifier: string | undefined,
): FunctionParts[Kind] | undefined {
  return held.part(kind, qualifierPartName(qualifier));
}

/** All of one kind with their qualifiers, ascending: that of the unqualified function comes first, since `$` does. */
export function qualifiedParts<Kind extends QualifiedKind>(
  held: HeldFunction,
  kind: Kind,
): readonly (readonly [qualifier: string, FunctionParts[Kind]])[] {
  return [...held.parts(kind)].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Puts one in place or, without a value, removes it. */
export function withQualifiedPart<Kind extends QualifiedKind>(
  held: HeldFunction,
  kind: Kind,
  qualifier: string | undefined,
  value: FunctionParts[Kind] | undefined,
): FunctionChange {
  // as: kind and value belong together by the signature, which the union of all changes cannot express
  const part = { kind, name: qualifierPartName(qualifier), value } as PartChange<FunctionParts>;
  return { root: held.root, parts: [part] };
}

/** Removes a version or alias with everything that hangs on it: all of it is kept under the qualifier. */
export function removalOf(qualifier: string): readonly PartChange<FunctionParts>[] {
  return FUNCTION_PART_KINDS.map((kind) => ({ kind, name: qualifier, value: undefined }));
}
