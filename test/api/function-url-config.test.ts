// Function URL configs: creating, changing, reading, listing and deleting them, for a function and for its aliases.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  type CreateFunctionUrlConfigCommandInput,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  ListFunctionUrlConfigsCommand,
  UpdateFunctionUrlConfigCommand,
  type UpdateFunctionUrlConfigCommandInput,
} from '@aws-sdk/client-lambda';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost, type TestHost, type TestHostOptions } from '../support/test-host.ts';
import { invalid, refusalOf, send, unfit } from '../support/wire.ts';

function calls(t: TestHost, FunctionName = 'f') {
  return {
    create: (members: Partial<CreateFunctionUrlConfigCommandInput> = {}) =>
      t.client.send(
        new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'AWS_IAM', ...members }),
      ),
    update: (members: Partial<UpdateFunctionUrlConfigCommandInput> = {}) =>
      t.client.send(new UpdateFunctionUrlConfigCommand({ FunctionName, ...members })),
    get: async (Qualifier?: string) => {
      const command = new GetFunctionUrlConfigCommand({ FunctionName, Qualifier });
      const { $metadata: _, ...config } = await t.client.send(command);
      return config;
    },
    remove: (Qualifier?: string) =>
      t.client.send(new DeleteFunctionUrlConfigCommand({ FunctionName, Qualifier })),
    list: async () => {
      const command = new ListFunctionUrlConfigsCommand({ FunctionName });
      return (await t.client.send(command)).FunctionUrlConfigs;
    },
  };
}

/** With a function `f` that has an alias `PROD`. */
async function startWithAlias(options: TestHostOptions = {}): Promise<TestHost> {
  const t = await startTestHost(options);
  await t.deploy('f', returning('1'));
  await t.client.send(
    new CreateAliasCommand({ FunctionName: 'f', Name: 'PROD', FunctionVersion: '$LATEST' }),
  );
  return t;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

const noConfig = {
  status: 404,
  name: 'ResourceNotFoundException',
  message: 'The resource you requested does not exist.',
};

suite('A function URL config', () => {
  test('is created with its defaults, under a URL that begins with id and region', async () => {
    await using t = await startWithAlias();
    const created = await calls(t).create();
    const { $metadata, FunctionUrl = '', CreationTime = '', ...rest } = created;
    assert.equal($metadata.httpStatusCode, 201);
    assert.deepEqual(rest, {
      FunctionArn: `${ARN}:f`,
      AuthType: 'AWS_IAM',
      InvokeMode: 'BUFFERED',
    });
    assert.match(CreationTime, TIME);
    const { port } = new URL(t.url);
    assert.match(
      FunctionUrl,
      new RegExp(`^http://[a-z0-9]{32}\\.lambda-url\\.us-east-1\\.localhost:${port}/$`),
    );
    assert.deepEqual(await calls(t).get(), {
      ...rest,
      FunctionUrl,
      CreationTime,
      LastModifiedTime: CreationTime,
    });
  });

  test('has the name and port by which its caller reaches the host after its labels', async () => {
    await using t = await startWithAlias();
    const { json } = await send(t.url, {
      method: 'POST',
      path: '/2021-10-31/functions/f/url',
      body: '{"AuthType":"NONE"}',
      headers: { host: 'lambda.example:8443' },
    });
    assert.match(
      (json as { FunctionUrl: string }).FunctionUrl,
      /^http:\/\/[a-z0-9]{32}\.lambda-url\.us-east-1\.lambda\.example:8443\/$/,
    );
  });

  test('keeps what an update leaves out, but for Cors, which is replaced as a whole', async () => {
    await using t = await startWithAlias();
    const { create, update, get } = calls(t);
    const Cors = {
      AllowCredentials: true,
      AllowHeaders: ['x-a'],
      AllowMethods: ['GET', '*'],
      AllowOrigins: ['*'],
      ExposeHeaders: ['x-b'],
      MaxAge: 86_400,
    };
    await create({ Cors, InvokeMode: 'RESPONSE_STREAM' });
    const before = await get();
    assert.deepEqual(before.Cors, Cors);
    const { $metadata: _, ...updated } = await update({ AuthType: 'NONE' });
    assert.deepEqual(updated, {
      ...before,
      AuthType: 'NONE',
      LastModifiedTime: updated.LastModifiedTime,
    });
    assert.deepEqual(await get(), updated);
    await update({ Cors: { MaxAge: 0 }, InvokeMode: 'BUFFERED' });
    const { Cors: replaced, InvokeMode: mode, AuthType: auth } = await get();
    assert.deepEqual([replaced, mode, auth], [{ MaxAge: 0 }, 'BUFFERED', 'NONE']);
    await update({ Cors: {} });
    assert.equal((await get()).Cors, undefined);
  });

  test('changes its time with each update and keeps that of its creation', async () => {
    await using t = await startWithAlias();
    const { create, update, get } = calls(t);
    const { CreationTime = '' } = await create();
    let updated = CreationTime;
    // An update within the millisecond of the creation has its time, too.
    while (updated === CreationTime) updated = (await update()).LastModifiedTime ?? '';
    assert.match(updated, TIME);
    assert.ok(updated > CreationTime, `${updated} ${CreationTime}`);
    assert.equal((await get()).CreationTime, CreationTime);
  });

  test('is kept for the function and for each alias by itself, each with an id of its own', async () => {
    await using t = await startWithAlias();
    const { create, list, remove, get } = calls(t);
    const own = await create();
    const alias = await create({ Qualifier: 'PROD', AuthType: 'NONE' });
    assert.equal(alias.FunctionArn, `${ARN}:f:PROD`);
    assert.notEqual(alias.FunctionUrl, own.FunctionUrl);
    assert.deepEqual(await list(), [await get(), await get('PROD')]);
    assert.deepEqual(await calls(t, `${ARN}:f:PROD`).get(), await get('PROD'));
    const command = new ListFunctionUrlConfigsCommand({ FunctionName: 'f', MaxItems: 1 });
    const page = await t.client.send(command);
    assert.deepEqual(page.FunctionUrlConfigs, [await get()]);
    const rest = new ListFunctionUrlConfigsCommand({
      FunctionName: 'f',
      Marker: page.NextMarker,
    });
    assert.deepEqual((await t.client.send(rest)).FunctionUrlConfigs, [await get('PROD')]);
    assert.equal((await remove()).$metadata.httpStatusCode, 204);
    assert.deepEqual(await refusalOf(get()), noConfig);
    assert.deepEqual(await list(), [await get('PROD')]);
    assert.notEqual((await create()).FunctionUrl, own.FunctionUrl);
  });

  test('goes with its alias and with its function', async () => {
    await using t = await startWithAlias();
    const { create, list } = calls(t);
    await create();
    await create({ Qualifier: 'PROD' });
    await t.client.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'PROD' }));
    assert.deepEqual(
      (await list())?.map(({ FunctionArn }) => FunctionArn),
      [`${ARN}:f`],
    );
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    await t.deploy('f', returning('1'));
    assert.deepEqual(await list(), []);
  });

  test('exists once: a second creation is refused and changes nothing', async () => {
    await using t = await startWithAlias();
    const { create, list } = calls(t);
    await create();
    await create({ Qualifier: 'PROD' });
    const before = await list();
    for (const [Qualifier, arn] of [
      [undefined, `${ARN}:f`],
      ['PROD', `${ARN}:f:PROD`],
    ] as const)
      assert.deepEqual(await refusalOf(create({ Qualifier, AuthType: 'NONE' })), {
        status: 409,
        name: 'ResourceConflictException',
        message: `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      });
    assert.deepEqual(await list(), before);
  });

  test('is not found in the words of each operation', async () => {
    await using t = await startWithAlias();
    for (const [name, Qualifier] of [
      ['missing', undefined],
      ['missing', 'PROD'],
      ['f', 'NONE'],
    ] as const) {
      const { create, update, get, remove } = calls(t, name);
      const none = { ...noConfig, message: 'Function does not exist' };
      assert.deepEqual(await refusalOf(create({ Qualifier })), none);
      assert.deepEqual(await refusalOf(update({ Qualifier })), none);
      assert.deepEqual(await refusalOf(get(Qualifier)), noConfig);
      assert.deepEqual(await refusalOf(remove(Qualifier)), noConfig);
    }
    const { update, get, remove } = calls(t);
    for (const Qualifier of [undefined, 'PROD']) {
      assert.deepEqual(await refusalOf(update({ Qualifier })), noConfig);
      assert.deepEqual(await refusalOf(get(Qualifier)), noConfig);
      assert.deepEqual(await refusalOf(remove(Qualifier)), noConfig);
    }
    assert.deepEqual(await refusalOf(calls(t, 'missing').list()), {
      ...noConfig,
      message: 'Function does not exist',
    });
  });

  test('belongs to functions and aliases only', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const pattern = String.raw`((?!^\d+$)^[0-9a-zA-Z-_]+$)`;
    for (const Qualifier of ['1', '$LATEST'])
      assert.deepEqual(
        await refusalOf(calls(t).create({ Qualifier })),
        unfit(
          `Value '${Qualifier}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern}`,
        ),
      );
    assert.deepEqual(
      await refusalOf(calls(t, 'f:PROD').create({ Qualifier: 'TEST' })),
      invalid(
        'The derived qualifier from the function name does not match the specified qualifier.',
      ),
    );
    assert.deepEqual(await calls(t).list(), []);
  });

  test('is held to the limits of Cors, AuthType and InvokeMode', async () => {
    await using t = await startWithAlias();
    const post = async (members: object) => {
      const { json } = await send(t.url, {
        method: 'POST',
        path: '/2021-10-31/functions/f/url',
        body: JSON.stringify({ AuthType: 'NONE', ...members }),
      });
      return (json as { message?: string }).message ?? '';
    };
    const failed = (at: string, rule: string) =>
      `1 validation error detected: Value ${at} failed to satisfy constraint: Member must ${rule}`;
    assert.equal(await post({ AuthType: null }), failed("null at 'authType'", 'not be null'));
    assert.equal(
      await post({ InvokeMode: 'STREAM' }),
      failed("'STREAM' at 'invokeMode'", 'satisfy enum value set: [RESPONSE_STREAM, BUFFERED]'),
    );
    assert.equal(
      await post({ Cors: { MaxAge: 86_401 } }),
      failed("'86401' at 'cors.maxAge'", 'have value less than or equal to 86400'),
    );
    const origins = Array.from({ length: 101 }, () => '*');
    assert.equal(
      await post({ Cors: { AllowOrigins: origins } }),
      failed(
        `'[${origins.join(', ')}]' at 'cors.allowOrigins'`,
        'have length less than or equal to 100',
      ),
    );
    assert.equal(
      await post({ Cors: { AllowMethods: ['G', 'G', 'G', 'G', 'G', 'G', 'G'] } }),
      failed(
        "'[G, G, G, G, G, G, G]' at 'cors.allowMethods'",
        'have length less than or equal to 6',
      ),
    );
    assert.match(
      await post({ Cors: { AllowMethods: ['OPTIONS'] } }),
      /^1 validation error detected: Value '\[OPTIONS\]' at 'cors\.allowMethods' failed .*\[Member must have length less than or equal to 6, /,
    );
    assert.deepEqual(await calls(t).list(), []);
  });

  test('is the same after a restart', async () => {
    await using dir = await dataDirectory();
    let before: unknown;
    // The second host has another port.
    const listed = async (t: TestHost) =>
      (await calls(t).list())?.map(({ FunctionUrl = '', ...config }) => ({
        ...config,
        host: new URL(FunctionUrl).hostname,
      }));
    {
      await using t = await startWithAlias({ dataDir: dir.path });
      await calls(t).create({ Cors: { AllowOrigins: ['https://a.example'] } });
      await calls(t).create({ Qualifier: 'PROD', InvokeMode: 'RESPONSE_STREAM' });
      before = await listed(t);
    }
    await using t = await startTestHost({ dataDir: dir.path });
    assert.deepEqual(await listed(t), before);
  });
});
