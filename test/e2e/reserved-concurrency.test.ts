// A function with reserved concurrency runs in its own part of the account, all others in the rest. At a limit a call is refused at
// once, and only that function's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
  type TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import { result } from '../support/function-answers.ts';
import { returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { startTurnstile } from '../support/turnstile.ts';
import { waitFor } from '../support/wait-for.ts';

/** Room for many small environments on any machine. */
const ENV = { LAMBKIN_POOL_MEMORY_BUDGET: '8GiB' };

async function reserve(t: TestHost, FunctionName: string, ReservedConcurrentExecutions: number) {
  const input = { FunctionName, ReservedConcurrentExecutions };
  await t.client.send(new PutFunctionConcurrencyCommand(input));
}

/** Calls under way, with what has become of those that have ended. */
class Calls {
  readonly answers: unknown[] = [];
  readonly reasons: (string | undefined)[] = [];
  readonly #all: Promise<void>[] = [];

  add(t: TestHost, count: number, name: string, Qualifier?: string): void {
    for (let i = 0; i < count; i += 1) this.#all.push(this.#call(t, name, Qualifier));
  }

  async #call(t: TestHost, name: string, Qualifier: string | undefined): Promise<void> {
    try {
      const { payload, text } = await t.invoke(name, 'done', { Qualifier });
      assert.equal(payload, 'done', text);
      this.answers.push(payload);
    } catch (error) {
      const refusal = error as TooManyRequestsException; // as: checked member by member
      assert.equal(refusal.name, 'TooManyRequestsException', String(error));
      assert.equal(refusal.$metadata.httpStatusCode, 429);
      assert.equal(refusal.message, 'Rate Exceeded.');
      assert.equal(refusal.Type, 'User');
      assert.equal(refusal.retryAfterSeconds, '1');
      this.reasons.push(refusal.Reason);
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#all);
  }
}

function times(count: number, reason: string): string[] {
  return Array.from({ length: count }, () => reason);
}

const RESERVED = 'ReservedFunctionConcurrentInvocationLimitExceeded';
const UNRESERVED = 'ConcurrentInvocationLimitExceeded';

test('of twenty calls at once five run where five are reserved, over all versions, and others are not touched', async () => {
  using stop = await startTurnstile();
  await using t = await startTestHost({ env: ENV });
  await t.deploy('f', stop.handler(), { Publish: true, Timeout: 60 });
  await t.deploy('other', returning('event'));
  await reserve(t, 'f', 5);
  const calls = new Calls();
  calls.add(t, 10, 'f');
  calls.add(t, 10, 'f', '1');
  await waitFor('15 are refused', () => calls.reasons.length === 15);
  await waitFor('5 run', () => stop.waiting === 5);
  assert.equal(await result(t, 'other', 'free'), 'free');
  assert.deepEqual(calls.answers, []);
  stop.releaseOne();
  await waitFor('one has ended', () => calls.answers.length === 1);
  calls.add(t, 1, 'f');
  await waitFor('its place is taken', () => stop.waiting === 5);
  stop.open();
  await calls.ended();
  assert.equal(calls.answers.length, 6);
  assert.deepEqual(calls.reasons, times(15, RESERVED));
  assert.deepEqual(t.reports, []);
});

test('zero stops a function, and what is changed holds for the next call, downward too', async () => {
  using stop = await startTurnstile();
  await using t = await startTestHost({ env: ENV });
  await t.deploy('f', stop.handler(), { Timeout: 60 });
  const calls = new Calls();
  calls.add(t, 3, 'f');
  await waitFor('3 run', () => stop.waiting === 3);
  await reserve(t, 'f', 2);
  calls.add(t, 1, 'f');
  await waitFor('what runs counts', () => calls.reasons.length === 1);
  await reserve(t, 'f', 4);
  calls.add(t, 1, 'f');
  await waitFor('there is room for one more', () => stop.waiting === 4);
  await reserve(t, 'f', 0);
  stop.open();
  await waitFor('what ran has ended', () => calls.answers.length === 4);
  calls.add(t, 2, 'f');
  await calls.ended();
  assert.deepEqual(calls.reasons, times(3, RESERVED));
  await t.client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'f' }));
  assert.equal(await result(t, 'f', 'again'), 'again');
});

test('without reserves all functions share the account', async () => {
  using stop = await startTurnstile();
  await using t = await startTestHost({
    env: { ...ENV, LAMBKIN_DISPATCH_ACCOUNT_CONCURRENCY: '3' },
  });
  await t.deploy('f', stop.handler(), { Timeout: 60 });
  await t.deploy('g', stop.handler(), { Timeout: 60 });
  const calls = new Calls();
  calls.add(t, 2, 'f');
  await waitFor('two run', () => stop.waiting === 2);
  calls.add(t, 2, 'g');
  await waitFor('one is refused', () => calls.reasons.length === 1);
  await waitFor('one of the other runs', () => stop.waiting === 3);
  stop.open();
  await calls.ended();
  assert.deepEqual(calls.reasons, [UNRESERVED]);
});
