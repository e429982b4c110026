// What was answered is there after a restart.
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

async function directory(): Promise<AsyncDisposable & { readonly path: string }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'lambkin-restart-'));
  const remove = () => rm(dir, { recursive: true, force: true });
  return { path: dir, [Symbol.asyncDispose]: remove };
}

function waiting(client: LambdaClient) {
  return { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
}

/** Everything that the API shows of its functions, links left out: they hold a time. */
async function everything(client: LambdaClient): Promise<unknown> {
  const { Functions = [] } = await client.send(
    new ListFunctionsCommand({ FunctionVersion: 'ALL' }),
  );
  const shown: unknown[] = [];
  for (const { FunctionName, Version } of Functions) {
    const named = { FunctionName, Qualifier: Version };
    const { Configuration, Code, Tags } = await client.send(new GetFunctionCommand(named));
    const { Location = '', ...code } = Code ?? {};
    const bytes = Buffer.from(await (await fetch(Location)).arrayBuffer());
    shown.push({ Configuration, Code: code, Tags, bytes: bytes.toString('base64') });
  }
  return { Functions, shown };
}

suite('After a restart', () => {
  test('every function is as it was shown before, member by member, and runs', async () => {
    await using dir = await directory();
    let before: unknown;
    {
      await using t = await startTestHost({ dataDir: dir.path });
      await t.deploy('plain', returning('"plain"'));
      await t.deploy('full', returning('process.env.KEY'), {
        Publish: true,
        Description: 'ünïcode \u2028 "quoted"',
        Timeout: 9,
        MemorySize: 200,
        Environment: { Variables: { KEY: 'välue', EMPTY: '' } },
        LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN' },
        TracingConfig: { Mode: 'Active' },
        DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
        VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
        EphemeralStorage: { Size: 600 },
        Tags: { zz: 'last', __proto__x: 'a', ключ: 'значение' },
      });
      const ZipFile = await zipOf(returning('"second"'));
      const update = { FunctionName: 'full', ZipFile, Publish: true };
      await t.client.send(new UpdateFunctionCodeCommand(update));
      await waitUntilFunctionUpdatedV2(waiting(t.client), { FunctionName: 'full' });
      before = await everything(t.client);
    }
    await using t = await startTestHost({ dataDir: dir.path });
    assert.deepEqual(await everything(t.client), before);
    assert.equal((await t.invoke('plain')).payload, 'plain');
    assert.equal((await t.invoke('full')).payload, 'second');
    assert.equal((await t.invoke('full', {}, { Qualifier: '1' })).payload, 'välue');
    assert.deepEqual(t.reports, []);
  });

  test('what was Pending becomes Active and what was in progress is brought to its end', async () => {
    await using held = await directory();
    await using left = await directory();
    const open = Promise.withResolvers<void>();
    let isHeld = false;
    {
      await using host = await startApiHost({
        dataDir: held.path,
        makeReady: async () => {
          if (isHeld) await open.promise;
        },
      });
      const { client } = host;
      await client.send(new CreateFunctionCommand(await createRequest('updated')));
      await waitUntilFunctionActiveV2(waiting(client), { FunctionName: 'updated' });
      isHeld = true;
      const created = await createRequest('created', { Publish: true });
      await client.send(new CreateFunctionCommand(created));
      const update = { FunctionName: 'updated', Description: 'new' };
      await client.send(new UpdateFunctionConfigurationCommand(update));
      // As a host leaves its directory that is killed now. Unpacked trees move while they are copied, and are not needed.
      const isKept = (file: string) => !/\/code\/(clones|staging|trash|trees)/.test(file);
      await cp(held.path, left.path, { recursive: true, filter: isKept }).finally(open.resolve);
    }
    await using t = await startTestHost({ dataDir: left.path });
    for (const named of [
      { FunctionName: 'created' },
      { FunctionName: 'created', Qualifier: '1' },
      { FunctionName: 'updated' },
    ]) {
      await waitFor(`${named.FunctionName} is settled`, async () => {
        const shown = await t.client.send(new GetFunctionConfigurationCommand(named));
        return shown.State === 'Active' && shown.LastUpdateStatus === 'Successful';
      });
      assert.deepEqual((await t.invoke(named.FunctionName, { n: 1 })).payload, { n: 1 });
    }
    const updated = new GetFunctionConfigurationCommand({ FunctionName: 'updated' });
    assert.equal((await t.client.send(updated)).Description, 'new');
  });
});
