// What a caller is authorised for is what is executed: both read names and ARNs of functions alike, sound or not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accountOf, addressedResource } from '../../host/auth/resource.ts';
import {
  type FunctionReference,
  functionNameParts,
  resolveReference,
} from '../../host/functions/names.ts';
import { ServiceError } from '../../host/service-error.ts';

const CALLER = { account: '000000000000', region: 'us-east-1' };

/** Names made of the pieces that forms are made of, in any order and number. */
const names = fc
  .array(
    fc.constantFrom(
      'arn',
      'aws',
      'aws-cn',
      'lambda',
      'us-east-1',
      'us-gov-west-1',
      'eu-central-1',
      '000000000000',
      '111122223333',
      'function',
      'f',
      'a.b',
      '7',
      '$LATEST',
      '$LATEST.PUBLISHED',
      'live',
      '',
    ),
    { minLength: 1, maxLength: 9 },
  )
  .map((pieces) => pieces.join(':'));

const wholeNames = fc
  .tuple(
    fc.constantFrom('arn:aws:lambda:', 'arn:aws-cn:lambda:', ''),
    fc.constantFrom('us-east-1:', 'eu-central-1:', ''),
    fc.constantFrom('000000000000:', '111122223333:', ''),
    fc.constantFrom('function:', ''),
    fc.constantFrom('f', '111122223333', 'function', 'us-east-1'),
    fc.constantFrom(':live', ':7', ':$LATEST', ''),
  )
  .map((pieces) => pieces.join(''));

test('a call is authorised for the function, the qualifier and the account that it is executed for', () => {
  let resolved = 0;
  fc.assert(
    fc.property(
      fc.oneof(names, wholeNames),
      fc.option(fc.constantFrom('live', '7'), { nil: undefined }),
      (functionName, qualifier) => {
        const input = { FunctionName: functionName, Qualifier: qualifier };
        const account = accountOf(input, CALLER);
        const reference = resolveIn({ ...CALLER, account }, functionName, qualifier);
        // What is no form of a name has no meaning: its validation refuses it.
        if (reference === undefined || functionNameParts(functionName) === undefined) return;
        resolved += 1;
        assert.deepEqual(addressedResource('Invoke', input, CALLER), {
          kind: 'function',
          region: CALLER.region,
          account,
          ...reference,
        });
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(resolved > 200, `only ${resolved} names meant something`);
});

/** Undefined where the operation refuses, whatever the caller may do; never for want of the account. */
function resolveIn(
  scope: typeof CALLER,
  functionName: string,
  qualifier: string | undefined,
): FunctionReference | undefined {
  try {
    return resolveReference(scope, functionName, qualifier);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    assert.notEqual(error.name, 'AccessDeniedException');
    return undefined;
  }
}
