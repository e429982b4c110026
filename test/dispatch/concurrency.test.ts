// The arithmetic of concurrency: who draws on what, at which limit a call is refused and for which reason.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { FunctionShares } from '../../host/concurrency/shares.ts';
import { type Admission, Concurrency } from '../../host/dispatch/concurrency.ts';
import { ServiceError } from '../../host/service-error.ts';

const SCOPE = '000000000000/us-east-1';
const F = `${SCOPE}/f`;
const G = `${SCOPE}/g`;

const RESERVED = 'ReservedFunctionConcurrentInvocationLimitExceeded';
const UNRESERVED = 'ConcurrentInvocationLimitExceeded';

function of(limit: number, nowMs: () => number = () => 0): Concurrency {
  return new Concurrency({ limit, limitsRate: true, monotonicMs: nowMs });
}

function shares(
  reserved: number | undefined,
  versions: Readonly<Record<string, number>> = {},
): FunctionShares {
  const provisioned = new Map(Object.entries(versions));
  const provisionedTotal = [...provisioned.values()].reduce((sum, n) => sum + n, 0);
  return { reserved, provisioned, provisionedTotal };
}

/** Undefined when the call may run. */
function reasonOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    assert.equal(error.name, 'TooManyRequestsException');
    assert.equal(error.message, 'Rate Exceeded.');
    assert.equal(error.details.retryAfterSeconds, 1);
    return error.details.Reason;
  }
}

function enter(concurrency: Concurrency, key: string, version: string, count: number) {
  return Array.from({ length: count }, () => concurrency.enter(key, version));
}

suite('Concurrency', () => {
  test('without promises is one figure for the account, by region', () => {
    const concurrency = of(3);
    const admissions = [...enter(concurrency, F, '$LATEST', 2), ...enter(concurrency, G, '1', 1)];
    assert.equal(
      reasonOf(() => concurrency.enter(G, '1')),
      UNRESERVED,
    );
    concurrency.enter('000000000000/eu-west-1/f', '$LATEST');
    for (const each of admissions) concurrency.leave(each);
    enter(concurrency, F, '$LATEST', 3);
  });

  test('reserved is used by all versions together and by nobody else', () => {
    const concurrency = of(10);
    concurrency.setShares(F, shares(4));
    assert.equal(concurrency.unreserved(SCOPE), 6);
    enter(concurrency, F, '$LATEST', 2);
    enter(concurrency, F, '1', 2);
    assert.equal(
      reasonOf(() => concurrency.enter(F, '1')),
      RESERVED,
    );
    enter(concurrency, G, '$LATEST', 6);
    assert.equal(
      reasonOf(() => concurrency.enter(G, '$LATEST')),
      UNRESERVED,
    );
  });

  test('provisioned is for its version first, beyond it that version draws on what all have', () => {
    const concurrency = of(10);
    concurrency.setShares(F, shares(undefined, { 1: 4 }));
    assert.equal(concurrency.unreserved(SCOPE), 6);
    const provisioned = enter(concurrency, F, '1', 4);
    enter(concurrency, F, '1', 2);
    enter(concurrency, F, '$LATEST', 2);
    enter(concurrency, G, '$LATEST', 2);
    for (const [key, version] of [
      [F, '1'],
      [F, '2'],
      [G, '$LATEST'],
    ] as const)
      assert.equal(
        reasonOf(() => concurrency.enter(key, version)),
        UNRESERVED,
      );
    // What ends gives back the shared part first: the promised one is still in use.
    for (const each of provisioned.slice(0, 2)) concurrency.leave(each);
    enter(concurrency, G, '$LATEST', 2);
  });

  test('when all that is reserved is provisioned, other versions cannot run', () => {
    const concurrency = of(10);
    concurrency.setShares(F, shares(3, { 1: 2, 2: 1 }));
    assert.equal(concurrency.unreserved(SCOPE), 7, 'the reserve covers what is provisioned');
    assert.equal(
      reasonOf(() => concurrency.enter(F, '$LATEST')),
      RESERVED,
    );
    enter(concurrency, F, '1', 2);
    assert.equal(
      reasonOf(() => concurrency.enter(F, '1')),
      RESERVED,
    );
    enter(concurrency, F, '2', 1);
  });

  test('of a function that is deleted goes back to the account as its calls end', () => {
    const concurrency = of(4);
    concurrency.setShares(F, shares(3));
    const running = enter(concurrency, F, '$LATEST', 3);
    concurrency.setShares(F, undefined);
    assert.equal(concurrency.unreserved(SCOPE), 4);
    // The name is used again while calls of the old function run.
    enter(concurrency, F, '$LATEST', 1);
    assert.equal(
      reasonOf(() => concurrency.enter(G, '$LATEST')),
      UNRESERVED,
    );
    for (const each of running) concurrency.leave(each);
    enter(concurrency, G, '$LATEST', 3);
  });

  test('in any order of calls, ends and changes is what counting anew would give', () => {
    const keys = [F, G, `${SCOPE}/h`];
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('enter' as const), ...which(keys) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), at: fc.nat() }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('shares' as const),
          key: fc.constantFrom(...keys),
          reserved: fc.option(fc.integer({ min: 4, max: 8 }), { nil: undefined }),
          one: fc.integer({ min: 0, max: 2 }),
          two: fc.integer({ min: 0, max: 2 }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const concurrency = of(LIMIT);
        const model = new Model();
        const running: { key: string; version: string; admission: Admission }[] = [];
        for (const each of steps)
          switch (each.kind) {
            case 'shares': {
              const promised = shares(each.reserved, { 1: each.one, 2: each.two });
              concurrency.setShares(each.key, promised);
              model.shares.set(each.key, promised);
              break;
            }
            case 'leave': {
              const [left] = running.splice(each.at % Math.max(1, running.length), 1);
              if (left === undefined) break;
              concurrency.leave(left.admission);
              model.leave(left.key, left.version);
              break;
            }
            case 'enter': {
              const { key, version } = each;
              const expected = model.refusal(key, version);
              assert.equal(
                reasonOf(() =>
                  running.push({ key, version, admission: concurrency.enter(key, version) }),
                ),
                expected,
              );
              if (expected === undefined) model.enter(key, version);
              break;
            }
            default:
              each satisfies never;
          }
      }),
      { numRuns: 500 },
    );
  });
});

const LIMIT = 30;

function which(keys: readonly string[]) {
  return { key: fc.constantFrom(...keys), version: fc.constantFrom('$LATEST', '1', '2') };
}

/** Counts everything anew each time. */
class Model {
  readonly shares = new Map<string, FunctionShares>();
  readonly #running = new Map<string, Map<string, number>>();

  enter(key: string, version: string): void {
    this.#add(key, version, 1);
  }

  leave(key: string, version: string): void {
    this.#add(key, version, -1);
  }

  refusal(key: string, version: string): string | undefined {
    const own = this.shares.get(key);
    if ((this.#running.get(key)?.get(version) ?? 0) < (own?.provisioned.get(version) ?? 0))
      return undefined;
    if (own?.reserved !== undefined)
      return this.#onDemand(key) < own.reserved - own.provisionedTotal ? undefined : RESERVED;
    let left = LIMIT;
    for (const each of this.shares.values()) left -= each.reserved ?? each.provisionedTotal;
    for (const each of this.#running.keys())
      if (this.shares.get(each)?.reserved === undefined) left -= this.#onDemand(each);
    return left > 0 ? undefined : UNRESERVED;
  }

  #onDemand(key: string): number {
    let count = 0;
    for (const [version, running] of this.#running.get(key) ?? [])
      count += Math.max(0, running - (this.shares.get(key)?.provisioned.get(version) ?? 0));
    return count;
  }

  #add(key: string, version: string, count: number): void {
    const versions = this.#running.get(key) ?? new Map<string, number>();
    this.#running.set(key, versions);
    versions.set(version, (versions.get(version) ?? 0) + count);
  }
}

suite('The request rate', () => {
  function request(concurrency: Concurrency, key: string): string | undefined {
    const admission = concurrency.enter(key, '$LATEST');
    const reason = reasonOf(() => concurrency.countRequest(admission));
    concurrency.leave(admission);
    return reason;
  }

  test('is ten per second for each concurrent execution that a function may have', () => {
    let now = 5_000;
    const concurrency = of(4, () => now);
    concurrency.setShares(F, shares(1));
    for (let i = 0; i < 10; i += 1) assert.equal(request(concurrency, F), undefined);
    assert.equal(request(concurrency, F), 'ReservedFunctionInvocationRateLimitExceeded');
    for (let i = 0; i < 40; i += 1) assert.equal(request(concurrency, G), undefined);
    assert.equal(request(concurrency, G), 'FunctionInvocationRateLimitExceeded');
    now += 100;
    assert.equal(request(concurrency, F), undefined);
    assert.equal(request(concurrency, F), 'ReservedFunctionInvocationRateLimitExceeded');
    now += 60_000;
    for (let i = 0; i < 10; i += 1) assert.equal(request(concurrency, F), undefined);
    assert.equal(
      request(concurrency, F),
      'ReservedFunctionInvocationRateLimitExceeded',
      'no more is saved up than for a second',
    );
  });

  test('is not the reason where nothing may run', () => {
    const concurrency = of(10);
    concurrency.setShares(F, shares(0));
    assert.equal(
      reasonOf(() => concurrency.enter(F, '$LATEST')),
      RESERVED,
    );
  });
});
