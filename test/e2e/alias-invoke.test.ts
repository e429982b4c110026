// Invocations through aliases, in real environments: what the function is told, what the caller is told, and how weights share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpdateAliasCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { alias, published, settled, weights } from '../support/versions.ts';

const code = (generation: number) => ({
  'index.mjs': `import { randomUUID } from 'node:crypto';
const environment = randomUUID();
export const handler = async (event, context) => ({
  generation: ${generation},
  environment,
  arn: context.invokedFunctionArn,
  version: process.env.AWS_LAMBDA_FUNCTION_VERSION,
  contextVersion: context.functionVersion,
  stream: context.logStreamName,
});`,
});

interface Seen {
  readonly generation: number;
  readonly environment: string;
  readonly arn: string;
  readonly version: string;
  readonly contextVersion: string;
  readonly stream: string;
}

async function seen(t: TestHost, name: string) {
  const { payload, executedVersion, log } = await t.invoke(name);
  return { ...(payload as Seen), executedVersion, log }; // as the function returns
}

/** Versions 1 and 2 of `f`, each with its own code; `$LATEST` is as version 2. */
async function deployTwo(t: TestHost): Promise<void> {
  await t.deploy('f', code(1));
  await published(t.client, 'f');
  const ZipFile = await zipOf(code(2));
  await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile }));
  await settled(t.client, 'f');
  await published(t.client, 'f');
}

test('A function is told the ARN of the alias and the number of the version, and so is the log', async () => {
  await using t = await startTestHost();
  await deployTwo(t);
  await alias(t.client, 'f', 'PROD', '1');
  await alias(t.client, 'f', 'dev', '$LATEST');
  for (const [name, arn, version, generation] of [
    ['f:PROD', `${ARN}:f:PROD`, '1', 1],
    [`${ARN}:f:PROD`, `${ARN}:f:PROD`, '1', 1],
    ['f:1', `${ARN}:f:1`, '1', 1],
    ['f:2', `${ARN}:f:2`, '2', 2],
    ['f:dev', `${ARN}:f:dev`, '$LATEST', 2],
    ['f', `${ARN}:f`, '$LATEST', 2],
  ] as const) {
    const told = await seen(t, name);
    assert.deepEqual(
      [told.arn, told.version, told.contextVersion, told.executedVersion, told.generation],
      [arn, version, version, version, generation],
      name,
    );
    assert.ok(told.stream.includes(`[${version}]`), told.stream);
    assert.ok(told.log.includes(` Version: ${version}\n`), told.log);
  }
  assert.deepEqual(t.reports, []);
});

test('All aliases of a version share its environments, and moving one away leaves them to the others', async () => {
  await using t = await startTestHost();
  await deployTwo(t);
  for (const name of ['a', 'b']) await alias(t.client, 'f', name, '1');
  const first = await seen(t, 'f:1');
  for (const name of ['f:a', 'f:b', 'f:1'])
    assert.equal((await seen(t, name)).environment, first.environment, name);
  const moved = { FunctionName: 'f', Name: 'a', FunctionVersion: '2' };
  await t.client.send(new UpdateAliasCommand(moved));
  const after = await seen(t, 'f:a');
  assert.equal(after.version, '2');
  assert.notEqual(after.environment, first.environment);
  assert.equal((await seen(t, 'f:b')).environment, first.environment);
});

test('Invocations are shared by weight, each told and answered the version that ran', async () => {
  const share = 0.3;
  const count = 400;
  await using t = await startTestHost();
  await deployTwo(t);
  await alias(t.client, 'f', 'PROD', '1', weights({ 2: share }));
  const ran: Record<string, number> = { 1: 0, 2: 0 };
  for (let index = 0; index < count; index++) {
    const { version, executedVersion, generation, arn } = await seen(t, 'f:PROD');
    assert.deepEqual([executedVersion, String(generation)], [version, version]);
    assert.equal(arn, `${ARN}:f:PROD`);
    ran[version] = (ran[version] ?? 0) + 1;
  }
  // Seven standard deviations: chance goes further once in some hundred thousand million runs.
  const distance = Math.abs((ran['2'] ?? 0) - count * share);
  assert.ok(distance < 7 * Math.sqrt(count * share * (1 - share)), JSON.stringify(ran));
  await t.client.send(
    new UpdateAliasCommand({ FunctionName: 'f', Name: 'PROD', ...weights({ 2: 1 }) }),
  );
  for (let index = 0; index < 20; index++) assert.equal((await seen(t, 'f:PROD')).version, '2');
});
