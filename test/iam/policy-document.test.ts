import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkIdentityPolicy, checkTrustPolicy } from '../../host/iam/policy-document.ts';

const identity = { Effect: 'Allow', Action: 's3:Get*', Resource: 'arn:aws:s3:::b/*' };
const trust = { Effect: 'Allow', Principal: { AWS: '*' }, Action: ['sts:AssumeRole'] };

type Check = (text: string) => void;

function refusalOf(check: Check, Statement: unknown, more: object = {}): string {
  try {
    check(JSON.stringify({ Version: '2012-10-17', Statement, ...more }));
    return 'taken';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const syntax = 'Syntax errors in policy.';
const vendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';

test('what every policy must be', () => {
  for (const [check, base] of [
    [checkIdentityPolicy, identity],
    [checkTrustPolicy, trust],
  ] as const) {
    const of = (statement: unknown, more?: object) => refusalOf(check, statement, more);
    assert.equal(of(base), 'taken');
    assert.equal(of([base, { ...base, Sid: 'Two', Effect: 'Deny' }]), 'taken');
    assert.equal(of([base], { Version: undefined, Id: 'x' }), 'taken');
    assert.equal(of([base], { Version: '2012-10-18' }), syntax);
    assert.equal(of([base], { Extra: 1 }), syntax);
    assert.equal(of(undefined), syntax);
    assert.equal(of([]), syntax);
    assert.equal(of(['x']), syntax);
    assert.equal(of({ ...base, Effect: 'allow' }), syntax);
    assert.equal(of({ ...base, Extra: 1 }), syntax);
    assert.equal(of({ ...base, Condition: 'x' }), syntax);
    assert.equal(of({ ...base, Action: [1] }), syntax);
    assert.equal(of({ ...base, NotAction: 'sts:x' }), syntax);
    assert.equal(of({ ...base, Action: 'Get' }), vendor);
    assert.equal(of({ ...base, Action: [] }), 'Policy statement must contain actions.');
    assert.equal(of({ ...base, Action: undefined }), 'Policy statement must contain actions.');
    assert.match(of({ ...base, Sid: 'a b' }), /must be alpha-numeric/);
    assert.match(of([base, base].map((each) => ({ ...each, Sid: 'S' }))), /must be unique\.$/);
    assert.throws(() => check('{"Version"'), { message: 'This policy contains invalid Json' });
    assert.throws(() => check('null'), { message: syntax });
  }
});

test('a policy of an identity has resources and no principal', () => {
  const of = (more: object) => refusalOf(checkIdentityPolicy, { ...identity, ...more });
  assert.equal(of({ Resource: '*' }), 'taken');
  assert.equal(of({ Resource: undefined, NotResource: ['arn:aws:s3:::b'] }), 'taken');
  assert.equal(of({ Resource: undefined }), 'Policy statement must contain resources.');
  assert.equal(of({ Resource: ['b'] }), 'Resource b must be in ARN format or "*".');
  assert.equal(of({ Principal: '*' }), 'Policy document should not specify a principal.');
});

test('a trust policy has principals, no resources, and actions of STS', () => {
  const of = (more: object) => refusalOf(checkTrustPolicy, { ...trust, ...more });
  assert.equal(of({ Principal: '*' }), 'taken');
  assert.equal(of({ Action: ['sts:TagSession', 'STS:AssumeRole'] }), 'taken');
  assert.equal(of({ Principal: undefined }), 'Missing required field Principal');
  assert.equal(of({ Resource: '*' }), 'Has prohibited field Resource');
  assert.equal(of({ Principal: {} }), syntax);
  assert.equal(of({ Principal: { Services: 'x' } }), syntax);
  assert.equal(of({ Principal: { Service: [] } }), syntax);
  assert.equal(of({ Principal: 'x' }), syntax);
  assert.equal(
    of({ Action: 's3:*' }),
    'AssumeRole policy may only specify STS AssumeRole actions.',
  );
});
