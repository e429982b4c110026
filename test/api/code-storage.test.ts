// What all packages of an account may have together: 75 GB on the service, here what a test can fill.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { createRequest, returning } from '../support/functions.ts';
import { refusalOf } from '../support/wire.ts';

const full = {
  status: 400,
  name: 'CodeStorageExceededException',
  message: 'Code storage limit exceeded.',
};

/** How many of these calls succeed; the others are refused for want of room. */
async function admitted(calls: readonly Promise<unknown>[]): Promise<number> {
  const results = await Promise.allSettled(calls);
  const refused = results.filter((result) => result.status === 'rejected');
  for (const { reason } of refused) assert.deepEqual(await refusalOf(Promise.reject(reason)), full);
  return results.length - refused.length;
}

test('A package for which the account has no room is refused, with every version counted', async () => {
  const small = await zipOf(returning('1'));
  await using host = await startApiHost({ codeStorageBytes: 3 * small.length + 10 });
  const { client } = host;
  const create = async (name: string, Publish = false) =>
    await client.send(
      new CreateFunctionCommand(await createRequest(name, { Code: { ZipFile: small }, Publish })),
    );
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

test('Creations at the same time do not pass together what each of them keeps to', async () => {
  const ZipFile = await zipOf(returning('1'));
  await using host = await startApiHost({ codeStorageBytes: 3 * ZipFile.length + 10 });
  const { client, functions } = host;
  const used = () => functions.codeBytes('000000000000', 'us-east-1');
  const create = async (FunctionName: string) =>
    await client.send(
      new CreateFunctionCommand(await createRequest(FunctionName, { Code: { ZipFile } })),
    );
  const names = Array.from({ length: 12 }, (_, index) => `f${index}`);
  assert.equal(await admitted(names.map(create)), 3);
  assert.equal(used(), 3 * ZipFile.length);
  // What was refused has taken no room: as much as is given back is there again, and no more.
  const [gone = ''] = functions.names('000000000000', 'us-east-1');
  await client.send(new DeleteFunctionCommand({ FunctionName: gone }));
  assert.equal(used(), 2 * ZipFile.length);
  assert.equal(await admitted(['a', 'b', 'c'].map(create)), 1);
  assert.equal(used(), 3 * ZipFile.length);
});

test('Updates at the same time do not either', async () => {
  const small = await zipOf(returning('1'));
  const ZipFile = await zipOf({ ...returning('1'), 'more.txt': 'some text that is stored too' });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const codeStorageBytes = (names.length - 2) * small.length + 2 * ZipFile.length;
  await using host = await startApiHost({ codeStorageBytes });
  const { client, functions } = host;
  for (const name of names) {
    await client.send(
      new CreateFunctionCommand(await createRequest(name, { Code: { ZipFile: small } })),
    );
    const waiting = { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
    await waitUntilFunctionActiveV2(waiting, { FunctionName: name });
  }
  const update = (FunctionName: string) =>
    client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  assert.equal(await admitted(names.map(update)), 2);
  assert.equal(functions.codeBytes('000000000000', 'us-east-1'), codeStorageBytes);
});

test('What is stored is counted again after a restart', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-storage-'));
  try {
    const used: number[] = [];
    for (const name of ['f', 'g']) {
      await using host = await startApiHost({ dataDir });
      used.push(host.functions.codeBytes('000000000000', 'us-east-1'));
      const request = await createRequest(name, { Publish: true });
      await host.client.send(new CreateFunctionCommand(request));
      used.push(host.functions.codeBytes('000000000000', 'us-east-1'));
    }
    const { length } = await zipOf(returning('event'));
    assert.deepEqual(used, [0, 2 * length, 2 * length, 4 * length]);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
