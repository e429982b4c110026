import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantile, shuffled, slope, spread } from '../../bench/support/stats.ts';
import { tableText } from '../../bench/support/table.ts';

test('a quantile between two values is interpolated, and none of no values is not a number', () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantile([10, 20], 0.25), 12.5);
  assert.equal(quantile([7], 0.99), 7);
  assert.deepEqual(spread([5, 1, 3, 2, 4]), { median: 3, q1: 2, q3: 4 });
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a slope is that of the closest line', () => {
  assert.equal(
    slope([
      [0, 1],
      [2, 5],
      [4, 9],
    ]),
    2,
  );
  assert.equal(
    slope([
      [0, 0],
      [1, 3],
      [2, 0],
    ]),
    0,
  );
  assert.ok(Number.isNaN(slope([[1, 1]])));
});

test('shuffling keeps every value and follows the random source', () => {
  const values = [1, 2, 3, 4];
  const draws = [0.4, 0.3, 0.2, 0.1];
  assert.deepEqual(
    shuffled(values, () => draws.shift() ?? 0),
    [4, 3, 2, 1],
  );
  assert.deepEqual(values, [1, 2, 3, 4]);
});

test('a table shows a spread as its median with the quartiles behind it', () => {
  const rows = [
    { what: 'a', ms: { median: 12.345, q1: 1.239, q3: 1234.5 } },
    { what: 'longer', ms: 3 },
  ];
  assert.equal(
    tableText({ title: 'Figures', rows }),
    [
      'Figures',
      '  what                  ms',
      '  a       12.3 (1.24–1235)',
      '  longer                 3',
    ].join('\n'),
  );
});
