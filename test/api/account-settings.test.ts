// What an account may have, from the host's settings, and what it has, counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  type LambdaClient,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { returning } from '../support/functions.ts';
import { publishLayer } from '../support/layers.ts';
import { created, membersOf, published, settled, updated } from '../support/versions.ts';

async function settings(client: LambdaClient) {
  return membersOf(await client.send(new GetAccountSettingsCommand({})));
}

async function usage(client: LambdaClient) {
  const { AccountUsage } = await settings(client);
  return [AccountUsage?.FunctionCount, AccountUsage?.TotalCodeSize];
}

test('an empty account has the limits of the host and nothing else', async () => {
  await using host = await startApiHost({ codeStorageBytes: 12_345, accountConcurrency: 77 });
  assert.deepEqual(await settings(host.client), {
    AccountLimit: {
      TotalCodeSize: 12_345,
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: 77,
      UnreservedConcurrentExecutions: 77,
    },
    AccountUsage: { TotalCodeSize: 0, FunctionCount: 0 },
  });
});

test('every version of a function and of a layer counts with the bytes of its package', async () => {
  await using host = await startApiHost();
  const { client } = host;
  const small = await zipOf(returning('1'));
  const large = await zipOf({ ...returning('1'), 'more.txt': 'some text that is stored too' });
  await created(client, 'f', { Code: { ZipFile: small } });
  assert.deepEqual(await usage(client), [1, small.length]);
  await updated(client, 'f', { Description: 'a change of configuration adds nothing' });
  assert.deepEqual(await usage(client), [1, small.length]);
  await published(client, 'f');
  await published(client, 'f');
  assert.deepEqual(await usage(client), [1, 2 * small.length], 'the same is published once');
  await updated(client, 'f', { Description: 'but publishing after one does' });
  await published(client, 'f');
  assert.deepEqual(await usage(client), [1, 3 * small.length]);
  await client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile: large }));
  await settled(client, 'f');
  assert.deepEqual(await usage(client), [1, 2 * small.length + large.length]);
  await created(client, 'g', { Code: { ZipFile: large } });
  const files = { 'nodejs/one.mjs': 'export default 1;' };
  const layer = (await zipOf(files)).length;
  for (let i = 0; i < 2; i += 1) await publishLayer(client, 'l', files);
  assert.deepEqual(await usage(client), [2, 2 * small.length + 2 * large.length + 2 * layer]);
  await client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }));
  assert.deepEqual(await usage(client), [2, small.length + 2 * large.length + 2 * layer]);
  await client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
  assert.deepEqual(await usage(client), [1, large.length + 2 * layer]);
});
