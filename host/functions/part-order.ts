// One kind of a function's parts in the order of listings. Sorted when first asked for and again only after such parts have
// changed, so that a walk through the pages of a long listing sorts once.
import type { Aggregate } from '../store/aggregates.ts';
import type { FunctionParts, FunctionRecord } from './record.ts';

export class PartOrder<Kind extends keyof FunctionParts> {
  readonly #kind: Kind;
  readonly #compare: (a: FunctionParts[Kind], b: FunctionParts[Kind]) => number;
  /** By the map that holds the parts: a change of one of them makes another map. */
  readonly #sorted = new WeakMap<object, readonly FunctionParts[Kind][]>();

  constructor(kind: Kind, compare: (a: FunctionParts[Kind], b: FunctionParts[Kind]) => number) {
    this.#kind = kind;
    this.#compare = compare;
  }

  /** Ascending. */
  of(held: Aggregate<FunctionRecord, FunctionParts>): readonly FunctionParts[Kind][] {
    const stored = held.stored.get(this.#kind);
    if (stored === undefined) return [];
    const known = this.#sorted.get(stored);
    if (known !== undefined) return known;
    const sorted = Array.from(held.parts(this.#kind), ([, part]) => part).sort(this.#compare);
    this.#sorted.set(stored, sorted);
    return sorted;
  }
}
