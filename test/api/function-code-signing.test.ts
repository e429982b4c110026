// The code signing config of a function: attaching and detaching it, and what its policy lets pass.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  DeleteFunctionCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  ListFunctionsByCodeSigningConfigCommand,
  PutFunctionCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { invalid, refusalOf, send } from '../support/wire.ts';

async function config(client: LambdaClient, policy: 'Warn' | 'Enforce'): Promise<string> {
  const { CodeSigningConfig } = await client.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: {
        SigningProfileVersionArns: [
          'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij',
        ],
      },
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: policy },
    }),
  );
  return CodeSigningConfig?.CodeSigningConfigArn ?? '';
}

async function attached(client: LambdaClient, FunctionName: string): Promise<string | undefined> {
  const command = new GetFunctionCodeSigningConfigCommand({ FunctionName });
  return (await client.send(command)).CodeSigningConfigArn;
}

const MISSING = 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdefg';

const noConfig = {
  status: 404,
  name: 'CodeSigningConfigNotFoundException',
  message: `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${MISSING}.`,
};

const untrusted = {
  status: 400,
  name: 'CodeVerificationFailedException',
  message:
    'The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment.',
};

suite("A function's code signing config", () => {
  test('is put, shown and taken away, which leaves the function itself as it is', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const shown = async () => {
      const command = new GetFunctionConfigurationCommand({ FunctionName: 'f' });
      const { $metadata: _, ...configuration } = await t.client.send(command);
      return configuration;
    };
    const before = await shown();
    const path = '/2020-06-30/functions/f/code-signing-config';
    assert.equal((await send(t.url, { path })).body, '{}');
    const arn = await config(t.client, 'Warn');
    const put = await t.client.send(
      new PutFunctionCodeSigningConfigCommand({
        FunctionName: `${ARN}:f`,
        CodeSigningConfigArn: arn,
      }),
    );
    assert.deepEqual([put.CodeSigningConfigArn, put.FunctionName], [arn, 'f']);
    assert.deepEqual((await send(t.url, { path })).json, {
      CodeSigningConfigArn: arn,
      FunctionName: 'f',
    });
    for (let round = 0; round < 2; round += 1) {
      const remove = new DeleteFunctionCodeSigningConfigCommand({ FunctionName: 'f' });
      assert.equal((await t.client.send(remove)).$metadata.httpStatusCode, 204);
      assert.equal((await send(t.url, { path })).body, '{}');
    }
    assert.deepEqual(await shown(), before);
  });

  test('lists the functions that have it, page by page', async () => {
    await using t = await startTestHost();
    const CodeSigningConfigArn = await config(t.client, 'Warn');
    for (const name of ['c', 'a', 'b'])
      await t.deploy(name, returning('1'), { CodeSigningConfigArn });
    await t.deploy('other', returning('1'));
    const listed = async (members: object) =>
      await t.client.send(
        new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn, ...members }),
      );
    const first = await listed({ MaxItems: 2 });
    assert.deepEqual(first.FunctionArns, [`${ARN}:a`, `${ARN}:b`]);
    assert.deepEqual((await listed({ Marker: first.NextMarker })).FunctionArns, [`${ARN}:c`]);
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'a' }));
    assert.deepEqual((await listed({})).FunctionArns, [`${ARN}:b`, `${ARN}:c`]);
  });

  test('that is missing is told before a function that is missing', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    for (const FunctionName of ['f', 'missing']) {
      const put = { FunctionName, CodeSigningConfigArn: MISSING };
      assert.deepEqual(
        await refusalOf(t.client.send(new PutFunctionCodeSigningConfigCommand(put))),
        noConfig,
      );
    }
    for (const name of ['f', 'g']) {
      const create = await createRequest(name, { CodeSigningConfigArn: MISSING });
      assert.deepEqual(await refusalOf(t.client.send(new CreateFunctionCommand(create))), noConfig);
    }
    const notFound = {
      status: 404,
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:missing`,
    };
    const CodeSigningConfigArn = await config(t.client, 'Warn');
    const named = { FunctionName: 'missing' };
    for (const call of [
      () =>
        t.client.send(new PutFunctionCodeSigningConfigCommand({ ...named, CodeSigningConfigArn })),
      () => t.client.send(new GetFunctionCodeSigningConfigCommand(named)),
      () => t.client.send(new DeleteFunctionCodeSigningConfigCommand(named)),
    ])
      assert.deepEqual(await refusalOf(call()), notFound);
    assert.equal(await attached(t.client, 'f'), undefined);
  });

  test('belongs to the whole function', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const CodeSigningConfigArn = await config(t.client, 'Warn');
    const named = { FunctionName: 'f:1' };
    for (const call of [
      () =>
        t.client.send(new PutFunctionCodeSigningConfigCommand({ ...named, CodeSigningConfigArn })),
      () => t.client.send(new GetFunctionCodeSigningConfigCommand(named)),
      () => t.client.send(new DeleteFunctionCodeSigningConfigCommand(named)),
    ])
      assert.deepEqual(
        await refusalOf(call()),
        invalid(
          'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
        ),
      );
  });

  test('is not changed while the function is being created', async () => {
    const ready = Promise.withResolvers<void>();
    await using host = await startApiHost({ makeReady: () => ready.promise });
    const { client } = host;
    await client.send(new CreateFunctionCommand(await createRequest('f')));
    const CodeSigningConfigArn = await config(client, 'Warn');
    const put = { FunctionName: 'f', CodeSigningConfigArn };
    const call = client.send(new PutFunctionCodeSigningConfigCommand(put));
    const refusal = await refusalOf(call).finally(ready.resolve);
    assert.deepEqual(refusal, {
      status: 409,
      name: 'ResourceConflictException',
      message:
        'The operation cannot be performed at this time. The function is currently in the following state: Pending',
    });
    assert.equal(await attached(client, 'f'), undefined);
  });

  test('is the same after a restart, and keeps its config from being deleted', async () => {
    await using dir = await dataDirectory();
    let arn: string;
    {
      await using t = await startTestHost({ dataDir: dir.path });
      arn = await config(t.client, 'Warn');
      await t.deploy('f', returning('1'), { CodeSigningConfigArn: arn });
    }
    await using t = await startTestHost({ dataDir: dir.path });
    assert.equal(await attached(t.client, 'f'), arn);
    const remove = new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn: arn });
    assert.equal((await refusalOf(t.client.send(remove))).name, 'ResourceConflictException');
  });
});

suite('An unsigned package', () => {
  test('passes with the policy Warn', async () => {
    await using t = await startTestHost();
    const CodeSigningConfigArn = await config(t.client, 'Warn');
    await t.deploy('f', returning('1'), { CodeSigningConfigArn });
    assert.equal(await attached(t.client, 'f'), CodeSigningConfigArn);
    const ZipFile = await zipOf(returning('2'));
    await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile }));
  });

  test('is refused with the policy Enforce, and nothing is created', async () => {
    await using t = await startTestHost();
    const CodeSigningConfigArn = await config(t.client, 'Enforce');
    const request = await createRequest('f', { CodeSigningConfigArn, Publish: true });
    assert.deepEqual(await refusalOf(t.client.send(new CreateFunctionCommand(request))), untrusted);
    const { name } = await refusalOf(t.client.send(new GetFunctionCommand({ FunctionName: 'f' })));
    assert.equal(name, 'ResourceNotFoundException');
    await t.client.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }));
  });

  test('is refused in an update and in a dry run of one; the configuration can be changed', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const CodeSigningConfigArn = await config(t.client, 'Enforce');
    await t.client.send(
      new PutFunctionCodeSigningConfigCommand({ FunctionName: 'f', CodeSigningConfigArn }),
    );
    const get = new GetFunctionConfigurationCommand({ FunctionName: 'f' });
    const { $metadata: _, ...before } = await t.client.send(get);
    const ZipFile = await zipOf(returning('2'));
    for (const DryRun of [false, true]) {
      const update = new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile, DryRun });
      assert.deepEqual(await refusalOf(t.client.send(update)), untrusted);
    }
    const { $metadata: __, ...after } = await t.client.send(get);
    assert.deepEqual(after, before);
    assert.equal((await t.invoke('f')).payload, 1);
    const change = { FunctionName: 'f', Description: 'changed' };
    await t.client.send(new UpdateFunctionConfigurationCommand(change));
  });
});
