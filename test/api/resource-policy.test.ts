// GetResourcePolicy, PutResourcePolicy, DeleteResourcePolicy: the same policies that permissions make, whole.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteResourcePolicyCommand,
  GetResourcePolicyCommand,
  type LambdaClient,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-lambda';
import { type ApiHost, startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import { permit, policyOf, sidsOf, withdraw } from '../support/policies.ts';
import { alias, configurationOf, withVersions } from '../support/versions.ts';
import { invalid, type Refusal, refusalOf } from '../support/wire.ts';

const arn = `${ARN}:f`;

/** A function `f` with version 1 and the alias `live`. */
async function hostWithFunction(): Promise<ApiHost> {
  const t = await startApiHost();
  await withVersions(t.client, 'f', 1);
  await alias(t.client, 'f', 'live', '1');
  return t;
}

function statement(more: Readonly<Record<string, unknown>> = {}) {
  return {
    Sid: 'one',
    Effect: 'Allow',
    Principal: { AWS: '222222222222' },
    Action: 'lambda:InvokeFunction',
    Resource: arn,
    ...more,
  };
}

function documentOf(...Statement: readonly unknown[]): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'mine', Statement });
}

async function put(client: LambdaClient, Policy: string, RevisionId?: string, ResourceArn = arn) {
  const command = new PutResourcePolicyCommand({ ResourceArn, Policy, RevisionId });
  const { Policy: text, RevisionId: revisionId } = await client.send(command);
  return { text, revisionId };
}

async function get(client: LambdaClient, ResourceArn = arn) {
  const { Policy, RevisionId } = await client.send(new GetResourcePolicyCommand({ ResourceArn }));
  return { text: Policy, revisionId: RevisionId };
}

async function remove(client: LambdaClient, ResourceArn = arn, RevisionId?: string) {
  const command = new DeleteResourcePolicyCommand({ ResourceArn, RevisionId });
  return (await client.send(command)).$metadata.httpStatusCode;
}

function notFound(message: string): Refusal {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

const nothing = notFound('The resource you requested does not exist.');

const stale: Refusal = {
  status: 412,
  name: 'PreconditionFailedException',
  message:
    'The Revision Id provided does not match the latest Revision Id. Call the GetResourcePolicy API to retrieve the latest Revision Id',
};

suite('A whole policy', () => {
  test('is put, read and removed', async () => {
    await using t = await hostWithFunction();
    const text = documentOf(statement(), statement({ Sid: 'two', Effect: 'Deny' }));
    const answered = await put(t.client, JSON.stringify(JSON.parse(text), undefined, 2));
    assert.equal(answered.text, text);
    assert.deepEqual(await get(t.client), answered);
    const shown = await policyOf(t.client);
    assert.deepEqual({ text: shown.text, revisionId: shown.revisionId }, answered);
    assert.equal(await remove(t.client), 204);
    assert.deepEqual(await refusalOf(get(t.client)), nothing);
    assert.deepEqual(await refusalOf(policyOf(t.client)), nothing);
  });

  test('takes the place of what permissions have made, and permissions go on from there', async () => {
    await using t = await hostWithFunction();
    await permit(t.client, { StatementId: 'old' });
    assert.equal((await get(t.client)).text, (await policyOf(t.client)).text);
    await put(t.client, documentOf(statement()));
    await permit(t.client, { StatementId: 'new' });
    assert.deepEqual(await sidsOf(t.client), ['one', 'new']);
    assert.equal((await refusalOf(permit(t.client, { StatementId: 'one' }))).status, 409);
    await withdraw(t.client, 'one');
    await withdraw(t.client, 'new');
    assert.deepEqual(await refusalOf(get(t.client)), nothing);
  });

  test('belongs to a version or an alias as well, each by its own ARN', async () => {
    await using t = await hostWithFunction();
    for (const qualifier of ['1', 'live']) {
      const own = documentOf(statement({ Resource: `${arn}:${qualifier}` }));
      await put(t.client, own, undefined, `${arn}:${qualifier}`);
      assert.equal((await get(t.client, `${arn}:${qualifier}`)).text, own);
    }
    assert.deepEqual(await refusalOf(get(t.client)), nothing);
    await remove(t.client, `${arn}:live`);
    assert.deepEqual(await refusalOf(get(t.client, `${arn}:live`)), nothing);
    assert.deepEqual(await sidsOf(t.client, 'f', '1'), ['one']);
  });

  test('may hold one statement outside a list, an old version or none, and every form of a value', async () => {
    await using t = await hostWithFunction();
    const every = statement({
      Sid: undefined,
      Principal: { AWS: ['*', `arn:aws:iam::222222222222:role/r`], Service: 's3.amazonaws.com' },
      Action: ['lambda:Get*', 'lambda:*', '*'],
      Resource: ['*', `${ARN}:*`],
      Condition: {
        'ForAnyValue:StringLikeIfExists': { 'aws:sourceaccount': ['1*', '2*'] },
        Bool: { 'aws:PrincipalIsAWSService': false },
      },
    });
    const { text } = await put(t.client, JSON.stringify({ Statement: every }));
    assert.equal(text, JSON.stringify({ Statement: [every] }));
    const old = JSON.stringify({ Version: '2008-10-17', Statement: [statement()] });
    assert.equal((await put(t.client, old)).text, old);
  });

  test('is put and removed under its revision only, when one is given', async () => {
    await using t = await hostWithFunction();
    const { RevisionId: ofFunction } = await configurationOf(t.client, 'f');
    const text = documentOf(statement());
    assert.deepEqual(await refusalOf(put(t.client, text, ofFunction)), stale);
    const first = await put(t.client, text);
    const second = await put(t.client, text, first.revisionId);
    assert.notEqual(second.revisionId, first.revisionId);
    assert.deepEqual(await refusalOf(put(t.client, text, first.revisionId)), stale);
    assert.deepEqual(await refusalOf(remove(t.client, arn, first.revisionId)), stale);
    assert.deepEqual(await get(t.client), second);
    assert.equal(await remove(t.client, arn, second.revisionId), 204);
  });

  test('tells what is missing', async () => {
    await using t = await hostWithFunction();
    const text = documentOf(statement());
    const missing: readonly (readonly [string, string])[] = [
      [`${ARN}:gone`, `Function not found: ${ARN}:gone`],
      [`${arn}:7`, `Function not found: ${arn}:7`],
      [`${arn}:dead`, `Cannot find alias arn: ${arn}:dead`],
    ];
    for (const [resource, message] of missing) {
      assert.deepEqual(
        await refusalOf(put(t.client, text, undefined, resource)),
        notFound(message),
      );
      assert.deepEqual(await refusalOf(remove(t.client, resource)), notFound(message));
      assert.deepEqual(await refusalOf(get(t.client, resource)), nothing);
    }
    const none = notFound('No policy is associated with the given resource.');
    assert.deepEqual(await refusalOf(remove(t.client)), none);
    const elsewhere = notFound(
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    );
    const there = arn.replace('us-east-1', 'eu-west-1');
    assert.deepEqual(await refusalOf(get(t.client, there)), elsewhere);
    assert.equal((await refusalOf(get(t.client, arn.replace(':aws:', ':aws-cn:')))).status, 404);
  });

  test('is found by a complete ARN only', async () => {
    await using t = await hostWithFunction();
    for (const resource of [
      'f',
      'function:f',
      '000000000000:function:f',
      `${arn}*`,
      `${arn}:live:x`,
      `${ARN}:`,
      'arn:aws:s3:::b',
      'arn:aws:lambda:us-east-1:000000000000:layer:f',
    ])
      assert.deepEqual(
        await refusalOf(get(t.client, resource)),
        invalid(
          `The provided resource ARN is invalid: ${resource}. It must be the complete ARN of a function, a version or an alias.`,
        ),
      );
    const latest = `${arn}:$LATEST`;
    assert.deepEqual(
      await refusalOf(put(t.client, documentOf(statement()), undefined, latest)),
      invalid('We currently do not support adding policies for $LATEST.'),
    );
    assert.deepEqual(await refusalOf(get(t.client, arn.replace('0'.repeat(12), '1'.repeat(12)))), {
      status: 403,
      name: 'AccessDeniedException',
      message: 'UnknownError',
    });
  });

  test('is refused when it is not one, or says what this host cannot judge, and changes nothing', async () => {
    await using t = await hostWithFunction();
    const before = await put(t.client, documentOf(statement()));
    const one = 'Statement 1';
    const condition = (operator: string, key: string, value: unknown) =>
      documentOf(statement({ Condition: { [operator]: { [key]: value } } }));
    const cases: readonly (readonly [string, string])[] = [
      ['', 'it is not JSON'],
      ['{"Statement":', 'it is not JSON'],
      ['[]', 'the document must be an object'],
      ['{}', 'Statement must hold at least one statement'],
      [documentOf(), 'Statement must hold at least one statement'],
      [documentOf('x'), `${one} must be an object`],
      [
        JSON.stringify({ Version: '2020-01-01', Statement: [statement()] }),
        'Version must be 2012-10-17 or 2008-10-17',
      ],
      [JSON.stringify({ Id: 1, Statement: [statement()] }), 'Id must be a string'],
      [JSON.stringify({ Note: '', Statement: [statement()] }), 'the document must not have Note'],
      [documentOf(statement({ NotAction: 'x' })), `${one} must not have NotAction`],
      [documentOf(statement({ Effect: 'allow' })), `Effect of ${one} must be Allow or Deny`],
      [
        documentOf(statement({ Sid: 'a b' })),
        `Sid of ${one} must be 1 to 100 letters, digits, -, _ or .`,
      ],
      [documentOf(statement(), statement()), 'Sid one stands twice'],
      [documentOf(statement({ Principal: undefined })), `Principal of ${one} must be an object`],
      [documentOf(statement({ Principal: {} })), `Principal of ${one} names nobody`],
      [
        documentOf(statement({ Principal: { Federated: 'x' } })),
        `Principal of ${one} must not have Federated`,
      ],
      [
        documentOf(statement({ Principal: { AWS: 'ann' } })),
        `ann in AWS in Principal of ${one} is no such principal`,
      ],
      [
        documentOf(statement({ Principal: { Service: 's3' } })),
        `s3 in Service in Principal of ${one} is no such principal`,
      ],
      [
        documentOf(statement({ Action: undefined })),
        `Action of ${one} must be a string or a list of strings`,
      ],
      [
        documentOf(statement({ Action: [] })),
        `Action of ${one} must be a string or a list of strings`,
      ],
      [
        documentOf(statement({ Action: 's3:GetObject' })),
        `s3:GetObject in Action of ${one} is not an action of Lambda`,
      ],
      [
        documentOf(statement({ Resource: `${arn}:live` })),
        `${arn}:live in Resource of ${one} does not mean ${arn}`,
      ],
      [
        documentOf(statement({ Resource: [arn, 1] })),
        `Resource of ${one} must be a string or a list of strings`,
      ],
      [
        condition('IpAddress', 'aws:SourceIp', '10.0.0.0/8'),
        `this host does not know IpAddress in Condition of ${one}`,
      ],
      [
        condition('Bool', 'aws:SecureTransport', 'false'),
        `this host does not know aws:SecureTransport in Condition of ${one}`,
      ],
      [
        condition('StringEquals', 'aws:SourceAccount', {}),
        `aws:SourceAccount in Condition of ${one} must have strings, numbers or booleans as its values`,
      ],
      [
        condition('StringEquals', 'aws:SourceAccount', '${aws:PrincipalAccount}'),
        `this host does not replace policy variables, as in aws:SourceAccount in Condition of ${one}`,
      ],
      [documentOf(statement({ Condition: [] })), `Condition of ${one} must be an object`],
    ];
    for (const [text, reason] of cases)
      assert.deepEqual(
        await refusalOf(put(t.client, text)),
        invalid(`The provided policy is invalid: ${reason}.`),
        text,
      );
    const Action = Array.from({ length: 1_000 }, () => 'lambda:InvokeFunction');
    const long = documentOf(statement({ Action }));
    assert.deepEqual(await refusalOf(put(t.client, long)), {
      status: 400,
      name: 'PolicyLengthExceededException',
      message: `The final policy size (${long.length}) is bigger than the limit (20480).`,
    });
    assert.deepEqual(await get(t.client), before);
  });
});
