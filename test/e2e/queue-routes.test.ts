// What operators reach of the queue over HTTP: who may look, who may change, and what it takes to remove something.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  InvokeCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { startCollector } from '../support/collector.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

/** Asks the routes as whoever has the host's own token, unless something else is said. */
function callerOf(t: TestHost) {
  const token = readFileSync(path.join(t.dataDir, 'secrets', 'token'), 'utf8').trim();
  return async (method: string, target: string, authorization = `Bearer ${token}`) => {
    const answer = await fetch(new URL(`/_lambkin/queue${target}`, t.url), {
      method,
      headers: { authorization },
    });
    return { status: answer.status, json: Object(await answer.json()) };
  };
}

test('Dead letters are listed, shown, sent again and purged over HTTP, by whoever may', async () => {
  await using collector = await startCollector<unknown>();
  await using t = await startTestHost();
  const call = callerOf(t);
  await t.deploy('f', {
    'index.mjs': `export const handler = async (event) => {
      await fetch('${collector.url}', { method: 'POST', body: JSON.stringify(event) });
      throw new Error('never good');
    };`,
  });
  const FunctionName = 'f';
  await t.client.send(
    new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }),
  );
  const deadLetters = async () =>
    (await call('GET', '/dead-letters?functionName=f')).json.deadLetters;
  for (const n of [1, 2]) {
    const Payload = JSON.stringify({ n });
    await t.client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));
  }
  await waitFor('both are given up', async () => (await deadLetters()).length === 2);

  const [first] = await deadLetters();
  assert.equal(first.reason, 'never good');
  const shown = await call('GET', `/dead-letters/${first.id}`);
  assert.equal(shown.status, 200);
  assert.deepEqual(Object.keys(shown.json.payload), ['n']);
  assert.equal((await call('POST', `/dead-letters/${first.id}/redrive`)).json.redriven, 1);
  await waitFor('it has failed again', async () => (await deadLetters()).length === 2);
  assert.equal(collector.count, 3);
  assert.equal((await call('POST', `/dead-letters/${first.id}/redrive`)).status, 404);
  assert.equal((await call('POST', '/redrive?functionName=f')).json.redriven, 2);
  await waitFor('both have failed again', async () => (await deadLetters()).length === 2);
  assert.equal(collector.count, 5);

  // What waits is seen, too.
  await t.client.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }),
  );
  const summary = (await call('GET', '')).json;
  assert.equal(summary.deadLetters[0].count, 2);
  assert.equal(summary.counts.accepted, 2);
  assert.equal((await call('GET', '/events?functionName=f')).json.events.length, 0);
  assert.equal((await call('GET', '/events')).status, 400);

  for (const target of [
    '/purge?what=deadLetters&functionName=f',
    '/purge?functionName=f&confirm=f',
  ])
    assert.equal((await call('POST', target)).status, 400, target);
  assert.equal((await deadLetters()).length, 2);
  const purge = '/purge?what=deadLetters&functionName=f&confirm=f';
  assert.equal((await call('POST', purge, 'Bearer wrong')).status, 403);
  assert.equal((await call('GET', '', 'Bearer wrong')).status, 403);
  assert.equal((await call('POST', purge)).json.purged, 2);
  assert.deepEqual(await deadLetters(), []);
});

test('Waiting events are listed with their attempts and next time, and purged on confirmation', async () => {
  await using t = await startTestHost();
  const call = callerOf(t);
  await t.deploy('f', { 'index.mjs': "export const handler = () => { throw new Error('no'); };" });
  const requestIds: (string | undefined)[] = [];
  for (const n of [1, 2, 3]) {
    const sent = { FunctionName: 'f', InvocationType: 'Event' as const, Payload: `{"n":${n}}` };
    requestIds.push((await t.client.send(new InvokeCommand(sent))).$metadata.requestId);
  }
  const waiting = async () => (await call('GET', '/events?functionName=f')).json.events;
  const tried = async () =>
    (await waiting()).filter((event: { attempts: number }) => event.attempts === 1).length;
  await waitFor('each has been tried once', async () => (await tried()) === 3);

  const events = await waiting();
  assert.deepEqual(
    events.map(({ requestId }: { requestId: string }) => requestId),
    requestIds,
  );
  for (const { acceptedAtMs, nextAttemptAtMs, lastError, payloadBytes } of events) {
    assert.ok(nextAttemptAtMs >= acceptedAtMs + 60_000);
    assert.deepEqual(lastError, { code: 200, message: 'no' });
    assert.equal(payloadBytes, '{"n":1}'.length);
  }
  const [{ count }] = (await call('GET', '')).json.functions;
  assert.equal(count, 3);
  assert.equal((await call('POST', '/purge?what=events&functionName=f&confirm=g')).status, 400);
  assert.equal((await waiting()).length, 3);
  const purge = '/purge?what=events&functionName=f&confirm=f';
  assert.equal((await call('POST', purge)).json.purged, 3);
  assert.deepEqual(await waiting(), []);
  assert.deepEqual((await call('GET', '')).json.functions, []);
  assert.deepEqual((await call('GET', '/dead-letters?functionName=f')).json.deadLetters, []);
});
