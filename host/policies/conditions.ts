// The Condition element of a statement: whether what is known of a request meets it.
import { matchesArn, matchesPattern } from './pattern.ts';
import { type Conditions, listOf } from './statement.ts';

/** What is known of a request: values by condition key in lower case. A key that is not there is not known. */
export type ConditionKeys = ReadonlyMap<string, string>;

type Comparison = (actual: string, wanted: string) => boolean;

const equal: Comparison = (actual, wanted) => actual === wanted;
const equalIgnoringCase: Comparison = (actual, wanted) =>
  actual.toLowerCase() === wanted.toLowerCase();

/** ArnEquals is ArnLike: the service knows no difference. */
const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ['StringEquals', equal],
  ['StringEqualsIgnoreCase', equalIgnoringCase],
  ['StringLike', matchesPattern],
  ['ArnEquals', matchesArn],
  ['ArnLike', matchesArn],
  ['Bool', equalIgnoringCase],
]);

/** The rest of the name after `Not` was taken out of it is the comparison that must not hold. */
const negations: ReadonlySet<string> = new Set([
  'StringNotEquals',
  'StringNotEqualsIgnoreCase',
  'StringNotLike',
  'ArnNotEquals',
  'ArnNotLike',
]);

interface Operator {
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly ifExists: boolean;
  readonly isNegated: boolean;
  /** Undefined for `Null`, which asks whether a key is known. */
  readonly compare: Comparison | undefined;
}

/**
 * Whether all conditions are met. What an operator that is not known here would say is `unknown`: true for a statement that
 * denies, false for one that allows, so that what cannot be judged never gives access.
 */
export function conditionsHold(
  conditions: Conditions,
  keys: ConditionKeys,
  unknown: boolean,
): boolean {
  return Object.entries(conditions).every(([name, wanted]) => {
    const operator = operatorOf(name);
    if (operator === undefined) return unknown;
    return Object.entries(wanted).every(([key, values]) =>
      holds(operator, keys.get(key.toLowerCase()), listOf(values).map(String)),
    );
  });
}

/** Whether an operator is known here, prefix and suffix included. */
export function isKnownOperator(name: string): boolean {
  return operatorOf(name) !== undefined;
}

function operatorOf(name: string): Operator | undefined {
  const found = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  const plain = found?.[2];
  if (plain === undefined) return undefined;
  const set = found?.[1] as Operator['set']; // as: the two words of the pattern, or nothing
  const ifExists = found?.[3] !== undefined;
  if (plain === 'Null')
    return set === undefined && !ifExists
      ? { set, ifExists, isNegated: false, compare: undefined }
      : undefined;
  const isNegated = negations.has(plain);
  const compare = comparisons.get(isNegated ? plain.replace('Not', '') : plain);
  return compare && { set, ifExists, isNegated, compare };
}

function holds(
  { set, ifExists, isNegated, compare }: Operator,
  actual: string | undefined,
  wanted: readonly string[],
): boolean {
  if (compare === undefined)
    return wanted.some((value) => (value.toLowerCase() === 'true') === (actual === undefined));
  // Of a key that is not known a negated comparison is true, and so is one about all of its values.
  if (actual === undefined)
    return ifExists || set === 'ForAllValues' || (isNegated && set !== 'ForAnyValue');
  return wanted.some((value) => compare(actual, value)) !== isNegated;
}
