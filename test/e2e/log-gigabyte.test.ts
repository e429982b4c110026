// A function that prints a gigabyte costs its host less than 64 MiB, its neighbours nothing, and no more disk than its group may have.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { startHostProcess } from '../support/host-process.ts';
import { forgetPeak, peakResidentMib, residentMib } from '../support/machine.ts';
import { readLog } from '../support/read-log.ts';
import { createClient, deploy, invoke } from '../support/test-host.ts';

const MIB = 2 ** 20;
const LINE_BYTES = 200;
const LINES = Math.ceil(1024 / LINE_BYTES) * MIB;
const GROUP_MIB = 32;

const WAYS = {
  'by console.log': 'for (let n = 0; n < count; n += 1) console.log(line);',
  'by writes to process.stdout':
    'for (let n = 0; n < count; n += 512) process.stdout.write(lines.subarray(0, (count - n) * line.length + count - n));',
};

// At the same time, each on a host of its own: the pace at which a host reads one function is what takes the time.
suite('a function that prints a gigabyte', { concurrency: true }, () => {
  for (const [way, loop] of Object.entries(WAYS))
    test(`${way} costs its host less than 64 MiB, and another one is served beside it`, async () => {
      const dataDir = await mkdtemp(path.join(tmpdir(), 'lambkin-test-'));
      try {
        await using host = await startHostProcess(dataDir, {
          env: { LAMBKIN_LOGS_MAX_BYTES_PER_GROUP: `${GROUP_MIB}MiB` },
        });
        using stack = new DisposableStack();
        const client = stack.adopt(createClient(host.url), (each) => each.destroy());
        await deploy(client, 'printer', printing(loop), { Timeout: 200, MemorySize: 256 });
        await deploy(client, 'neighbour', {
          'index.mjs': 'export const handler = async (n) => n;',
        });
        await print(client, 100);
        for (let n = 0; n < 20; n += 1) await askNeighbour(client, n);

        forgetPeak(host.pid);
        const before = residentMib(host.pid);
        const answers = await askUntil(print(client, LINES), (n) => askNeighbour(client, n));
        const grown = peakResidentMib(host.pid) - before;

        assert.ok(grown < 64, `the host has grown by ${grown.toFixed(1)} MiB`);
        assert.ok(answers > 10, `the neighbour has answered ${answers} times`);
        const log = await readLog({ url: host.url, dataDir }, '/aws/lambda/printer');
        assert.match(log.at(-1) ?? '', /^REPORT RequestId: /, 'its log ends with its end');
        host.signal('SIGTERM');
        assert.equal(await host.ended, 0);
        // Only now do the sizes belong to one moment.
        const stored = (await bytesOfGroup(dataDir, 'printer')) / MIB;
        assert.ok(stored > GROUP_MIB / 2 && stored <= GROUP_MIB, `${stored.toFixed(1)} MiB`);
      } finally {
        await rm(dataDir, { recursive: true, force: true });
      }
    });
});

function printing(loop: string): Record<string, string> {
  return {
    'index.mjs': `const line = 'x'.repeat(${LINE_BYTES - 1});
      const lines = Buffer.from((line + '\\n').repeat(512));
      export const handler = async (count) => { ${loop} return count; };`,
  };
}

async function print(client: LambdaClient, count: number): Promise<void> {
  const { payload, functionError } = await invoke(client, 'printer', count);
  assert.equal(functionError, undefined);
  assert.equal(payload, count);
}

async function askNeighbour(client: LambdaClient, n: number): Promise<void> {
  assert.equal((await invoke(client, 'neighbour', n)).payload, n);
}

/** Asks again and again, at least until the promise is settled; how often it was answered. */
async function askUntil(
  settled: Promise<unknown>,
  ask: (n: number) => Promise<void>,
): Promise<number> {
  let isOver = false;
  const over = settled.finally(() => {
    isOver = true;
  });
  let answers = 0;
  while (!isOver) await ask(answers++);
  await over;
  return answers;
}

/** What the files of one group take, indexes included. */
async function bytesOfGroup(dataDir: string, functionName: string): Promise<number> {
  const logs = path.join(dataDir, 'logs');
  let bytes = 0;
  for (const file of await readdir(logs, { recursive: true })) {
    if (!path.dirname(file).endsWith(functionName)) continue;
    const found = await stat(path.join(logs, file));
    if (found.isFile()) bytes += found.size;
  }
  return bytes;
}
