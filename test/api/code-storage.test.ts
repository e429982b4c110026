// What all packages of an account may have together. Source: control-plane document §6.2 step 11, §21.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { createRequest, returning } from '../support/functions.ts';
import { refusalOf } from '../support/wire.ts';

test('A package for which the account has no room is refused, with every version counted', async () => {
  const small = await zipOf(returning('1'));
  await using host = await startApiHost({ codeStorageBytes: 3 * small.length + 10 });
  const { client } = host;
  const create = async (name: string, Publish = false) =>
    await client.send(
      new CreateFunctionCommand(await createRequest(name, { Code: { ZipFile: small }, Publish })),
    );
  const full = {
    status: 400,
    name: 'CodeStorageExceededException',
    message: 'Code storage limit exceeded.',
  };
  await create('one', true);
  await create('two');
  assert.deepEqual(await refusalOf(create('three')), full);
  const waiting = { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
  await waitUntilFunctionActiveV2(waiting, { FunctionName: 'two' });
  const ZipFile = await zipOf({ ...returning('1'), 'more.txt': 'some text that is stored too' });
  const grown = { FunctionName: 'two', ZipFile };
  for (const DryRun of [true, false])
    assert.deepEqual(
      await refusalOf(client.send(new UpdateFunctionCodeCommand({ ...grown, DryRun }))),
      full,
    );
  // As many bytes as before are no more than before.
  const same = { FunctionName: 'two', ZipFile: await zipOf(returning('2')) };
  await client.send(new UpdateFunctionCodeCommand(same));
});
