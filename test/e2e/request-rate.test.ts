// dispatch.requestRate: synchronous invocations are held to ten per second and concurrent execution, as on the service.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PutFunctionConcurrencyCommand, TooManyRequestsException } from '@aws-sdk/client-lambda';
import { result } from '../support/function-answers.ts';
import { returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

async function untilRefused(t: TestHost, name: string): Promise<string | undefined> {
  let reason: string | undefined;
  await waitFor(`${name} is refused`, async () => {
    for (let i = 0; i < 40 && reason === undefined; i += 1)
      try {
        await t.invoke(name);
      } catch (error) {
        if (!(error instanceof TooManyRequestsException)) throw error;
        reason = error.Reason;
      }
    return reason !== undefined;
  });
  return reason;
}

test('a function that is called faster is refused with the reason, and others are not', async () => {
  await using t = await startTestHost({
    env: {
      LAMBKIN_DISPATCH_REQUEST_RATE: 'on',
      LAMBKIN_DISPATCH_ACCOUNT_CONCURRENCY: '102',
    },
  });
  for (const name of ['f', 'g']) await t.deploy(name, returning('event'));
  const input = { FunctionName: 'f', ReservedConcurrentExecutions: 1 };
  await t.client.send(new PutFunctionConcurrencyCommand(input));
  assert.equal(await untilRefused(t, 'f'), 'ReservedFunctionInvocationRateLimitExceeded');
  assert.equal(await result(t, 'g', 1), 1);
  await waitFor('it may run again', async () => {
    try {
      return (await result(t, 'f', 2)) === 2;
    } catch (error) {
      if (error instanceof TooManyRequestsException) return false;
      throw error;
    }
  });
});
