// What a function is promised of its account's concurrency: the reserved part of the function, and the provisioned parts of its
// versions. Pure.
import type { HeldFunction } from '../functions/functions.ts';
import type { AliasRecord } from '../functions/record.ts';
import { qualifierKind } from '../functions/target.ts';

export interface FunctionShares {
  /** What all versions of the function may use together; undefined: what nobody is promised. */
  readonly reserved: number | undefined;
  /** Of all its configs. */
  readonly provisionedTotal: number;
  /** By version: so many of its invocations have environments kept for them. */
  readonly provisioned: ReadonlyMap<string, number>;
}

export const NO_SHARES: FunctionShares = {
  reserved: undefined,
  provisionedTotal: 0,
  provisioned: new Map(),
};

export function sharesOf(held: HeldFunction): FunctionShares {
  const provisioned = new Map<string, number>();
  let provisionedTotal = 0;
  for (const [qualifier, { requested }] of held.parts('provisioned-concurrency')) {
    provisionedTotal += requested;
    for (const [version, count] of versionShares(held, qualifier, requested))
      provisioned.set(version, (provisioned.get(version) ?? 0) + count);
  }
  return { reserved: held.root.reservedConcurrency, provisionedTotal, provisioned };
}

/** What other functions of the account cannot use: provisioned concurrency is covered by the reserved part where there is one. */
export function allottedTo({ reserved, provisionedTotal }: FunctionShares): number {
  return reserved ?? provisionedTotal;
}

/** Which versions a provisioned concurrency config serves now: an alias shares it out by its weights. */
export function versionShares(
  held: HeldFunction,
  qualifier: string,
  requested: number,
): readonly (readonly [version: string, count: number])[] {
  if (qualifierKind(qualifier) !== 'alias') return [[qualifier, requested]];
  const alias = held.part('alias', qualifier);
  return alias === undefined ? [] : aliasShares(alias, requested);
}

function aliasShares(
  { version, additional }: AliasRecord,
  requested: number,
): readonly (readonly [version: string, count: number])[] {
  if (additional === undefined) return [[version, requested]];
  const other = Math.round(requested * additional.weight);
  const shares = [[version, requested - other] as const, [additional.version, other] as const];
  return shares.filter(([, count]) => count > 0);
}
