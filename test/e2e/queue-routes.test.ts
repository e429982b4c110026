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
import { startTestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

test('Dead letters are listed, shown, sent again and purged over HTTP, by whoever may', async () => {
  await using collector = await startCollector<unknown>();
  await using t = await startTestHost();
  const token = readFileSync(path.join(t.dataDir, 'secrets', 'token'), 'utf8').trim();
  const call = async (method: string, target: string, authorization = `Bearer ${token}`) => {
    const answer = await fetch(new URL(`/_lambkin/queue${target}`, t.url), {
      method,
      headers: { authorization },
    });
    return { status: answer.status, json: Object(await answer.json()) };
  };
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
