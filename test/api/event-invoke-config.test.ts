// Event invoke configs: replacing, merging, reading, listing and deleting them, for a function and for its versions.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  ListFunctionEventInvokeConfigsCommand,
  PutFunctionEventInvokeConfigCommand,
  type PutFunctionEventInvokeConfigCommandInput,
  UpdateFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { eventInvokeInForce } from '../../host/event-invoke/record.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { invalid, refusalOf, send, unfit } from '../support/wire.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:q';
const TOPIC = 'arn:aws:sns:us-east-1:000000000000:t';

type Members = Omit<PutFunctionEventInvokeConfigCommandInput, 'FunctionName'>;

function calls(t: TestHost, FunctionName = 'f') {
  return {
    put: (members: Members) =>
      t.client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...members })),
    update: (members: Members) =>
      t.client.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName, ...members })),
    get: (Qualifier?: string) =>
      t.client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier })),
    remove: (Qualifier?: string) =>
      t.client.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName, Qualifier })),
    list: async () => {
      const command = new ListFunctionEventInvokeConfigsCommand({ FunctionName });
      return (await t.client.send(command)).FunctionEventInvokeConfigs;
    },
  };
}

/** What a config says, without the time of its change. */
async function said(answer: Promise<object>): Promise<object> {
  const { $metadata: _, LastModified, ...rest } = (await answer) as Record<string, unknown>;
  assert.ok(LastModified instanceof Date);
  return rest;
}

const noDestinations = { OnSuccess: {}, OnFailure: {} };

function missing(message: string) {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

suite('An event invoke config', () => {
  test('is replaced as a whole by Put: what is left out is gone', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const { put, get } = calls(t);
    const first = await said(
      put({ MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: QUEUE } } }),
    );
    const expected = {
      FunctionArn: `${ARN}:f:$LATEST`,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnSuccess: {}, OnFailure: { Destination: QUEUE } },
    };
    assert.deepEqual(first, expected);
    assert.deepEqual(await said(get()), expected);
    await put({ MaximumEventAgeInSeconds: 60 });
    assert.deepEqual(await said(get()), {
      FunctionArn: `${ARN}:f:$LATEST`,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: noDestinations,
    });
  });

  test('is merged by Update: what is left out stays, each destination by itself', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const { put, update, get } = calls(t);
    await put({
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnSuccess: { Destination: TOPIC } },
    });
    const updated = await said(
      update({
        MaximumEventAgeInSeconds: 100,
        DestinationConfig: { OnFailure: { Destination: QUEUE } },
      }),
    );
    const expected = {
      FunctionArn: `${ARN}:f:$LATEST`,
      MaximumRetryAttempts: 1,
      MaximumEventAgeInSeconds: 100,
      DestinationConfig: { OnSuccess: { Destination: TOPIC }, OnFailure: { Destination: QUEUE } },
    };
    assert.deepEqual(updated, expected);
    assert.deepEqual(await said(get()), expected);
    await update({
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnSuccess: { Destination: '' }, OnFailure: {} },
    });
    assert.deepEqual(await said(get()), {
      ...expected,
      MaximumRetryAttempts: 0,
      DestinationConfig: noDestinations,
    });
  });

  test('has its time as epoch seconds with a fraction', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const before = Date.now() / 1000;
    const { json } = await send(t.url, {
      method: 'PUT',
      path: '/2019-09-25/functions/f/event-invoke-config',
      body: '{"DestinationConfig":{"OnSuccess":{}}}',
    });
    const { LastModified, ...rest } = json as { LastModified: unknown };
    assert.deepEqual(rest, {
      FunctionArn: `${ARN}:f:$LATEST`,
      DestinationConfig: noDestinations,
    });
    assert.ok(typeof LastModified === 'number', String(LastModified));
    assert.ok(LastModified >= before && LastModified <= Date.now() / 1000, String(LastModified));
  });

  test('is kept for the function and for each version by itself', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const { put, get, list, remove } = calls(t);
    await put({ MaximumRetryAttempts: 0 });
    await put({ Qualifier: '1', MaximumRetryAttempts: 1 });
    await calls(t, `${ARN}:f:$LATEST`).update({ MaximumEventAgeInSeconds: 99 });
    assert.deepEqual(await said(get('1')), {
      FunctionArn: `${ARN}:f:1`,
      MaximumRetryAttempts: 1,
      DestinationConfig: noDestinations,
    });
    const listed = await list();
    assert.deepEqual(
      listed?.map(({ FunctionArn, MaximumRetryAttempts, MaximumEventAgeInSeconds }) => [
        FunctionArn,
        MaximumRetryAttempts,
        MaximumEventAgeInSeconds,
      ]),
      [
        [`${ARN}:f:$LATEST`, 0, 99],
        [`${ARN}:f:1`, 1, undefined],
      ],
    );
    const page = await t.client.send(
      new ListFunctionEventInvokeConfigsCommand({ FunctionName: 'f', MaxItems: 1 }),
    );
    assert.deepEqual(page.FunctionEventInvokeConfigs, listed?.slice(0, 1));
    const next = await t.client.send(
      new ListFunctionEventInvokeConfigsCommand({ FunctionName: 'f', Marker: page.NextMarker }),
    );
    assert.deepEqual(next.FunctionEventInvokeConfigs, listed?.slice(1));
    assert.equal(next.NextMarker, undefined);
    assert.equal((await remove()).$metadata.httpStatusCode, 204);
    assert.deepEqual(await list(), listed?.slice(1));
  });

  test('goes with its version, its alias and its function', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const { put, list } = calls(t);
    await put({ MaximumRetryAttempts: 0 });
    await put({ Qualifier: '1', MaximumRetryAttempts: 1 });
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }));
    assert.deepEqual(
      (await list())?.map(({ FunctionArn }) => FunctionArn),
      [`${ARN}:f:$LATEST`],
    );
    const alias = { FunctionName: 'f', Name: 'PROD' };
    await t.client.send(new CreateAliasCommand({ ...alias, FunctionVersion: '$LATEST' }));
    const { FunctionArn } = await put({ Qualifier: 'PROD', MaximumRetryAttempts: 1 });
    assert.equal(FunctionArn, `${ARN}:f:PROD`);
    await t.client.send(new DeleteAliasCommand(alias));
    assert.equal((await list())?.length, 1);
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    await t.deploy('f', returning('1'));
    assert.deepEqual(await list(), []);
  });

  test('is not found where there is none, in the words of each operation', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const settings = { MaximumRetryAttempts: 1 };
    for (const [name, Qualifier] of [
      ['missing', undefined],
      ['missing', 'PROD'],
      ['f', '2'],
      ['f', 'PROD'],
    ] as const) {
      const { put, update, get, remove } = calls(t, name);
      const none = missing("The function doesn't exist.");
      assert.deepEqual(await refusalOf(put({ Qualifier, ...settings })), none);
      assert.deepEqual(await refusalOf(update({ Qualifier, ...settings })), none);
      const arn = `${ARN}:${name}:${Qualifier ?? '$LATEST'}`;
      const noConfig = missing(`The function ${arn} doesn't have an EventInvokeConfig`);
      assert.deepEqual(await refusalOf(get(Qualifier)), noConfig);
      assert.deepEqual(await refusalOf(remove(Qualifier)), noConfig);
      const named = Qualifier === undefined ? name : `${name}:${Qualifier}`;
      assert.deepEqual(await refusalOf(calls(t, named).list()), none);
    }
    const { update, get, list } = calls(t);
    const noConfig = missing(`The function ${ARN}:f:$LATEST doesn't have an EventInvokeConfig`);
    assert.deepEqual(await refusalOf(update(settings)), noConfig);
    assert.deepEqual(await refusalOf(get()), noConfig);
    assert.deepEqual(await list(), []);
  });

  test('is refused when it sets nothing, before the function is looked for', async () => {
    await using t = await startTestHost();
    const nothing = invalid(
      'You must specify at least one of error handling or destination setting.',
    );
    const { put, update } = calls(t, 'missing');
    assert.deepEqual(await refusalOf(put({})), nothing);
    assert.deepEqual(await refusalOf(update({})), nothing);
  });

  test('is refused outside its ranges', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const { put } = calls(t);
    const failure = (value: number, member: string, rule: string) =>
      unfit(`Value '${value}' at '${member}' failed to satisfy constraint: Member must ${rule}`);
    const most = 'have value less than or equal to';
    const least = 'have value greater than or equal to';
    const refused = async (members: Members) => await refusalOf(put(members));
    assert.deepEqual(
      await refused({ MaximumRetryAttempts: 3 }),
      failure(3, 'maximumRetryAttempts', `${most} 2`),
    );
    assert.deepEqual(
      await refused({ MaximumEventAgeInSeconds: 59 }),
      failure(59, 'maximumEventAgeInSeconds', `${least} 60`),
    );
    assert.deepEqual(
      await refused({ MaximumEventAgeInSeconds: 21_601 }),
      failure(21_601, 'maximumEventAgeInSeconds', `${most} 21600`),
    );
    const { name, message } = await refused({
      DestinationConfig: { OnFailure: { Destination: 'queue' } },
    });
    assert.equal(name, 'ValidationException');
    assert.match(
      message,
      /^1 validation error detected: Value 'queue' at 'destinationConfig\.onFailure\.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: /,
    );
  });

  test('is the same after a restart', async () => {
    await using dir = await dataDirectory();
    let before: object;
    {
      await using t = await startTestHost({ dataDir: dir.path });
      await t.deploy('f', returning('1'));
      const DestinationConfig = { OnSuccess: { Destination: TOPIC } };
      before = await calls(t).put({ MaximumRetryAttempts: 0, DestinationConfig });
    }
    await using t = await startTestHost({ dataDir: dir.path });
    const { $metadata: _, ...after } = await calls(t).get();
    const { $metadata: __, ...shown } = before as typeof after & { $metadata: unknown };
    assert.deepEqual(after, shown);
  });
});

suite('In force', () => {
  test('are the values of the config, and those of the service where it says nothing', () => {
    assert.deepEqual(eventInvokeInForce(undefined), {
      maximumRetryAttempts: 2,
      maximumEventAgeSeconds: 21_600,
      onSuccess: undefined,
      onFailure: undefined,
    });
    assert.deepEqual(
      eventInvokeInForce({ lastModifiedMs: 1, maximumRetryAttempts: 0, onFailure: QUEUE }),
      {
        maximumRetryAttempts: 0,
        maximumEventAgeSeconds: 21_600,
        onSuccess: undefined,
        onFailure: QUEUE,
      },
    );
  });
});
