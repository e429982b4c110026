// What a policy says of a request: whom, what and where its statements mean, and which of them decides.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type AccessRequest,
  evaluate,
  type PolicyDecision,
  type RequestPrincipal,
} from '../../host/policies/evaluate.ts';
import type { PolicyStatement, StatementPrincipal } from '../../host/policies/statement.ts';

const resource = 'arn:aws:lambda:us-east-1:111111111111:function:f:live';
const other = '222222222222';

function identity(arn: string, account = other): RequestPrincipal {
  return { kind: 'identity', arn, account };
}

const user = identity(`arn:aws:iam::${other}:user/team/ann`);
const session = identity(`arn:aws:sts::${other}:assumed-role/worker/resize`);
const s3: RequestPrincipal = { kind: 'service', name: 's3.amazonaws.com' };
const anonymous: RequestPrincipal = { kind: 'anonymous' };

function statement(more: Partial<PolicyStatement> = {}): PolicyStatement {
  return {
    Effect: 'Allow',
    Principal: '*',
    Action: 'lambda:InvokeFunction',
    Resource: resource,
    ...more,
  };
}

function request(more: Partial<AccessRequest> = {}): AccessRequest {
  const keys = new Map([['aws:sourceaccount', other]]);
  return { principal: user, action: 'lambda:InvokeFunction', resource, keys, ...more };
}

function decide(
  statements: readonly PolicyStatement[],
  more: Partial<AccessRequest> = {},
): PolicyDecision {
  return evaluate({ Version: '2012-10-17', Statement: statements }, request(more));
}

suite('The principal of a statement', () => {
  const root = `arn:aws:iam::${other}:root`;
  const role = `arn:aws:iam::${other}:role/worker`;
  const cases: readonly (readonly [StatementPrincipal, RequestPrincipal, PolicyDecision])[] = [
    ['*', user, 'allowed'],
    ['*', s3, 'allowed'],
    ['*', anonymous, 'allowed'],
    [{ AWS: '*' }, anonymous, 'allowed'],
    [{ AWS: root }, user, 'delegated'],
    [{ AWS: root }, session, 'delegated'],
    [{ AWS: other }, user, 'delegated'],
    [{ AWS: root }, s3, 'silent'],
    [{ AWS: root }, anonymous, 'silent'],
    [{ AWS: root }, identity('arn:aws:iam::333333333333:user/ann', '333333333333'), 'silent'],
    [{ AWS: root }, identity(root), 'delegated'],
    [{ AWS: `arn:aws:iam::${other}:user/team/ann` }, user, 'allowed'],
    [{ AWS: [root, `arn:aws:iam::${other}:user/team/ann`] }, user, 'allowed'],
    [{ AWS: `arn:aws:iam::${other}:user/ann` }, user, 'silent'],
    [{ AWS: `arn:aws:iam::${other}:user/*` }, user, 'silent'],
    [{ AWS: role }, session, 'allowed'],
    [{ AWS: `arn:aws:iam::${other}:role/service-role/worker` }, session, 'allowed'],
    [{ AWS: `arn:aws:iam::333333333333:role/worker` }, session, 'silent'],
    [{ AWS: `arn:aws:iam::${other}:role/work` }, session, 'silent'],
    [{ AWS: `arn:aws:sts::${other}:assumed-role/worker/resize` }, session, 'allowed'],
    [{ AWS: `arn:aws:sts::${other}:assumed-role/worker/other` }, session, 'silent'],
    [{ Service: 's3.amazonaws.com' }, s3, 'allowed'],
    [{ Service: ['sns.amazonaws.com', 'S3.amazonaws.com'] }, s3, 'allowed'],
    [{ Service: 'sns.amazonaws.com' }, s3, 'silent'],
    [{ Service: 's3.amazonaws.com' }, user, 'silent'],
    [{ AWS: other, Service: 's3.amazonaws.com' }, s3, 'allowed'],
  ];
  for (const [Principal, principal, expected] of cases)
    test(`${JSON.stringify(Principal)} and ${JSON.stringify(principal)}: ${expected}`, () => {
      assert.equal(decide([statement({ Principal })], { principal }), expected);
    });
});

suite('The action of a statement', () => {
  const cases: readonly (readonly [PolicyStatement['Action'], string, boolean])[] = [
    ['lambda:InvokeFunction', 'lambda:InvokeFunction', true],
    ['lambda:invokefunction', 'lambda:InvokeFunction', true],
    ['lambda:*', 'lambda:GetFunction', true],
    ['*', 'lambda:GetFunction', true],
    ['lambda:Get*', 'lambda:GetFunction', true],
    ['lambda:Get*', 'lambda:InvokeFunction', false],
    [['lambda:GetAlias', 'lambda:GetFunction'], 'lambda:GetFunction', true],
    ['lambda:InvokeFunction', 'lambda:InvokeFunctionUrl', false],
    ['s3:*', 'lambda:GetFunction', false],
  ];
  for (const [Action, action, isMeant] of cases)
    test(`${String(Action)} ${isMeant ? 'means' : 'does not mean'} ${action}`, () => {
      const expected = isMeant ? 'allowed' : 'silent';
      assert.equal(decide([statement({ Action })], { action }), expected);
    });
});

suite('The resource of a statement', () => {
  const unqualified = resource.replace(':live', '');
  for (const Resource of [resource, '*', `${unqualified}:*`, [unqualified, resource]])
    test(`${String(Resource)} means the alias`, () => {
      assert.equal(decide([statement({ Resource })]), 'allowed');
    });
  for (const Resource of [unqualified, `${unqualified}:1`, resource.replace('us-', 'eu-'), []])
    test(`${JSON.stringify(Resource)} does not mean the alias`, () => {
      assert.equal(decide([statement({ Resource })]), 'silent');
    });
});

suite('Of several statements', () => {
  const deny = statement({ Effect: 'Deny' });
  const delegating = statement({ Principal: { AWS: other } });

  test('none is about the request: silent', () => {
    assert.equal(decide([]), 'silent');
  });

  test('one that denies outweighs those that allow, wherever it stands', () => {
    assert.equal(decide([statement(), deny]), 'denied');
    assert.equal(decide([deny, statement()]), 'denied');
    assert.equal(
      decide([statement(), statement({ Effect: 'Deny', Principal: { AWS: other } })]),
      'denied',
    );
  });

  test('one that allows the principal itself outweighs one that leaves it to the account', () => {
    assert.equal(decide([delegating, statement()]), 'allowed');
    assert.equal(decide([statement(), delegating]), 'allowed');
    assert.equal(decide([delegating]), 'delegated');
  });

  test('one whose conditions are not met says nothing', () => {
    const Condition = { StringEquals: { 'AWS:SourceAccount': '333333333333' } };
    assert.equal(decide([statement({ Condition })]), 'silent');
    assert.equal(decide([statement({ Effect: 'Deny', Condition })]), 'silent');
    const met = { StringEquals: { 'AWS:SourceAccount': other } };
    assert.equal(decide([statement({ Condition: met })]), 'allowed');
    assert.equal(decide([statement(), statement({ Effect: 'Deny', Condition: met })]), 'denied');
  });

  test('one that cannot be judged never gives access', () => {
    const Condition = { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } };
    assert.equal(decide([statement({ Condition })]), 'silent');
    assert.equal(decide([statement(), statement({ Effect: 'Deny', Condition })]), 'denied');
  });
});
