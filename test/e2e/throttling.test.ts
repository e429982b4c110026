// 429: of the account at once, of the machine after a bounded wait in a bounded queue; nothing of it ran.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TooManyRequestsException } from '@aws-sdk/client-lambda';
import { result } from '../support/function-answers.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CODE = `export const handler = async ({ ms = 0 }) => {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  return 'ok';
};`;

/** How many of these calls were answered; every other one was throttled as the service does it. */
async function answered(t: TestHost, calls: number, ms: number): Promise<number> {
  const ended = await Promise.allSettled(
    Array.from({ length: calls }, () => result(t, 'f', { ms })),
  );
  let count = 0;
  for (const end of ended) {
    if (end.status === 'fulfilled') count += 1;
    else assertThrottled(end.reason as TooManyRequestsException); // checked member by member
  }
  return count;
}

function assertThrottled(error: TooManyRequestsException): void {
  assert.equal(error.name, 'TooManyRequestsException', String(error));
  assert.equal(error.$metadata.httpStatusCode, 429);
  assert.equal(error.message, 'Rate Exceeded.');
  assert.equal(error.Reason, 'ConcurrentInvocationLimitExceeded');
  assert.equal(error.Type, 'User');
  assert.equal(error.retryAfterSeconds, '1');
}

test('the concurrency of the account is a limit that nobody waits for', async () => {
  await using t = await startTestHost({ env: { LAMBKIN_DISPATCH_ACCOUNT_CONCURRENCY: '3' } });
  await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 20 });
  assert.equal(await answered(t, 10, 1000), 3);
  assert.equal(await answered(t, 3, 0), 3, 'what has ended does not count');
});

test('a full queue refuses', async () => {
  await using t = await startTestHost({
    env: {
      LAMBKIN_DISPATCH_QUEUE_LENGTH: '2',
      LAMBKIN_POOL_MEMORY_BUDGET: '128MiB',
    },
  });
  await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 20 });
  await result(t, 'f');
  assert.equal(await answered(t, 10, 300), 3, 'one runs, two wait');
  assert.equal(await answered(t, 3, 0), 3);
});

test('a wait beyond dispatch.queueWaitMs refuses', async () => {
  await using t = await startTestHost({
    env: { LAMBKIN_DISPATCH_QUEUE_WAIT_MS: '500', LAMBKIN_POOL_MEMORY_BUDGET: '128MiB' },
  });
  await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 20 });
  await result(t, 'f');
  assert.equal(await answered(t, 4, 2000), 1);
  assert.equal(await answered(t, 2, 0), 2);
});
