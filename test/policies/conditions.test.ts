// Conditions, operator by operator: with a value that fits, one that does not, and none.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type ConditionKeys,
  conditionsHold,
  isKnownOperator,
} from '../../host/policies/conditions.ts';
import type { Conditions } from '../../host/policies/statement.ts';

const arn = 'arn:aws:s3:::bucket';

/** Whether `operator` holds for a value that is meant, one that is not, and no value at all. */
const table: Readonly<
  Record<string, readonly [wanted: string | string[], fit: string, unfit: string, holds: string]>
> = {
  StringEquals: ['Abc', 'Abc', 'abc', 'yes no no'],
  StringNotEquals: ['Abc', 'Abc', 'abc', 'no yes yes'],
  StringEqualsIgnoreCase: ['Abc', 'aBC', 'abcd', 'yes no no'],
  StringNotEqualsIgnoreCase: ['Abc', 'aBC', 'abcd', 'no yes yes'],
  StringLike: ['a*c', 'abc', 'Abc', 'yes no no'],
  StringNotLike: ['a*c', 'abc', 'Abc', 'no yes yes'],
  ArnEquals: ['arn:aws:s3:::b*', arn, 'arn:aws:sns:::b', 'yes no no'],
  ArnLike: ['arn:aws:s3:::b*', arn, 'arn:aws:sns:::b', 'yes no no'],
  ArnNotEquals: ['arn:aws:s3:::b*', arn, 'arn:aws:sns:::b', 'no yes yes'],
  ArnNotLike: ['arn:aws:s3:::b*', arn, 'arn:aws:sns:::b', 'no yes yes'],
  Bool: ['true', 'True', 'false', 'yes no no'],
  Null: ['true', 'x', 'y', 'no no yes'],
  StringEqualsIfExists: ['a', 'a', 'b', 'yes no yes'],
  'ForAnyValue:StringEquals': [['a', 'c'], 'c', 'b', 'yes no no'],
  'ForAllValues:StringEquals': [['a', 'c'], 'c', 'b', 'yes no yes'],
  'ForAnyValue:StringNotEquals': [['a', 'c'], 'c', 'b', 'no yes no'],
  'ForAllValues:StringLikeIfExists': ['a*', 'ab', 'b', 'yes no yes'],
};

function holds(conditions: Conditions, known: Readonly<Record<string, string>>): boolean {
  const keys: ConditionKeys = new Map(Object.entries(known));
  return conditionsHold(conditions, keys, false);
}

suite('Conditions', () => {
  for (const [operator, [wanted, fit, unfit, expected]] of Object.entries(table))
    test(`${operator} holds for what is meant, what is not, nothing: ${expected}`, () => {
      const conditions = { [operator]: { 'AWS:SourceArn': wanted } };
      const answers = [{ 'aws:sourcearn': fit }, { 'aws:sourcearn': unfit }, {}].map((known) =>
        holds(conditions, known) ? 'yes' : 'no',
      );
      assert.equal(answers.join(' '), expected);
      assert.ok(isKnownOperator(operator));
    });

  test('Null false asks that the key is known', () => {
    assert.equal(holds({ Null: { k: 'false' } }, { k: 'x' }), true);
    assert.equal(holds({ Null: { k: false } }, {}), false);
  });

  test('all operators and all keys must hold, of the values one', () => {
    const conditions: Conditions = {
      StringEquals: { a: ['1', '2'], b: '3' },
      Bool: { c: true },
    };
    assert.equal(holds(conditions, { a: '2', b: '3', c: 'true' }), true);
    assert.equal(holds(conditions, { a: '3', b: '3', c: 'true' }), false);
    assert.equal(holds(conditions, { a: '2', b: '2', c: 'true' }), false);
    assert.equal(holds(conditions, { a: '2', b: '3', c: 'false' }), false);
  });

  test('a negated operator holds when none of its values is the one', () => {
    const conditions = { StringNotEquals: { a: ['1', '2'] } };
    assert.equal(holds(conditions, { a: '2' }), false);
    assert.equal(holds(conditions, { a: '3' }), true);
  });

  test('an operator that is not known says what its caller asks for', () => {
    for (const operator of [
      'IpAddress',
      'DateGreaterThan',
      'NumericEquals',
      'BinaryEquals',
      'StringNotlike',
      'NullIfExists',
      'ForSomeValues:StringEquals',
      'constructor',
      '',
    ]) {
      assert.equal(isKnownOperator(operator), false, operator);
      const conditions = { [operator]: { a: '1' } };
      assert.equal(conditionsHold(conditions, new Map([['a', '1']]), false), false);
      assert.equal(conditionsHold(conditions, new Map([['a', '1']]), true), true);
    }
  });
});
