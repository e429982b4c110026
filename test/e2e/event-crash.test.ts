// Hosts that are killed at any instant while clients post events: whatever was answered 202 runs at least once. Duplicates are counted.
// `LAMBKIN_CRASH_ROUNDS` asks for more kills, `LAMBKIN_CRASH_SEED` for the same ones again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { temporaryFolder } from '../store/place.ts';
import { randomFrom } from '../store/random.ts';
import { startCollector } from '../support/collector.ts';
import { type HostProcess, startHostProcess } from '../support/host-process.ts';
import { createClient, deploy } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const ROUNDS = Number(process.env['LAMBKIN_CRASH_ROUNDS'] ?? 4);
const CLIENTS = 6;

/** The host may be killed after so many events of a round have been accepted. */
const MOST_ACCEPTED = 250;

/** Functions that work, that fail every other time, and that always fail. */
const FUNCTIONS = {
  works: '',
  stumbles: `if (runs % 2 === 1) throw new Error('this time');`,
  fails: `throw new Error('never');`,
} as const;

interface Run {
  readonly name: keyof typeof FUNCTIONS;
  readonly n: number;
}

const SETTINGS = { env: { LAMBKIN_ASYNC_RETRY_BASE_SECONDS: '0' } };

test('of everything that was answered 202 nothing is lost, however often the host is killed', async (t) => {
  const seed = Number(process.env['LAMBKIN_CRASH_SEED'] ?? Date.now() % 1_000_000);
  const random = randomFrom(String(seed));
  await using collector = await startCollector<Run>();
  await using folder = await temporaryFolder();
  const dataDir = folder.path;
  const accepted = new Map<number, keyof typeof FUNCTIONS>();
  let lastNumber = 0;

  await deployAll(dataDir, collector.url);
  for (let round = 0; round < ROUNDS; round += 1) {
    await using host = await startHostProcess(dataDir, SETTINGS);
    const acceptedBefore = accepted.size;
    const killAfter = Math.floor(random() * MOST_ACCEPTED);
    const clients = Array.from({ length: CLIENTS }, () =>
      postUntilKilled(host, () => (lastNumber += 1), accepted),
    );
    await waitFor(
      `${killAfter} events are accepted`,
      () => accepted.size - acceptedBefore >= killAfter,
    );
    await host.kill();
    await Promise.all(clients);
  }

  await using last = await startHostProcess(dataDir, SETTINGS);
  const runs = () => new Set(collector.all.map(({ n }) => n));
  await waitFor('all that was accepted has run', async () => {
    const health = Object(await (await fetch(`${last.url}/_lambkin/health`)).json());
    return runs().isSupersetOf(accepted) && health.queue.running.event === 0;
  });
  const duplicates =
    collector.all.filter(({ name }) => name === 'works').length -
    [...accepted.values()].filter((name) => name === 'works').length;
  t.diagnostic(
    `seed ${seed}: ${accepted.size} events accepted over ${ROUNDS} kills, ${duplicates} runs beyond one each of those that work`,
  );
  assert.ok(accepted.size > 0);
});

async function deployAll(dataDir: string, url: string): Promise<void> {
  await using host = await startHostProcess(dataDir, SETTINGS);
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(host.url), (each) => each.destroy());
  for (const [name, then] of Object.entries(FUNCTIONS))
    await deploy(client, name, {
      'index.mjs': `let runs = 0;
      export const handler = async (n) => {
        runs += 1;
        await fetch('${url}', { method: 'POST', body: JSON.stringify({ name: '${name}', n }) });
        ${then}
      };`,
    });
}

/** Posts one event after the other; what is answered 202 is noted. Ends with the host. */
async function postUntilKilled(
  host: HostProcess,
  nextNumber: () => number,
  accepted: Map<number, keyof typeof FUNCTIONS>,
): Promise<void> {
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(host.url), (each) => each.destroy());
  const names = ['works', 'stumbles', 'fails'] as const;
  for (;;) {
    const n = nextNumber();
    const FunctionName = names[n % names.length] ?? 'works';
    const Payload = JSON.stringify(n);
    try {
      await client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));
      accepted.set(n, FunctionName);
    } catch {
      // Whatever it is, it was not accepted: the host is being killed.
      return;
    }
  }
}
