// Wildcards of policies: what they stand for, and that no pattern takes long.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { matchesArn, matchesPattern } from '../../host/policies/pattern.ts';

suite('A pattern', () => {
  const cases: readonly (readonly [pattern: string, text: string, fits: boolean])[] = [
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a\nb', true],
    ['?', '', false],
    ['?', 'a', true],
    ['a*c', 'abbc', true],
    ['a*c', 'ac', true],
    ['a*c', 'acb', false],
    ['a*b*c', 'abxbc', true],
    ['*ab', 'aab', true],
    ['a?c*', 'abcabc', true],
    ['a.c', 'abc', false],
    ['A', 'a', false],
    ['a**b', 'ab', true],
  ];
  for (const [pattern, text, fits] of cases)
    test(`'${pattern}' ${fits ? 'means' : 'does not mean'} '${JSON.stringify(text)}'`, () => {
      assert.equal(matchesPattern(text, pattern), fits);
    });

  test('agrees with the regular expression that says the same', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 6 });
    fc.assert(
      fc.property(text, pattern, (given, wanted) => {
        const same = wanted.replaceAll('*', '.*').replaceAll('?', '.');
        assert.equal(matchesPattern(given, wanted), new RegExp(`^${same}$`).test(given));
      }),
      { numRuns: 2_000 },
    );
  });

  test('that would keep a backtracking matcher busy for ever is answered', () => {
    assert.equal(matchesPattern('a'.repeat(2_000), `${'*a'.repeat(1_000)}*b`), false);
  });
});

suite('An ARN', () => {
  const arn = 'arn:aws:s3:::bucket/a:b';
  const cases: readonly (readonly [pattern: string, fits: boolean])[] = [
    [arn, true],
    ['arn:aws:s3:::bucket/*', true],
    ['arn:*:s3:*:*:bucket/*', true],
    ['arn:aws:s?:::bucket/a?b', true],
    ['arn:aws:s3:::*', true],
    ['arn:aws:*', false],
    ['arn:*', false],
    ['*', false],
    ['arn:aws*bucket/a:b', false],
    ['arn:aws:s3:::bucket', false],
    ['arn:aws:sqs:::bucket/a:b', false],
  ];
  for (const [pattern, fits] of cases)
    test(`${fits ? 'is' : 'is not'} meant by ${pattern}`, () => {
      assert.equal(matchesArn(arn, pattern), fits);
    });

  test('is nothing else', () => {
    for (const text of ['', 'bucket', 'arn:aws:s3:::', 'ARN:aws:s3:::b'])
      assert.equal(matchesArn(text, 'arn:aws:s3:::b'), false);
    assert.equal(matchesArn('not an arn', '*'), false);
  });
});
