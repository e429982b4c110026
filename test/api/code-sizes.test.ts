// Packages and requests at and over the service's limits.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { refusalOf, send } from '../support/wire.ts';

const tooLarge = (message: string) => ({
  status: 413,
  name: 'RequestEntityTooLargeException',
  message,
});
const zipTooLarge = tooLarge('Zipped size must be smaller than 52428800 bytes');

suite('A package over the limit', () => {
  test('of 50 MB is refused on create and update before anything else is looked at', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const before = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
    const ZipFile = Buffer.alloc(52_428_801);
    const create = await createRequest('g', { Code: { ZipFile }, Role: 'no role' });
    assert.deepEqual(
      await refusalOf(t.client.send(new CreateFunctionCommand(create))),
      zipTooLarge,
    );
    const update = new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile });
    assert.deepEqual(await refusalOf(t.client.send(update)), zipTooLarge);
    const after = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
    assert.deepEqual(after.Configuration, before.Configuration);
  });

  test('of the request is refused without reading on, and the host goes on', async () => {
    await using t = await startTestHost();
    const body = Buffer.alloc(70_167_212, ' ');
    const answer = await send(t.url, { method: 'POST', path: '/2015-03-31/functions', body });
    assert.equal(answer.status, 413);
    assert.equal(answer.headers['x-amzn-errortype'], 'RequestEntityTooLargeException');
    assert.deepEqual(answer.json, {
      message: 'Request must be smaller than 70167211 bytes for the CreateFunction operation',
    });
    const path = '/2015-03-31/functions/f/code';
    const update = await send(t.url, { method: 'PUT', path, body, chunkBytes: 4_000_000 });
    assert.deepEqual(update.json, {
      message: 'Request must be smaller than 70167211 bytes for the UpdateFunctionCode operation',
    });
    assert.equal((await fetch(`${t.url}/_lambkin/health`)).status, 200);
  });
});
