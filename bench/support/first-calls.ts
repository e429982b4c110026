// First calls of functions that nobody has called before, each timed with the machine at rest; what tables of them consist of.
import type { CreateFunctionCommandInput, LambdaClient } from '@aws-sdk/client-lambda';
import { type ZipContent, zipOf } from '../../test/support/bundle-fixtures.ts';
import { deploy } from '../../test/support/test-host.ts';
import { signedInvoke, type TimingClient } from './invoke-request.ts';
import { untilQuiet } from './quiet.ts';
import type { Table } from './scenario.ts';
import type { Server } from './server.ts';
import { quantile, spread } from './stats.ts';

export interface Bench {
  readonly host: Server;
  readonly client: LambdaClient;
  readonly calls: TimingClient;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

/** One way of starting, in figures and as a ratio of a bare one. */
export function row(
  what: string,
  ms: readonly number[],
  bare: readonly number[],
): Table['rows'][number] {
  return {
    what,
    n: ms.length,
    'p50 ms': spread(ms),
    'p99 ms': quantile(ms, 0.99),
    'p50 ratio': quantile(ms, 0.5) / quantile(bare, 0.5),
    'p99 ratio': quantile(ms, 0.99) / quantile(bare, 0.99),
  };
}

/** In milliseconds. */
export async function firstCall(bench: Bench, functionName: string, body: string): Promise<number> {
  const { tookMs } = await bench.calls.invoke(await signedInvoke(functionName, body));
  return tookMs;
}

/** Functions that nobody has called, each with code of its own, Active. */
export async function deployFresh(
  { client, signal, progress }: Bench,
  prefix: string,
  count: number,
  filesOf: (id: string) => Readonly<Record<string, ZipContent>>,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
  progress(`deploying ${count} functions`);
  for (const functionName of names) {
    signal.throwIfAborted();
    await deploy(
      client,
      functionName,
      {},
      { Code: { ZipFile: await zipOf(filesOf(functionName)) }, ...more },
    );
  }
  return names;
}

/** Until the host and all below it use no CPU. */
export async function rest({ host, signal, progress }: Bench): Promise<void> {
  if (!(await untilQuiet(host.pid, signal))) progress('the host did not come to rest');
}
