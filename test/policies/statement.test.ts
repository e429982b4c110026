// The text of a permission's statement, to the letter, and whom a principal names.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { permissionStatement, statementPrincipal } from '../../host/policies/statement.ts';

const resource = 'arn:aws:lambda:us-east-1:111111111111:function:f';

function text(more: Partial<Parameters<typeof permissionStatement>[0]> = {}): string {
  const action = 'lambda:InvokeFunction';
  return JSON.stringify(
    permissionStatement({ sid: 's', principal: '*', action, resource, ...more }),
  );
}

suite('The statement of a permission', () => {
  test('has its keys in the order of the service and no Condition without a condition', () => {
    const expected = `{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"${resource}"}`;
    assert.equal(text(), expected);
    assert.equal(text({ conditions: {} }), expected);
    assert.equal(text({ conditions: { sourceArn: undefined } }), expected);
  });

  test('has its conditions in the order of the service, each one text', () => {
    const conditions = {
      sourceArn: 'arn:aws:s3:::b',
      eventSourceToken: 'amzn1',
      principalOrgId: 'o-0123456789',
      functionUrlAuthType: 'NONE',
      sourceAccount: '111111111111',
      invokedViaFunctionUrl: true,
    };
    const expected =
      '"Condition":{"StringEquals":{"AWS:SourceAccount":"111111111111","lambda:FunctionUrlAuthType":"NONE","aws:PrincipalOrgID":"o-0123456789","lambda:EventSourceToken":"amzn1"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"},"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}';
    assert.ok(text({ conditions }).endsWith(expected), text({ conditions }));
  });
});

suite('A principal', () => {
  const root = 'arn:aws:iam::111111111111:root';
  const cases: readonly (readonly [string, unknown])[] = [
    ['*', '*'],
    ['111111111111', { AWS: root }],
    [root, { AWS: root }],
    ['arn:aws:iam::111111111111:user/a/b', { AWS: 'arn:aws:iam::111111111111:user/a/b' }],
    ['arn:aws-cn:iam::111111111111:role/r', { AWS: 'arn:aws-cn:iam::111111111111:role/r' }],
    [
      'arn:aws:sts::111111111111:assumed-role/r/s',
      { AWS: 'arn:aws:sts::111111111111:assumed-role/r/s' },
    ],
    ['s3.amazonaws.com', { Service: 's3.amazonaws.com' }],
    ['logs.us-east-1.amazonaws.com', { Service: 'logs.us-east-1.amazonaws.com' }],
    ['alexa-appkit.amazon.com', { Service: 'alexa-appkit.amazon.com' }],
  ];
  for (const [named, expected] of cases)
    test(`${named} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(statementPrincipal(named, 'aws'), expected);
    });

  test('that is an account has its root in the partition of the region', () => {
    assert.deepEqual(statementPrincipal('111111111111', 'aws-cn'), {
      AWS: 'arn:aws-cn:iam::111111111111:root',
    });
  });

  for (const named of [
    '',
    'ann',
    '11111111111',
    'amazonaws.com',
    'evil.com',
    's3.amazonaws.com.evil.com',
    'arn:aws:iam::111111111111:group/g',
    'arn:aws:iam::1:root',
    'arn:aws:s3:::b',
    '**',
  ])
    test(`'${named}' is none`, () => {
      assert.throws(() => statementPrincipal(named, 'aws'), {
        name: 'InvalidParameterValueException',
        message: 'The provided principal was invalid. Please check the principal and try again.',
      });
    });
});
