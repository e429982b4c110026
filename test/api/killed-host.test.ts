// A host that is killed at any instant has kept what it answered, and leaves nothing running.
// Source: ARCHITECTURE.md, durability.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  LambdaServiceException,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { createRequest, returning } from '../support/functions.ts';
import { startHostProcess } from '../support/host-process.ts';
import { createClient, deploy, invoke, startTestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

async function shown(client: LambdaClient, FunctionName: string) {
  const command = new GetFunctionConfigurationCommand({ FunctionName });
  const { $metadata: _, ...configuration } = await client.send(command);
  return configuration;
}

/** What one caller knows of its function: what was answered, and what it had asked for when the host was killed. */
interface Known {
  readonly name: string;
  answered: string | undefined;
  asked: string | undefined;
}

/** Creates, updates and deletes one function over and over, until the connection breaks. */
async function change(client: LambdaClient, known: Known): Promise<void> {
  const { name: FunctionName } = known;
  for (let step = 0; ; step += 1) {
    const Description = `${FunctionName} ${step}`;
    try {
      known.asked = Description;
      if (known.answered === undefined)
        await client.send(
          new CreateFunctionCommand(await createRequest(FunctionName, { Description })),
        );
      else if (step % 5 === 4) {
        known.asked = undefined;
        await client.send(new DeleteFunctionCommand({ FunctionName }));
      } else
        await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description }));
      known.answered = known.asked;
    } catch (error) {
      if (!(error instanceof LambdaServiceException)) return;
      // Busy: what was asked has been refused.
      assert.equal(error.name, 'ResourceConflictException');
      known.asked = known.answered;
    }
  }
}

test('A killed host starts again with everything it had answered', {
  timeout: 120_000,
}, async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-killed-'));
  try {
    const known = ['a', 'b', 'c', 'd'].map(
      (name): Known => ({ name, answered: undefined, asked: undefined }),
    );
    let still: unknown;
    {
      await using host = await startHostProcess(dataDir);
      const client = createClient(host.url);
      await deploy(client, 'still', returning('"still"'), { Tags: { k: 'v' }, Publish: true });
      await invoke(client, 'still');
      await waitFor('the version is settled', async () => {
        const named = { FunctionName: 'still', Qualifier: '1' };
        const version = await client.send(new GetFunctionConfigurationCommand(named));
        return version.LastUpdateStatus === 'Successful';
      });
      still = await shown(client, 'still');
      const changing = known.map((each) => change(client, each));
      await waitFor('each caller has got some answers', () =>
        known.every(({ answered }) => Number(answered?.split(' ')[1] ?? 0) > 5),
      );
      await host.kill();
      await Promise.all(changing);
      client.destroy();
    }
    await using t = await startTestHost({ dataDir });
    assert.deepEqual(await shown(t.client, 'still'), still);
    assert.equal((await t.invoke('still')).payload, 'still');
    const { Functions = [] } = await t.client.send(new ListFunctionsCommand({}));
    const found = new Map(Functions.map((each) => [each.FunctionName, each.Description]));
    for (const { name, answered, asked } of known) {
      const description = found.get(name);
      assert.ok(
        description === answered || description === asked,
        `${name} is '${description}', answered was '${answered}', asked '${asked}'`,
      );
      if (description === undefined) continue;
      await waitFor(`${name} is settled`, async () => {
        const { State, LastUpdateStatus } = await shown(t.client, name);
        return State === 'Active' && LastUpdateStatus === 'Successful';
      });
      assert.deepEqual((await t.invoke(name, { n: 1 })).payload, { n: 1 });
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
