import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type PageKey, page, pageFrom } from '../../host/api/pagination.ts';

const self = <Key extends PageKey>(key: Key): Key => key;

/** All items, page by page. */
function walk<Key extends PageKey>(items: readonly Key[], size: number): Key[][] {
  const pages: Key[][] = [];
  let marker: string | undefined;
  do {
    const { items: shown, nextMarker } = page(items, self, marker, size, 50);
    pages.push([...shown]);
    marker = nextMarker;
  } while (marker !== undefined);
  return pages;
}

suite('Pages', () => {
  test('hold every item once, in order, whatever their size', () => {
    const keys = fc.uniqueArray(fc.string({ unit: 'binary' }).filter((key) => key.isWellFormed()));
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 60 }), (unordered, size) => {
        const items = unordered.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const pages = walk(items, size);
        assert.deepEqual(pages.flat(), items);
        assert.ok(pages.slice(0, -1).every((shown) => shown.length === Math.min(size, 50)));
      }),
    );
  });

  test('go on behind a marked item that is gone', () => {
    const { nextMarker } = page(['a', 'b', 'c', 'd'], self, undefined, 2, 50);
    assert.deepEqual(page(['a', 'c', 'd'], self, nextMarker, 2, 50).items, ['c', 'd']);
    assert.deepEqual(page(['a', 'b', 'bb'], self, nextMarker, 2, 50).items, ['bb']);
    assert.deepEqual(page([], self, nextMarker, 2, 50), { items: [], nextMarker: undefined });
  });

  test('follow numbers as numbers, and down with a minus sign', () => {
    assert.deepEqual(walk([1, 2, 9, 10, 100], 2), [[1, 2], [9, 10], [100]]);
    assert.deepEqual(walk([-3, -2, -1], 2), [[-3, -2], [-1]]);
  });

  test('made while they are walked ask for one item more than they show', () => {
    let asked = 0;
    function* numbersAfter(after: PageKey | undefined) {
      for (let number = Number(after ?? 0) + 1; ; number++) {
        asked++;
        yield number;
      }
    }
    const first = pageFrom(numbersAfter, self, undefined, 3, 50);
    assert.deepEqual(first.items, [1, 2, 3]);
    assert.deepEqual(pageFrom(numbersAfter, self, first.nextMarker, 2, 50).items, [4, 5]);
    assert.equal(asked, 4 + 3);
  });

  test('end without a marker', () => {
    assert.equal(page(['a', 'b'], self, undefined, 2, 50).nextMarker, undefined);
    assert.equal(page([], self, undefined, undefined, 50).nextMarker, undefined);
  });

  test('are limited by the cap without a word, and by it alone when nothing is asked', () => {
    const items = Array.from({ length: 60 }, (_, index) => index);
    assert.equal(page(items, self, undefined, 10_000, 50).items.length, 50);
    assert.equal(page(items, self, undefined, undefined, 50).items.length, 50);
    assert.equal(page(items, self, undefined, 0, 50).items.length, 50);
    assert.equal(page(items, self, undefined, 7, 50).items.length, 7);
  });

  test('take an empty marker for none', () => {
    assert.deepEqual(page(['a'], self, '', 1, 50).items, ['a']);
  });

  test('refuse a marker that they never gave', () => {
    const invalid = { name: 'InvalidParameterValueException', message: 'Invalid marker' };
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const marker of [
      'x',
      '!',
      'ImEi=',
      forged(null),
      forged({}),
      forged(1),
      `${forged('a')} `,
      forged('a').slice(1),
    ]) {
      assert.throws(() => page(['a', 'b'], self, marker, 1, 50), invalid, marker);
    }
  });
});
