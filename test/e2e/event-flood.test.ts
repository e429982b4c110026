// A flood of asynchronous events beside calls that wait for their answer: it takes what is free, and leaves others their share.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { startTurnstile } from '../support/turnstile.ts';
import { waitFor } from '../support/wait-for.ts';

async function flood(t: TestHost, FunctionName: string, count: number): Promise<void> {
  const command = () => new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: '1' });
  await Promise.all(Array.from({ length: count }, () => t.client.send(command())));
}

async function counts(
  t: TestHost,
): Promise<{ readonly succeeded: number; readonly refused: number }> {
  const health = await (await fetch(`${t.url}/_lambkin/health`)).json();
  return Object(health).queue.counts;
}

async function environments(t: TestHost): Promise<{ readonly starting: number }> {
  const health = await (await fetch(`${t.url}/_lambkin/health`)).json();
  return Object(health).environments;
}

suite('A flood of events', () => {
  test('of handlers that only wait runs on as many environments as there are events', async () => {
    using turnstile = await startTurnstile();
    await using t = await startTestHost({ env: { LAMBKIN_POOL_MEMORY_BUDGET: '8GiB' } });
    await t.deploy('waits', turnstile.handler(), { Timeout: 60 });
    await flood(t, 'waits', 30);
    await waitFor('all 30 run at once', () => turnstile.waiting === 30);
    turnstile.open();
    await waitFor('all have ended', async () => (await counts(t)).succeeded === 30);
  });

  test('leaves a part of the concurrency to those who wait for their answer', async () => {
    using turnstile = await startTurnstile();
    await using t = await startTestHost({
      env: { LAMBKIN_POOL_MEMORY_BUDGET: '8GiB', LAMBKIN_DISPATCH_ACCOUNT_CONCURRENCY: '10' },
    });
    await t.deploy('waits', turnstile.handler(), { Timeout: 60 });
    await t.deploy('other', returning('"served"'));
    await flood(t, 'waits', 40);
    await waitFor('nine run', () => turnstile.waiting === 9);
    for (let call = 0; call < 20; call += 1)
      assert.equal((await t.invoke('other')).payload, 'served');
    assert.equal(turnstile.waiting, 9, 'the last place is not for events');
    turnstile.open();
    await waitFor('all have ended', async () => (await counts(t)).succeeded === 40);
    assert.equal((await counts(t)).refused, 0, 'events wait instead of being throttled');
  });

  test('that fills the memory makes way for a call of another function, and calls of its own come soon', async () => {
    using turnstile = await startTurnstile();
    await using t = await startTestHost({
      env: { LAMBKIN_POOL_MEMORY_BUDGET: '512MiB', LAMBKIN_DISPATCH_QUEUE_WAIT_MS: '60000' },
    });
    await t.deploy('waits', turnstile.handler(), { Timeout: 60 });
    await t.deploy('other', returning('"served"'));
    await flood(t, 'waits', 40);
    await waitFor('four run', () => turnstile.waiting === 4);
    for (const name of ['other', 'waits']) {
      let answer: unknown;
      const call = t.invoke(name, 'called').then(({ payload }) => {
        answer = payload;
      });
      let released = 0;
      await waitFor(`${name} is served`, async () => {
        // While one starts the call may be served by it, however long that takes.
        const { starting } = await environments(t);
        if (answer === undefined && starting === 0 && turnstile.waiting > 0) {
          turnstile.releaseOne();
          released += 1;
        }
        return answer !== undefined;
      });
      await call;
      assert.ok(released <= 12, `${released} events had to end before the call of ${name} did`);
    }
    turnstile.open();
    await waitFor('all have ended', async () => (await counts(t)).succeeded === 40);
  });
});
