// SIGTERM: what runs is answered, nothing new is taken, nothing is left; a second signal does not wait.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { startHostProcess } from '../support/host-process.ts';
import { createClient, deploy, invoke } from '../support/test-host.ts';
import { tracesOf } from '../support/traces.ts';
import { waitFor } from '../support/wait-for.ts';

const FILES = {
  'index.mjs': `export const handler = async ({ ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return 'finished';
  };`,
};

suite('a host that is told to end', () => {
  let dataDir: string;

  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-test-'));
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`answers what runs after ${signal}, exits with 0 and leaves nothing`, async () => {
      await using host = await startHostProcess(dataDir);
      const client = createClient(host.url);
      const name = `f-${signal}`;
      await deploy(client, name, FILES, { Timeout: 20 });
      await invoke(client, name, { ms: 0 });
      const running = Promise.all([1500, 1600, 1700].map((ms) => invoke(client, name, { ms })));
      await waitFor('all three run', async () => {
        const health = await fetch(`${host.url}/_lambkin/health`);
        const { environments } = (await health.json()) as { environments: { busy: number } }; // our own route
        return environments.busy === 3;
      });
      host.signal(signal);
      await waitFor('it says so', () => host.printed.includes('finishing what runs'));
      await assert.rejects(fetch(`${host.url}/_lambkin/health`), 'it takes no new connection');
      for (const answer of await running) assert.equal(answer.text, '"finished"');
      assert.equal(await host.ended, 0);
      assert.deepEqual(tracesOf(dataDir), []);
    });

  test('finishes what runs when nobody reads what it prints any more', async () => {
    await using host = await startHostProcess(dataDir);
    const client = createClient(host.url);
    await deploy(client, 'unread', FILES, { Timeout: 20 });
    await invoke(client, 'unread', { ms: 0 });
    const running = invoke(client, 'unread', { ms: 1500 });
    await waitFor('it runs', async () => {
      const health = await fetch(`${host.url}/_lambkin/health`);
      return (await health.text()).includes('"busy":1');
    });
    host.stopReading();
    host.signal('SIGTERM');
    assert.equal((await running).text, '"finished"');
    assert.equal(await host.ended, 0);
    assert.deepEqual(tracesOf(dataDir), []);
  });

  test('drops what outlasts shutdown.graceMs', async () => {
    await using host = await startHostProcess(dataDir, {
      env: { LAMBKIN_SHUTDOWN_GRACE_MS: '300' },
    });
    const client = createClient(host.url);
    await deploy(client, 'long', FILES, { Timeout: 60 });
    await invoke(client, 'long', { ms: 0 });
    const dropped = assert.rejects(invoke(client, 'long', { ms: 50_000 }));
    await waitFor('it runs', async () => {
      const health = await fetch(`${host.url}/_lambkin/health`);
      return (await health.text()).includes('"busy":1');
    });
    host.signal('SIGTERM');
    await dropped;
    assert.equal(await host.ended, 0);
    assert.deepEqual(tracesOf(dataDir), []);
  });

  test('ends at once at the second signal', async () => {
    await using host = await startHostProcess(dataDir);
    const client = createClient(host.url);
    await deploy(client, 'longer', FILES, { Timeout: 60 });
    const dropped = assert.rejects(invoke(client, 'longer', { ms: 50_000 }));
    await waitFor('it runs', async () => {
      const health = await fetch(`${host.url}/_lambkin/health`);
      return (await health.text()).includes('"busy":1');
    });
    host.signal('SIGTERM');
    await waitFor('it says so', () => host.printed.includes('finishing what runs'));
    host.signal('SIGTERM');
    assert.equal(await host.ended, 1);
    await dropped;
    await waitFor('its sandboxes have died with it', () =>
      tracesOf(dataDir).every((trace) => !trace.startsWith('process')),
    );
    // What else it left is the next one's to clear away.
    await using next = await startHostProcess(dataDir);
    next.signal('SIGTERM');
    assert.equal(await next.ended, 0);
    assert.deepEqual(tracesOf(dataDir), []);
  });
});
