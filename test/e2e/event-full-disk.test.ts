// A file system without room: what cannot be stored is refused with an error that clients try again, what was accepted before runs,
// and a host that is killed in that state goes on when it is started again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { temporaryFolder } from '../store/place.ts';
import { startCollector } from '../support/collector.ts';
import { type HostProcess, startHostProcess } from '../support/host-process.ts';
import { createClient, deploy } from '../support/test-host.ts';
import { startTurnstile } from '../support/turnstile.ts';
import { waitFor } from '../support/wait-for.ts';

/** Retries come at once. */
const SETTINGS = { env: { LAMBKIN_ASYNC_RETRY_BASE_SECONDS: '0' } };

const LARGE = 'x'.repeat(500_000);

/** A small file system of its own; undefined where we may not mount one. */
function mountSmall(place: string): Disposable | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=104m,mode=0755', 'tmpfs', place], {
      stdio: 'ignore',
    });
  } catch {
    return undefined; // Not root, or in a container without the right: the test says that it was skipped.
  }
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', place]) };
}

/** Posts until the host has no room; the numbers that were accepted. */
async function fill(client: LambdaClient, accepted: Set<number>): Promise<void> {
  for (let n = accepted.size; ; n += 1) {
    const Payload = JSON.stringify({ n, LARGE });
    const command = new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event', Payload });
    try {
      await client.send(command);
      accepted.add(n);
    } catch (error) {
      assert.ok(error instanceof Error);
      assert.equal(error.name, 'ServiceException', String(error));
      return;
    }
    assert.ok(n < 1_000, 'the file system is never full');
  }
}

async function healthOf({ url }: HostProcess) {
  return Object(await (await fetch(`${url}/_lambkin/health`)).json()).queue;
}

test('on a full file system nothing that was accepted is lost, killed or not', async (t) => {
  await using folder = await temporaryFolder();
  const place = path.join(folder.path, 'small');
  await mkdir(place);
  using mounted = mountSmall(place);
  if (mounted === undefined) return t.skip('mounting a small file system takes root');
  await using collector = await startCollector<{ readonly n: number }>();
  using turnstile = await startTurnstile();
  const dataDir = path.join(place, 'data');
  // What an operator finds to remove when there is no room: neither hosts nor environments start without any.
  // The second is as much as the log of the database may hold, all of which the database itself may have to grow by.
  const ballasts = new Map([
    ['first', 16],
    ['second', 48],
  ]);
  for (const [name, mebibytes] of ballasts)
    await writeFile(path.join(place, name), Buffer.alloc(mebibytes * 1024 * 1024));
  const makeRoom = (name: string) => rm(path.join(place, name));
  const accepted = new Set<number>();
  const [line = ''] = Object.values(turnstile.handler('0'));
  const turn = /fetch\('([^']+)'\)/.exec(line)?.[1] ?? '';
  {
    await using host = await startHostProcess(dataDir, SETTINGS);
    const client = createClient(host.url);
    const code = `export const handler = async ({ n }) => {
      await (await fetch('${turn}')).text();
      await fetch('${collector.url}', { method: 'POST', body: JSON.stringify({ n }) });
    };`;
    await deploy(client, 'f', { 'index.mjs': code }, { Timeout: 60 });
    await fill(client, accepted);
    client.destroy();
    assert.ok(accepted.size > 10, `${accepted.size} were accepted`);
    await host.kill();
  }
  await makeRoom('first');
  {
    await using host = await startHostProcess(dataDir, SETTINGS);
    const client = createClient(host.url);
    await fill(client, accepted);
    turnstile.open();
    await makeRoom('second');
    await waitFor('all that was accepted has run', () =>
      new Set(collector.all.map(({ n }) => n)).isSupersetOf(accepted),
    );
    await waitFor('it is settled', async () => (await healthOf(host)).running.event === 0);
    const before = accepted.size;
    const Payload = JSON.stringify({ n: before });
    await client.send(new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event', Payload }));
    await waitFor('there is room again', () => collector.all.some(({ n }) => n === before));
    client.destroy();
    t.diagnostic(`${before} events of half a megabyte were accepted, ${collector.count} runs`);
  }
});
