// What a host costs before and after it works: time until it is ready, memory at rest.
import { treeOf } from '../../runtime/sandbox/process-tree.ts';
import { createClient, deploy, invoke } from '../../test/support/test-host.ts';
import { memoryOf, namespacedPid } from './proc.ts';
import type { Table } from './scenario.ts';
import { type Server, startHostServer } from './server.ts';
import { quantile, spread } from './stats.ts';

/** Environments that are made to look at their memory. */
const ENVIRONMENTS = 8;
const FUNCTION_NAME = 'footprint';
/** Tells who it is and stays long enough that no environment serves two of the calls. */
const WHO_AM_I = `
import { readlinkSync } from 'node:fs';
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return readlinkSync('/proc/self/ns/pid') + ' ' + process.pid;
};`;

/** Starts a host on a data directory that exists, so many times. */
export async function measureStarts(
  dataDir: string,
  count: number,
  signal: AbortSignal,
): Promise<Table> {
  const readyMs: number[] = [];
  for (let start = 0; start <= count; start += 1) {
    await using server = await startHostServer({ dataDir, signal });
    // The first one makes the directory.
    if (start > 0) readyMs.push(server.readyMs);
  }
  return {
    title: 'Start of the host with an existing data directory: spawn of node to the ready line',
    rows: [
      {
        starts: readyMs.length,
        'ready ms': spread(readyMs),
        'p99 ms': quantile(readyMs, 0.99),
      },
    ],
  };
}

export interface RestingMemory {
  readonly hostRssMib: number;
  readonly baselineRssMib: number;
}

export function restingMemory(host: Server, baseline: Server): RestingMemory {
  return {
    hostRssMib: memoryOf(host.pid).rssMib,
    baselineRssMib: memoryOf(baseline.pid).rssMib,
  };
}

/** Memory of idle environments: some are made for it, served once, and looked at when they wait again. */
export async function measureEnvironments(host: Server): Promise<Table['rows']> {
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(host.url), (each) => each.destroy());
  await deploy(client, FUNCTION_NAME, { 'index.mjs': WHO_AM_I });
  const answers = await Promise.all(
    Array.from({ length: ENVIRONMENTS }, () => invoke(client, FUNCTION_NAME)),
  );
  const ids = new Set(answers.map(({ payload }) => String(payload)));
  const tree = treeOf(host.pid);
  const environments = tree.filter((pid) => ids.has(namespacedPid(pid)));
  if (environments.length < ids.size)
    throw new Error(`found ${environments.length} of ${ids.size} environments in /proc`);
  const memory = environments.map(memoryOf);
  return [
    {
      what: `idle environment, its node process (PSS of ${memory.length}; ${tree.length} processes in the host's tree)`,
      MiB: spread(memory.map(({ pssMib }) => pssMib)),
    },
    { what: 'the same, RSS', MiB: spread(memory.map(({ rssMib }) => rssMib)) },
  ];
}
