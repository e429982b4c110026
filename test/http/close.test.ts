// How the listener ends: what runs is answered, and no connection holds it up. Source: ARCHITECTURE.md, ownership.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

// Far beyond what a test may take: a connection that is waited for makes the test fail by its own limit.
const env = { LAMBKIN_SHUTDOWN_GRACE_MS: '86400000' };

suite('The end of a host', { timeout: 60_000 }, () => {
  test('is not held up by a connection that has never sent anything', async () => {
    const t = await startTestHost({ env });
    const socket = connect(Number(new URL(t.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await t[Symbol.asyncDispose]();
    await closed;
  });

  test('is not held up by a kept connection, idle or answered while it ends', async () => {
    const t = await startTestHost({ env });
    const agent = new Agent({ keepAlive: true });
    const get = async () => {
      const sent = request(`${t.url}/_lambkin/health`, { agent }).end();
      const [response] = await once(sent, 'response');
      return await text(response);
    };
    await get();
    await Promise.allSettled([get(), get(), t[Symbol.asyncDispose]()]);
    agent.destroy();
  });

  test('lets a running invocation be answered, and takes no more', async () => {
    const t = await startTestHost({ env });
    await t.deploy('slow', {
      'index.mjs':
        'export const handler = (event) => new Promise((done) => setTimeout(done, event.ms, "done"));',
    });
    await t.invoke('slow', { ms: 0 });
    const running = t.invoke('slow', { ms: 700 });
    await waitFor('the invocation runs', async () => {
      const health = await fetch(`${t.url}/_lambkin/health`);
      return (await health.text()).includes('"busy":1');
    });
    const ended = t.host[Symbol.asyncDispose]();
    assert.equal((await running).payload, 'done');
    await ended;
    await assert.rejects(fetch(`${t.url}/_lambkin/health`));
    await t[Symbol.asyncDispose]();
  });

  test('drops a call that still waits for its environment, which is no fault to report', async () => {
    const t = await startTestHost({ env: { LAMBKIN_SHUTDOWN_GRACE_MS: '100' } });
    await t.deploy('starting', {
      'index.mjs':
        'await new Promise((done) => setTimeout(done, 8000)); export const handler = () => 1;',
    });
    const dropped = assert.rejects(t.invoke('starting', {}));
    await waitFor('it waits', async () => {
      const health = await fetch(`${t.url}/_lambkin/health`);
      return (await health.text()).includes('"waiting":1');
    });
    await t[Symbol.asyncDispose]();
    await dropped;
    assert.deepEqual(t.reports, []);
  });

  test('may come twice', async () => {
    const t = await startTestHost();
    await t.deploy('f', returning('1'));
    await t[Symbol.asyncDispose]();
    await t[Symbol.asyncDispose]();
  });
});
