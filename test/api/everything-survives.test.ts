// One of everything the API keeps, then SIGKILL in the instant after the last answer: the host that comes after shows all of it as it
// was, and an invocation through the alias still runs the version it did.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import * as lambda from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, returning } from '../support/functions.ts';
import { startHostProcess } from '../support/host-process.ts';
import { createClient, deploy, invoke } from '../support/test-host.ts';

const FunctionName = 'f';
const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/aaaaaaaaaa';

/** One record of each sort, on the function, its version and its alias. Returns the ARN that only the host could know. */
async function makeEverything(client: lambda.LambdaClient): Promise<string> {
  await deploy(client, FunctionName, returning('1'), {
    Publish: true,
    Tags: { team: 'blue' },
    Environment: { Variables: { STAGE: 'test' } },
    Description: 'one',
  });
  await client.send(
    new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf(returning('2')) }),
  );
  await lambda.waitUntilFunctionUpdatedV2(
    { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
    { FunctionName },
  );
  await client.send(new lambda.PublishVersionCommand({ FunctionName, Description: 'two' }));
  await client.send(
    new lambda.CreateAliasCommand({
      FunctionName,
      Name: 'live',
      FunctionVersion: '1',
      RoutingConfig: { AdditionalVersionWeights: { 2: 0 } },
    }),
  );
  for (const Qualifier of [undefined, '1', 'live'])
    await client.send(
      new lambda.AddPermissionCommand({
        FunctionName,
        Qualifier,
        StatementId: 's',
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
        SourceArn: 'arn:aws:s3:::b',
      }),
    );
  await client.send(
    new lambda.PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 7 }),
  );
  await client.send(
    new lambda.PutFunctionEventInvokeConfigCommand({
      FunctionName,
      Qualifier: 'live',
      MaximumRetryAttempts: 1,
    }),
  );
  await client.send(
    new lambda.CreateFunctionUrlConfigCommand({
      FunctionName,
      Qualifier: 'live',
      AuthType: 'NONE',
    }),
  );
  await client.send(
    new lambda.PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' }),
  );
  await client.send(
    new lambda.PutRuntimeManagementConfigCommand({
      FunctionName,
      UpdateRuntimeOn: 'FunctionUpdate',
    }),
  );
  await client.send(
    new lambda.PublishLayerVersionCommand({
      LayerName: 'l',
      Content: { ZipFile: await zipOf({ 'nodejs/a.txt': 'a' }) },
    }),
  );
  await client.send(
    new lambda.AddLayerVersionPermissionCommand({
      LayerName: 'l',
      VersionNumber: 1,
      StatementId: 's',
      Action: 'lambda:GetLayerVersion',
      Principal: '*',
    }),
  );
  const { CodeSigningConfig } = await client.send(
    new lambda.CreateCodeSigningConfigCommand({
      AllowedPublishers: { SigningProfileVersionArns: [PROFILE] },
    }),
  );
  const CodeSigningConfigArn = CodeSigningConfig?.CodeSigningConfigArn ?? '';
  await client.send(
    new lambda.PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }),
  );
  await client.send(
    new lambda.TagResourceCommand({ Resource: `${ARN}:${FunctionName}`, Tags: { cost: '7' } }),
  );
  return CodeSigningConfigArn;
}

/** All that can be read, without what differs between two reads: links and the port. */
async function readEverything(client: lambda.LambdaClient, codeSigningConfigArn: string) {
  const answers = await Promise.all([
    ...[undefined, '1', '2', 'live'].map((Qualifier) =>
      client.send(new lambda.GetFunctionCommand({ FunctionName, Qualifier })),
    ),
    client.send(new lambda.ListFunctionsCommand({ FunctionVersion: 'ALL' })),
    client.send(new lambda.ListVersionsByFunctionCommand({ FunctionName })),
    client.send(new lambda.ListAliasesCommand({ FunctionName })),
    ...[undefined, '1', 'live'].map((Qualifier) =>
      client.send(new lambda.GetPolicyCommand({ FunctionName, Qualifier })),
    ),
    client.send(new lambda.GetFunctionConcurrencyCommand({ FunctionName })),
    client.send(new lambda.ListFunctionEventInvokeConfigsCommand({ FunctionName })),
    client.send(new lambda.ListFunctionUrlConfigsCommand({ FunctionName })),
    client.send(new lambda.GetFunctionRecursionConfigCommand({ FunctionName })),
    client.send(new lambda.GetRuntimeManagementConfigCommand({ FunctionName })),
    client.send(new lambda.GetFunctionCodeSigningConfigCommand({ FunctionName })),
    client.send(
      new lambda.GetCodeSigningConfigCommand({ CodeSigningConfigArn: codeSigningConfigArn }),
    ),
    client.send(new lambda.ListLayersCommand({})),
    client.send(new lambda.GetLayerVersionCommand({ LayerName: 'l', VersionNumber: 1 })),
    client.send(new lambda.GetLayerVersionPolicyCommand({ LayerName: 'l', VersionNumber: 1 })),
    client.send(new lambda.ListTagsCommand({ Resource: `${ARN}:${FunctionName}` })),
    client.send(new lambda.GetAccountSettingsCommand({})),
  ]);
  const endpoint = await client.config.endpoint?.();
  assert.ok(endpoint?.port);
  return answers.map((answer) =>
    JSON.parse(
      JSON.stringify(answer, (name, value: unknown) =>
        name === '$metadata' || name === 'Location' ? undefined : value,
      ).replaceAll(`:${endpoint.port}`, ':PORT'),
    ),
  );
}

test('all that was answered is there, byte for byte, after the host was killed', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-survives-'));
  try {
    let before: unknown;
    let arn = '';
    {
      await using host = await startHostProcess(dataDir);
      using client = disposable(createClient(host.url));
      arn = await makeEverything(client.value);
      before = await readEverything(client.value, arn);
      await host.kill();
    }
    await using host = await startHostProcess(dataDir);
    using client = disposable(createClient(host.url));
    assert.deepEqual(await readEverything(client.value, arn), before);
    const answer = await invoke(client.value, `${FunctionName}:live`);
    assert.deepEqual([answer.payload, answer.executedVersion], [1, '1']);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

function disposable(value: lambda.LambdaClient) {
  return { value, [Symbol.dispose]: () => value.destroy() };
}
