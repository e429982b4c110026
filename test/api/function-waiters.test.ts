// The waiters of the official SDK against a whole host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActive,
  waitUntilFunctionActiveV2,
  waitUntilFunctionExists,
  waitUntilFunctionUpdated,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { createRequest } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';

test('Every waiter of the SDK succeeds after create, update and publish', async () => {
  await using t = await startTestHost();
  const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
  await t.client.send(new CreateFunctionCommand(await createRequest('f', { Publish: true })));
  const f = { FunctionName: 'f' };
  const first = { FunctionName: 'f', Qualifier: '1' };
  const results = [
    await waitUntilFunctionExists(waiting, f),
    await waitUntilFunctionActive(waiting, f),
    await waitUntilFunctionActiveV2(waiting, f),
    await waitUntilFunctionUpdated(waiting, f),
    await waitUntilPublishedVersionActive(waiting, first),
    // Terraform waits for this member of a version too.
    await waitUntilFunctionUpdatedV2(waiting, first),
  ];
  await t.client.send(new UpdateFunctionConfigurationCommand({ ...f, Description: 'new' }));
  results.push(await waitUntilFunctionUpdated(waiting, f));
  results.push(await waitUntilFunctionUpdatedV2(waiting, f));
  assert.deepEqual(new Set(results.map(({ state }) => state)), new Set(['SUCCESS']));
});
