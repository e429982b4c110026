// Changes of what functions are promised. Those of one account in one region run one after another, so that sums over all its
// functions hold whatever is asked for at the same time.
import type { Concurrency } from '../dispatch/concurrency.ts';
import type { Decision, Functions, HeldFunction } from '../functions/functions.ts';
import { functionScope } from '../functions/record.ts';
import { allottedTo, NO_SHARES, sharesOf } from './shares.ts';

/** So many executions of an account stay unreserved. */
const MIN_UNRESERVED = 100;

/** What one function may be promised beside the others. */
export interface Room {
  /** What nobody but this function is promised. */
  readonly unreserved: number;
  /** What must stay unreserved; all of a small account's. */
  readonly minUnreserved: number;
  /** What this function is promised now. */
  readonly allotted: number;
}

export interface AllotmentsOptions {
  readonly functions: Functions;
  readonly concurrency: Concurrency;
}

export class Allotments {
  readonly #functions: Functions;
  readonly #concurrency: Concurrency;
  /** The tail of each scope's changes: the next one waits for it. */
  readonly #changes = new Map<string, Promise<unknown>>();

  constructor({ functions, concurrency }: AllotmentsOptions) {
    this.#functions = functions;
    this.#concurrency = concurrency;
    for (const held of functions.allHeld()) concurrency.setShares(held.key, sharesOf(held));
    functions.watch((before, after) => {
      if (after !== undefined) concurrency.setShares(after.key, sharesOf(after));
      else if (before !== undefined) concurrency.setShares(before.key, undefined);
    });
  }

  /** As {@link Functions.change}, for changes that promise a function more than before or less. */
  change<T>(
    account: string,
    region: string,
    name: string,
    decide: (current: HeldFunction | undefined, room: Room) => Decision<T>,
  ): Promise<T> {
    const scope = functionScope(account, region);
    const apply = () =>
      this.#functions.change(account, region, name, (current) =>
        decide(current, this.#room(scope, current)),
      );
    const change = (this.#changes.get(scope) ?? Promise.resolve()).then(apply, apply);
    this.#changes.set(scope, change);
    const forget = () => {
      if (this.#changes.get(scope) === change) this.#changes.delete(scope);
    };
    change.then(forget, forget);
    return change;
  }

  #room(scope: string, held: HeldFunction | undefined): Room {
    const { limit } = this.#concurrency;
    const allotted = allottedTo(held === undefined ? NO_SHARES : sharesOf(held));
    return {
      unreserved: limit - this.#concurrency.allotted(scope) + allotted,
      minUnreserved: Math.min(MIN_UNRESERVED, limit),
      allotted,
    };
  }
}
