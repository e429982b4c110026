// Which part of the concurrency events from the queue may use.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Concurrency } from '../../host/dispatch/concurrency.ts';

const F = '000000000000/us-east-1/f';
const G = '000000000000/us-east-1/g';

function of(limit: number): Concurrency {
  return new Concurrency({ limit, limitsRate: false, monotonicMs: () => 0 });
}

/** How many events begin until there is no room, each of them admitted as it was said. */
function begun(concurrency: Concurrency, key: string, version = '1'): number {
  let count = 0;
  for (; concurrency.hasRoom(key, version); count += 1) concurrency.enter(key, version);
  return count;
}

suite('Events from the queue', () => {
  for (const [limit, most] of [
    [1, 1],
    [9, 9],
    [10, 9],
    [1_000, 900],
  ] as const)
    test(`may use ${most} of ${limit} that nobody has reserved, all functions together`, () => {
      const concurrency = of(limit);
      const first = concurrency.enter(G, '1');
      assert.equal(begun(concurrency, F), most - 1);
      assert.equal(concurrency.hasRoom(G, '1'), false);
      concurrency.leave(first);
      assert.equal(concurrency.hasRoom(G, '1'), true);
    });

  test('may use all that their function has reserved, and what is provisioned for their version', () => {
    const concurrency = of(100);
    const provisioned = new Map([['2', 3]]);
    concurrency.setShares(F, { reserved: 5, provisioned, provisionedTotal: 3 });
    assert.equal(begun(concurrency, F, '1'), 2, 'the rest is promised to version 2');
    assert.equal(begun(concurrency, F, '2'), 3);
    assert.equal(begun(concurrency, G), 95 - 9);
  });
});
