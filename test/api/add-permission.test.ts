// AddPermission: the statement it makes, what it checks and in which order, and that none is lost.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AddPermissionCommandInput } from '@aws-sdk/client-lambda';
import { type ApiHost, startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import { permit, policyOf, sidsOf } from '../support/policies.ts';
import { alias, configurationOf, withVersions } from '../support/versions.ts';
import { invalid, type Refusal, refusalOf, unfit } from '../support/wire.ts';

/** A function `f` with version 1 and the alias `live` of it. */
async function hostWithFunction(): Promise<ApiHost> {
  const t = await startApiHost();
  await withVersions(t.client, 'f', 1);
  await alias(t.client, 'f', 'live', '1');
  return t;
}

function refused({ client }: ApiHost, more: Partial<AddPermissionCommandInput>): Promise<Refusal> {
  return refusalOf(permit(client, more));
}

function notFound(message: string): Refusal {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

const stale: Refusal = {
  status: 412,
  name: 'PreconditionFailedException',
  message:
    'The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id',
};

suite('AddPermission', () => {
  test('answers the statement, and the policy holds it to the letter', async () => {
    await using t = await hostWithFunction();
    const statement = await permit(t.client, {
      StatementId: 's3',
      Principal: 's3.amazonaws.com',
      SourceArn: 'arn:aws:s3:::b',
      SourceAccount: '111111111111',
    });
    assert.equal(
      statement,
      `{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"${ARN}:f","Condition":{"StringEquals":{"AWS:SourceAccount":"111111111111"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`,
    );
    const second = await permit(t.client, { StatementId: 'two', Principal: '222222222222' });
    const { text } = await policyOf(t.client);
    assert.equal(
      text,
      `{"Version":"2012-10-17","Id":"default","Statement":[${statement},${second}]}`,
    );
    assert.match(second, /"Principal":\{"AWS":"arn:aws:iam::222222222222:root"\}/);
  });

  test('takes every condition and every form of action', async () => {
    await using t = await hostWithFunction();
    await permit(t.client, {
      StatementId: 'url',
      Action: 'lambda:InvokeFunctionUrl',
      FunctionUrlAuthType: 'NONE',
    });
    await permit(t.client, { StatementId: 'via', InvokedViaFunctionUrl: true });
    await permit(t.client, { StatementId: 'org', Action: '*', PrincipalOrgID: 'o-0123456789' });
    await permit(t.client, {
      StatementId: 'alexa',
      Action: 'lambda:*',
      Principal: 'alexa-appkit.amazon.com',
      EventSourceToken: 'amzn1.ask.skill',
    });
    const { statements } = await policyOf(t.client);
    assert.deepEqual(
      statements.map(({ Sid, Action, Condition }) => [Sid, Action, Condition]),
      [
        [
          'url',
          'lambda:InvokeFunctionUrl',
          { StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } },
        ],
        ['via', 'lambda:InvokeFunction', { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }],
        ['org', '*', { StringEquals: { 'aws:PrincipalOrgID': 'o-0123456789' } }],
        ['alexa', 'lambda:*', { StringEquals: { 'lambda:EventSourceToken': 'amzn1.ask.skill' } }],
      ],
    );
  });

  test('keeps one policy for the function, one for each version and one for each alias', async () => {
    await using t = await hostWithFunction();
    await permit(t.client, { StatementId: 'own' });
    await permit(t.client, { StatementId: 'same', Qualifier: '1' });
    await permit(t.client, { FunctionName: 'f:live', StatementId: 'same' });
    await permit(t.client, { FunctionName: `${ARN}:f:live`, Qualifier: 'live', StatementId: 'b' });
    assert.deepEqual(await sidsOf(t.client), ['own']);
    assert.deepEqual(await sidsOf(t.client, 'f', '1'), ['same']);
    assert.deepEqual(await sidsOf(t.client, 'f', 'live'), ['same', 'b']);
    const { statements } = await policyOf(t.client, 'f:live');
    assert.equal(statements[0]?.Resource, `${ARN}:f:live`);
  });

  test('changes the revision of the policy and not that of the function', async () => {
    await using t = await hostWithFunction();
    const before = await configurationOf(t.client, 'f');
    await permit(t.client);
    const first = await policyOf(t.client);
    await permit(t.client, { StatementId: 'next' });
    const second = await policyOf(t.client);
    assert.match(first.revisionId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.notEqual(second.revisionId, first.revisionId);
    assert.notEqual(first.revisionId, before.RevisionId);
    assert.deepEqual(await configurationOf(t.client, 'f'), before);
  });

  test('takes the revision of the policy or of what it belongs to, and no other', async () => {
    await using t = await hostWithFunction();
    const { RevisionId: own } = await configurationOf(t.client, 'f');
    const { RevisionId: ofVersion } = await configurationOf(t.client, 'f', '1');
    assert.deepEqual(await refused(t, { RevisionId: ofVersion }), stale);
    await permit(t.client, { RevisionId: own });
    const { revisionId } = await policyOf(t.client);
    assert.deepEqual(await refused(t, { StatementId: 'b', RevisionId: 'other' }), stale);
    await permit(t.client, { StatementId: 'b', RevisionId: revisionId });
    assert.deepEqual(await refused(t, { StatementId: 'c', RevisionId: revisionId }), stale);
    await permit(t.client, { StatementId: 'c', RevisionId: own });
    await permit(t.client, { Qualifier: '1', RevisionId: ofVersion });
    assert.deepEqual(await sidsOf(t.client), ['s', 'b', 'c']);
  });

  test('refuses a statement id that the policy has', async () => {
    await using t = await hostWithFunction();
    await permit(t.client);
    const before = await policyOf(t.client);
    assert.deepEqual(await refused(t, { Principal: 'sns.amazonaws.com' }), {
      status: 409,
      name: 'ResourceConflictException',
      message:
        'The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.',
    });
    assert.deepEqual(await policyOf(t.client), before);
  });

  test('tells what is missing', async () => {
    await using t = await hostWithFunction();
    const cases: readonly (readonly [Partial<AddPermissionCommandInput>, string])[] = [
      [{ FunctionName: 'gone' }, `Function not found: ${ARN}:gone`],
      [{ FunctionName: 'gone', Qualifier: '1' }, `Function not found: ${ARN}:gone`],
      [{ FunctionName: 'gone:live' }, `Function not found: ${ARN}:gone`],
      [{ Qualifier: '7' }, `Function not found: ${ARN}:f:7`],
      [{ Qualifier: 'dead' }, `Cannot find alias arn: ${ARN}:f:dead`],
      [{ Qualifier: '$latest' }, `Function not found: ${ARN}:f:$latest`],
      [{ Qualifier: '$LATEST.PUBLISHED' }, `Function not found: ${ARN}:f:$LATEST.PUBLISHED`],
    ];
    for (const [input, message] of cases)
      assert.deepEqual(await refused(t, input), notFound(message), JSON.stringify(input));
  });

  test('refuses what it cannot make a statement of, and then nothing has changed', async () => {
    await using t = await hostWithFunction();
    await permit(t.client, { StatementId: 'first' });
    const before = await policyOf(t.client);
    const mismatch = invalid(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
    const latest = invalid('We currently do not support adding policies for $LATEST.');
    const principal = invalid(
      'The provided principal was invalid. Please check the principal and try again.',
    );
    const authType = invalid(
      'FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action',
    );
    const cases: readonly (readonly [Partial<AddPermissionCommandInput>, Refusal])[] = [
      [{ FunctionName: 'f:live', Qualifier: '1' }, mismatch],
      [{ Qualifier: '$LATEST' }, latest],
      [{ FunctionName: 'f:$LATEST' }, latest],
      [{ Principal: 'somebody' }, principal],
      [{ Principal: 'arn:aws:iam::111111111111:group/g' }, principal],
      [{ FunctionUrlAuthType: 'NONE' }, authType],
      [{ FunctionUrlAuthType: 'AWS_IAM', Action: 'lambda:*' }, authType],
      [
        { StatementId: 'with.dot' },
        unfit(
          "Value 'with.dot' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
        ),
      ],
      [
        { Qualifier: 'no way' },
        unfit(
          "Value 'no way' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
        ),
      ],
      [
        { Action: 's3:GetObject' },
        unfit(
          "Value 's3:GetObject' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])",
        ),
      ],
      [
        { SourceArn: 'bucket' },
        unfit(
          "Value 'bucket' at 'sourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)",
        ),
      ],
    ];
    for (const [input, expected] of cases)
      assert.deepEqual(await refused(t, input), expected, JSON.stringify(input));
    assert.deepEqual(await policyOf(t.client), before);
    assert.equal(await sidsOf(t.client, 'f', 'live'), undefined);
  });

  test('looks at the qualifier, the function and the revision before the form of the rest', async () => {
    await using t = await hostWithFunction();
    await permit(t.client);
    const malformed = { StatementId: 'with.dot', Action: 'no' };
    const name = async (more: Partial<AddPermissionCommandInput>) =>
      (await refused(t, { ...malformed, ...more })).message.slice(0, 28);
    assert.equal(
      await name({ FunctionName: 'f:1', Qualifier: 'no way' }),
      'The derived qualifier from t',
    );
    assert.equal(await name({ Qualifier: '$LATEST' }), 'We currently do not support ');
    assert.equal(await name({ FunctionName: 'gone' }), `Function not found: ${ARN}`.slice(0, 28));
    assert.equal(await name({ RevisionId: 'stale' }), 'The Revision Id provided doe');
    assert.equal(await name({}), '2 validation errors detected');
    // All failures are told together, whichever was looked at first.
    assert.equal(await name({ Qualifier: 'no way' }), '3 validation errors detected');
    const taken = { Principal: 'somebody' };
    assert.equal((await refused(t, taken)).name, 'ResourceConflictException');
  });

  test('refuses a policy of more than 20480 bytes, and takes one of as many', async () => {
    await using t = await hostWithFunction();
    const sized = (StatementId: string, bytes: number) => ({
      StatementId,
      SourceArn: `arn:aws:s3:::${'b'.repeat(bytes)}`,
    });
    await permit(t.client, sized('a', 9_000));
    await permit(t.client, sized('b', 8_000));
    const before = await policyOf(t.client);
    const far = await refused(t, sized('c', 9_000));
    assert.deepEqual([far.status, far.name], [400, 'PolicyLengthExceededException']);
    const excess = Number(/size \((\d+)\)/.exec(far.message)?.[1]) - 20_480;
    const near = await refused(t, sized('c', 9_000 - excess + 1));
    const message = 'The final policy size (20481) is bigger than the limit (20480).';
    assert.equal(near.message, message);
    assert.deepEqual(await policyOf(t.client), before);
    await permit(t.client, sized('c', 9_000 - excess));
    assert.equal(Buffer.byteLength((await policyOf(t.client)).text), 20_480);
  });

  test('many at once on one function lose nothing', async () => {
    await using t = await hostWithFunction();
    const ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
    await Promise.all(
      ids.flatMap((StatementId) => [
        permit(t.client, { StatementId }),
        permit(t.client, { StatementId, Qualifier: 'live' }),
      ]),
    );
    assert.deepEqual((await sidsOf(t.client))?.toSorted(), ids.toSorted());
    assert.deepEqual((await sidsOf(t.client, 'f', 'live'))?.toSorted(), ids.toSorted());
  });

  test('of one id many at once: one is taken', async () => {
    await using t = await hostWithFunction();
    const principals = Array.from({ length: 8 }, (_, index) => `11111111111${index}`);
    const outcomes = await Promise.allSettled(
      principals.map((Principal) => permit(t.client, { Principal })),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.deepEqual(await sidsOf(t.client), ['s']);
  });
});
