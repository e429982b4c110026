// Which versions may share the invocations of an alias, and what is said first of those that may not.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import {
  alias,
  everythingOf,
  membersOf,
  published,
  updated,
  weights,
  withVersions,
} from '../support/versions.ts';
import { invalid, type Refusal, refusalOf, send, unfit } from '../support/wire.ts';

type Shares = Readonly<Record<string, number>>;

/** The pair as a new alias and as an update of one that points to version 1. */
const calls: Readonly<
  Record<string, (client: LambdaClient, primary: string, shares: Shares) => Promise<unknown>>
> = {
  CreateAlias: (client, primary, shares) => alias(client, 'f', 'new', primary, weights(shares)),
  UpdateAlias: (client, FunctionVersion, shares) => {
    const input = { FunctionName: 'f', Name: 'PROD', FunctionVersion, ...weights(shares) };
    return client.send(new UpdateAliasCommand(input));
  },
};

function notFound(version: string): Refusal {
  const message = `Function not found: ${ARN}:f:${version}`;
  return { status: 404, name: 'ResourceNotFoundException', message };
}

function included(version: string): Refusal {
  return invalid(
    `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
  );
}

const notLatest = invalid('$LATEST is not supported for an alias pointing to more than 1 version');
const oneItem = invalid('Number of items in AdditionalVersionWeights cannot be greater than 1');
const mapOf = 'failed to satisfy constraint: Map';
const keys = `${mapOf} keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]`;
const values = `${mapOf} value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]`;
const at = `at 'routingConfig.additionalVersionWeights'`;

/** Each is refused for the first of the things that are wrong with it. */
const refusals: readonly (readonly [primary: string, shares: Shares, refusal: Refusal])[] = [
  ['1', { 2: 2 }, unfit(`Value '{2=2.0}' ${at} ${values}`)],
  ['1', { 2: -0.5 }, unfit(`Value '{2=-0.5}' ${at} ${values}`)],
  ['1', { $LATEST: 0.5 }, unfit(`Value '{$LATEST=0.5}' ${at} ${keys}`)],
  ['1', { PROD: 0.5 }, unfit(`Value '{PROD=0.5}' ${at} ${keys}`)],
  ['1', { 2: 0.5, 3: 0.2 }, oneItem],
  ['9', { 1: 0.5, 9: 0.2 }, oneItem],
  ['9', { 2: 0.5 }, notFound('9')],
  ['9', { 8: 0.5 }, notFound('9')],
  ['1', { 9: 0.5 }, notFound('9')],
  ['1', { '02': 0.5 }, notFound('02')],
  ['9', { 9: 0.5 }, notFound('9')],
  ['$LATEST', { 9: 0.5 }, notFound('9')],
  ['2', { 2: 0.5 }, included('2')],
  ['$LATEST', { 2: 0.5 }, notLatest],
];

suite('Weights of an alias', () => {
  for (const [operation, call] of Object.entries(calls))
    test(`are refused by ${operation} in this order: form, number, missing versions, the same version, $LATEST`, async () => {
      await using host = await startApiHost();
      const { client } = host;
      await withVersions(client, 'f', 2);
      await alias(client, 'f', 'PROD', '1');
      const before = await everythingOf(client);
      for (const [primary, shares, refusal] of refusals)
        assert.deepEqual(
          await refusalOf(call(client, primary, shares)),
          refusal,
          `${primary} ${JSON.stringify(shares)}`,
        );
      assert.deepEqual(await everythingOf(client), before);
    });

  test('are refused to $LATEST without a type, as recorded', async () => {
    await using t = await startTestHost();
    await withVersions(t.client, 'f', 1);
    const { status, headers, json } = await send(t.url, {
      method: 'POST',
      path: '/2015-03-31/functions/f/aliases',
      body: JSON.stringify({ Name: 'a', FunctionVersion: '$LATEST', ...weights({ 1: 0.5 }) }),
    });
    assert.equal(status, 400);
    assert.equal(headers['x-amzn-errortype'], 'InvalidParameterValueException');
    assert.deepEqual(json, { message: notLatest.message });
  });

  for (const [operation, call] of Object.entries(calls))
    test(`are refused by ${operation} to versions of different roles or dead-letter queues`, async () => {
      await using host = await startApiHost();
      const { client } = host;
      const queue = (name: string) => ({
        DeadLetterConfig: { TargetArn: `arn:aws:sqs:us-east-1:000000000000:${name}` },
      });
      await withVersions(client, 'f', 1);
      await updated(client, 'f', { Role: 'arn:aws:iam::000000000000:role/other' });
      await published(client, 'f');
      await updated(client, 'f', queue('one'));
      await published(client, 'f');
      await updated(client, 'f', queue('two'));
      await published(client, 'f');
      await updated(client, 'f', { ...queue('one'), Description: 'as 3' });
      await published(client, 'f');
      await alias(client, 'f', 'PROD', '1');
      const before = await everythingOf(client);
      const roles = invalid('The versions of the alias must have the same IAM role');
      const queues = invalid(
        'The versions of the alias must have the same dead-letter queue configuration',
      );
      for (const [primary, other, refusal] of [
        ['1', '2', roles],
        ['1', '3', roles],
        ['2', '3', queues],
        ['3', '2', queues],
        ['3', '4', queues],
      ] as const)
        assert.deepEqual(await refusalOf(call(client, primary, { [other]: 0.5 })), refusal);
      assert.deepEqual(await everythingOf(client), before);
      await call(client, '3', { 5: 0.5 });
    });

  test('are looked at when only the primary version is changed', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 3);
    await alias(client, 'f', 'PROD', '1', weights({ 2: 0.5 }));
    const before = await everythingOf(client);
    const moved = (FunctionVersion: string) =>
      client.send(new UpdateAliasCommand({ FunctionName: 'f', Name: 'PROD', FunctionVersion }));
    assert.deepEqual(await refusalOf(moved('2')), included('2'));
    assert.deepEqual(await refusalOf(moved('$LATEST')), notLatest);
    assert.deepEqual(await everythingOf(client), before);
    const { FunctionVersion, RoutingConfig } = membersOf(await moved('3'));
    assert.deepEqual([FunctionVersion, RoutingConfig?.AdditionalVersionWeights], ['3', { 2: 0.5 }]);
  });
});
