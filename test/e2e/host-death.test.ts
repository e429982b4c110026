// A host that is killed under load: nothing of it is left, and the next one on its data has every function.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { startHostProcess } from '../support/host-process.ts';
import { createClient, deploy, invoke } from '../support/test-host.ts';
import { tracesOf } from '../support/traces.ts';
import { waitFor } from '../support/wait-for.ts';

const FILES = {
  'index.mjs': `import { spawn } from 'node:child_process';
    spawn('/bin/sleep', ['86313'], { stdio: 'ignore', detached: true }).unref();
    export const handler = async ({ loop }) => { if (loop) for (;;); return 'ok'; };`,
};

test('SIGKILL under load leaves no process, group or slot to the next host, and loses no function', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-test-'));
  try {
    for (let round = 0; round < 2; round += 1) {
      await using host = await startHostProcess(dataDir);
      const client = createClient(host.url);
      const before = await client.send(new ListFunctionsCommand({}));
      assert.deepEqual(
        before.Functions?.map(({ FunctionName }) => FunctionName),
        Array.from({ length: round }, (_, index) => `f${index}`),
      );
      const name = `f${round}`;
      await deploy(client, name, FILES, { Timeout: 60 });
      // Rejected when the host dies, which is what happens to them here.
      const loads = Array.from({ length: 6 }, async (_, index) => {
        try {
          for (;;) await invoke(client, name, { loop: index === 0 });
        } catch (error) {
          return error;
        }
      });
      await invoke(client, name);
      host.signal('SIGKILL');
      assert.equal(await host.ended, 'SIGKILL');
      await Promise.all(loads);
      await waitFor('its sandboxes have died with it', () =>
        tracesOf(dataDir).every((trace) => !trace.startsWith('process')),
      );
    }
    {
      await using host = await startHostProcess(dataDir);
      const client = createClient(host.url);
      assert.equal((await invoke(client, 'f0')).text, '"ok"');
      assert.equal((await invoke(client, 'f1')).text, '"ok"');
      host.signal('SIGTERM');
      assert.equal(await host.ended, 0);
    }
    assert.deepEqual(tracesOf(dataDir), []);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
