// What is told of a failed invocation, whatever the function's runtime has posted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorMessageIn } from '../../host/functions/error-message.ts';

test('the message of an error body is its errorMessage', () => {
  const body = '{"errorMessage":"no ü","errorType":"Error"}';
  assert.equal(errorMessageIn(Buffer.from(body)), 'no ü');
});

for (const body of [
  '',
  'not JSON',
  'null',
  '"text"',
  '{}',
  '{"errorMessage":7}',
  '{"errorMessage":{"toString":1,"valueOf":1}}',
])
  test(`the message of ${body === '' ? 'an empty body' : body} is all of it`, () => {
    assert.equal(errorMessageIn(Buffer.from(body)), body);
  });

test('every body has a message', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
      assert.equal(typeof errorMessageIn(Buffer.from(body)), 'string');
    }),
  );
});
