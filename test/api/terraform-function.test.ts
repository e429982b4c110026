// What Terraform's AWS provider does with aws_lambda_function (publish = true) and aws_lambda_alias, call by call: each phase in its
// order, with its waiting and its idea of drift. Calls of families that have tests of their own are left to these.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  type FunctionConfiguration,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  ResourceNotFoundException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { weights } from '../support/versions.ts';
import { waitFor } from '../support/wait-for.ts';
import { refusalOf } from '../support/wire.ts';

const NAME = 'web';

/** What the resource is compared by: a difference between this and the configuration would be drift. */
interface Attributes {
  readonly arn: string | undefined;
  readonly version: string | undefined;
  readonly qualifiedArn: string;
  readonly codeSha256: string | undefined;
  readonly configuration: FunctionConfiguration;
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency: number;
}

/** The newest version is the last item of the last page. */
async function newestVersion(client: LambdaClient): Promise<string | undefined> {
  let newest: string | undefined;
  let Marker: string | undefined;
  do {
    const input = { FunctionName: NAME, MaxItems: 10_000, Marker };
    const page = await client.send(new ListVersionsByFunctionCommand(input));
    newest = page.Versions?.at(-1)?.Version ?? newest;
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  return newest;
}

async function read({ client }: TestHost): Promise<Attributes> {
  const { Configuration, Code, Tags, Concurrency } = await client.send(
    new GetFunctionCommand({ FunctionName: NAME }),
  );
  assert.ok(Configuration && Code, 'an answer without either counts as no function');
  const version = await newestVersion(client);
  const { RevisionId: _, LastModified: __, ...configuration } = Configuration;
  return {
    arn: Configuration.FunctionArn,
    version,
    qualifiedArn: `${Configuration.FunctionArn}:${version}`,
    codeSha256: Configuration.CodeSha256,
    configuration,
    tags: Tags ?? {},
    reservedConcurrency: Concurrency?.ReservedConcurrentExecutions ?? -1,
  };
}

async function create({ client }: TestHost): Promise<void> {
  const request = await createRequest(NAME, {
    Code: { ZipFile: await zipOf(returning('"first"')) },
    Publish: true,
    Tags: { owner: 'web' },
  });
  await client.send(new CreateFunctionCommand(request));
  await waitFor('the function is active', async () => {
    const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: NAME }));
    const state = Configuration?.State;
    assert.ok(state === 'Pending' || state === 'Active', `unexpected state ${state}`);
    return state === 'Active';
  });
  const reserve = { FunctionName: NAME, ReservedConcurrentExecutions: 5 };
  await client.send(new PutFunctionConcurrencyCommand(reserve));
}

async function waitUntilUpdated({ client }: TestHost): Promise<void> {
  await waitFor('the update is done', async () => {
    const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: NAME }));
    const status = Configuration?.LastUpdateStatus;
    assert.ok(status === 'InProgress' || status === 'Successful', `unexpected status ${status}`);
    return status === 'Successful';
  });
}

/** Answers the version that was published; an absent status counts as in progress. */
async function publish({ client }: TestHost): Promise<string> {
  const command = new PublishVersionCommand({ FunctionName: NAME });
  const { FunctionArn, Version = '' } = await client.send(command);
  assert.equal(FunctionArn, `${ARN}:${NAME}:${Version}`);
  await waitFor('the version is done', async () => {
    const { LastUpdateStatus = 'InProgress' } = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: FunctionArn, Qualifier: Version }),
    );
    return LastUpdateStatus === 'Successful';
  });
  return Version;
}

async function updateConfiguration(
  t: TestHost,
  changes: Partial<UpdateFunctionConfigurationCommandInput>,
): Promise<void> {
  const input = { ...changes, FunctionName: NAME };
  await t.client.send(new UpdateFunctionConfigurationCommand(input));
  await waitUntilUpdated(t);
}

async function updateCode(t: TestHost, expression: string): Promise<void> {
  const ZipFile = await zipOf(returning(expression));
  await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: NAME, ZipFile }));
  await waitUntilUpdated(t);
}

async function destroy({ client }: TestHost): Promise<void> {
  await client.send(new DeleteFunctionCommand({ FunctionName: NAME }));
  await waitFor('the function is gone', async () => {
    try {
      await client.send(new GetFunctionCommand({ FunctionName: NAME }));
      return false;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return true;
      throw error;
    }
  });
}

async function versions(client: LambdaClient): Promise<(string | undefined)[]> {
  const command = new ListVersionsByFunctionCommand({ FunctionName: NAME });
  return ((await client.send(command)).Versions ?? []).map(({ Version }) => Version);
}

suite('Terraform', () => {
  test('creates a published function and reads it back without drift, as often as it likes', async () => {
    await using t = await startTestHost();
    await create(t);
    const attributes = await read(t);
    assert.deepEqual(await read(t), attributes);
    const { configuration } = attributes;
    assert.equal(attributes.arn, `${ARN}:${NAME}`);
    assert.equal(attributes.version, '1');
    assert.equal(attributes.qualifiedArn, `${ARN}:${NAME}:1`);
    assert.equal(attributes.reservedConcurrency, 5);
    assert.deepEqual(attributes.tags, { owner: 'web' });
    assert.equal(configuration.Description, '');
    assert.deepEqual(configuration.TracingConfig, { Mode: 'PassThrough' });
    assert.deepEqual(configuration.EphemeralStorage, { Size: 512 });
    assert.deepEqual(configuration.Architectures, ['x86_64']);
    assert.deepEqual(configuration.LoggingConfig, {
      LogFormat: 'Text',
      LogGroup: `/aws/lambda/${NAME}`,
    });
    for (const absent of ['VpcConfig', 'DeadLetterConfig', 'Environment', 'Layers', 'KMSKeyArn'])
      assert.equal(absent in configuration, false, absent);
    // As the data source and the resource read a version.
    const qualified = { FunctionName: NAME, Qualifier: '1' };
    const one = await t.client.send(new GetFunctionCommand(qualified));
    assert.equal(one.Configuration?.FunctionArn, attributes.qualifiedArn);
    assert.equal(one.Concurrency, undefined);
    const { ReservedConcurrentExecutions } = await t.client.send(
      new GetFunctionConcurrencyCommand({ FunctionName: NAME }),
    );
    assert.equal(ReservedConcurrentExecutions, 5);
  });

  test('updates configuration, then code, then publishes once for both', async () => {
    await using t = await startTestHost();
    await create(t);
    await updateConfiguration(t, {
      Timeout: 10,
      Environment: { Variables: { STAGE: 'prod' } },
      Description: 'the site',
    });
    await updateCode(t, 'process.env.STAGE');
    assert.equal(await publish(t), '2');
    const after = await read(t);
    assert.equal(after.version, '2');
    assert.equal(after.configuration.Timeout, 10);
    assert.equal(after.configuration.Description, 'the site');
    assert.deepEqual(after.configuration.Environment, { Variables: { STAGE: 'prod' } });
    const called = async (Qualifier: string) => (await t.invoke(NAME, {}, { Qualifier })).payload;
    assert.deepEqual([await called('1'), await called('2')], ['first', 'prod']);
    // Applying the same plan again publishes nothing.
    assert.equal(await publish(t), '2');
    assert.deepEqual(await read(t), after);
    assert.deepEqual(await versions(t.client), ['$LATEST', '1', '2']);
  });

  test('changes tags alone without a new version', async () => {
    await using t = await startTestHost();
    await create(t);
    const Resource = `${ARN}:${NAME}`;
    await t.client.send(new UntagResourceCommand({ Resource, TagKeys: ['owner'] }));
    await t.client.send(new TagResourceCommand({ Resource, Tags: { team: 'a' } }));
    assert.deepEqual((await read(t)).tags, { team: 'a' });
    assert.deepEqual((await t.client.send(new ListTagsCommand({ Resource }))).Tags, { team: 'a' });
    assert.equal(await publish(t), '1');
  });

  test('is told that an update is in progress in the words after which it tries again', async () => {
    await using t = await startTestHost();
    await create(t);
    const update = { FunctionName: NAME, Description: 'new' };
    await t.client.send(new UpdateFunctionConfigurationCommand(update));
    // Whether the update is still going on when the call comes is chance; the resource tries until it is not.
    await waitFor('the version is published', async () => {
      try {
        await publish(t);
        return true;
      } catch (error) {
        if (error instanceof Error && error.message.includes('in progress')) return false;
        throw error;
      }
    });
    assert.equal((await read(t)).version, '2');
  });

  test('moves an alias to a new version step by step, and back', async () => {
    await using t = await startTestHost();
    await create(t);
    const named = { FunctionName: `${ARN}:${NAME}`, Name: 'live' };
    const readAlias = async () => {
      const answer = await t.client.send(new GetAliasCommand(named));
      const { AliasArn, FunctionVersion, Description, RoutingConfig } = answer;
      return { AliasArn, FunctionVersion, Description, RoutingConfig };
    };
    const updateAlias = async (FunctionVersion: string, shares: Record<string, number>) => {
      // Without weights the resource sends an empty routing configuration.
      const { RoutingConfig } =
        Object.keys(shares).length > 0 ? weights(shares) : { RoutingConfig: {} };
      const input = { ...named, Description: 'of users', FunctionVersion, RoutingConfig };
      await t.client.send(new UpdateAliasCommand(input));
      return await readAlias();
    };
    const shown = { AliasArn: `${ARN}:${NAME}:live`, Description: 'of users' };
    const first = { ...named, FunctionVersion: '1', Description: 'of users', RoutingConfig: {} };
    await t.client.send(new CreateAliasCommand(first));
    const before = { ...shown, FunctionVersion: '1', RoutingConfig: undefined };
    assert.deepEqual(await readAlias(), before);
    await updateCode(t, '"second"');
    assert.equal(await publish(t), '2');
    const called = async () => (await t.invoke(`${NAME}:live`)).payload;
    assert.equal(await called(), 'first');
    assert.deepEqual(await updateAlias('1', { 2: 1 }), {
      ...shown,
      FunctionVersion: '1',
      ...weights({ 2: 1 }),
    });
    assert.equal(await called(), 'second');
    const moved = { ...shown, FunctionVersion: '2', RoutingConfig: undefined };
    assert.deepEqual(await updateAlias('2', {}), moved);
    assert.equal(await called(), 'second');
    assert.deepEqual(await updateAlias('1', {}), before);
    assert.equal(await called(), 'first');
    await t.client.send(new DeleteAliasCommand(named));
    assert.equal((await refusalOf(readAlias())).status, 404);
  });

  test('destroys the alias and then the function, and finds neither', async () => {
    await using t = await startTestHost();
    await create(t);
    const named = { FunctionName: NAME, Name: 'live' };
    await t.client.send(new CreateAliasCommand({ ...named, FunctionVersion: '1' }));
    await t.client.send(new DeleteAliasCommand(named));
    await destroy(t);
    const missing = await refusalOf(t.client.send(new GetAliasCommand(named)));
    assert.deepEqual(
      [missing.status, missing.message],
      [404, `Cannot find alias arn: ${ARN}:${NAME}:live`],
    );
    await create(t);
    assert.equal((await read(t)).version, '1');
    assert.deepEqual(t.reports, []);
  });
});
