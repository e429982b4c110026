// First invocations of fresh functions over HTTP against a bare `node -e 0`, in turns; many first calls at once; a large bundle
// against a plain process that runs it.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import { awsSdkAndZodZip, type ZipContent } from '../test/support/bundle-fixtures.ts';
import { createClient } from '../test/support/test-host.ts';
import { timeNode } from './support/child-run.ts';
import { measureCustomRuntime } from './support/custom-runtime-starts.ts';
import { type Bench, deployFresh, firstCall, rest, row } from './support/first-calls.ts';
import { wholeNumber } from './support/flag-values.ts';
import { signedInvoke, TimingClient } from './support/invoke-request.ts';
import { measurePython } from './support/python-starts.ts';
import type { Figures, ScenarioOptions, Table } from './support/scenario.ts';
import { startHostServer } from './support/server.ts';
import { quantile, spread } from './support/stats.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

export const name = 'cold-start';
export const about = 'first invokes of fresh functions against a bare node -e 0';
export const flags = {
  bundles: { type: 'string', about: 'fresh functions with the large bundle (10)' },
  custom: { type: 'string', about: 'fresh functions with a runtime of their own (10)' },
  python: { type: 'string', about: 'fresh Python functions (20)' },
  bursts: { type: 'string', about: 'how often many first calls come at once (5)' },
} as const;

const ROUNDS = 30;
const BUNDLES = 10;
const CUSTOM = 10;
const PYTHON = 20;
const BURSTS = 5;
const BURST_CALLS = 20;
/** First calls and spawns before the clock counts: the host's own code is compiled by V8 as it runs. */
const WARM_UP = 5;
/**
 * Below the usual Timeout of 3 s, and so long that each call needs an environment of its own. A machine so busy that starts
 * take longer serves some calls one after the other: the figures tell how many environments there were.
 */
const HOLD_MS = 2_000;
const BUNDLE_EVENT = JSON.stringify({ bucket: 'pictures', key: 'cat.png' });

export async function run(options: ScenarioOptions): Promise<Figures> {
  const { signal, progress } = options;
  const rounds = options.rounds ?? ROUNDS;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder(name)).path;
  const dataDir = path.join(folder, 'data');
  const host = stack.use(await startHostServer({ dataDir, signal }));
  const client = stack.adopt(createClient(host.url), (each) => each.destroy());
  const calls = stack.use(new TimingClient(host.url, signal));
  const bench: Bench = { host, client, calls, folder, signal, progress };
  await measureInTurns(bench, 'warm-up', WARM_UP);
  const inTurns = await measureInTurns(bench, 'turn', rounds);
  const bare = inTurns.map(({ bareMs }) => bareMs);
  const backToBack = await measureBackToBack(bench, rounds);
  const count = (flag: keyof typeof flags, usual: number) =>
    wholeNumber(options.flags[flag], usual);
  return {
    tables: [
      {
        title:
          'First invoke of a fresh small function: median (quartiles), and as a ratio of a bare node -e 0',
        rows: [
          row('bare node -e 0, spawn to exit', bare, bare),
          row(
            'first invoke, the host at rest before',
            inTurns.map(({ firstMs }) => firstMs),
            bare,
          ),
          row('first invoke, right after another function had its own', backToBack, bare),
        ],
      },
      await measureBursts(bench, count('bursts', BURSTS), bare),
      await measureBundles(bench, count('bundles', BUNDLES)),
      await measureCustomRuntime(bench, count('custom', CUSTOM)),
      ...(await measurePython(bench, count('python', PYTHON))),
    ],
    notes: [
      'Connections are open and requests signed before the clock runs; functions are Active and have never run.',
      'At rest: the host and all below it have used no CPU for a moment, so slots are ready and the spawn has the machine for itself.',
    ],
  };
}

interface Turn {
  readonly bareMs: number;
  readonly firstMs: number;
}

/** A bare spawn, then a first invoke, each with the machine at rest. */
async function measureInTurns(bench: Bench, prefix: string, count: number): Promise<Turn[]> {
  const { folder, signal } = bench;
  const names = await deployFresh(bench, prefix, count, smallFunction);
  bench.progress(`${count} first calls in turns with a bare spawn`);
  const turns: Turn[] = [];
  for (const functionName of names) {
    await rest(bench);
    const bareMs = await timeNode(['-e', '0'], { cwd: folder, signal });
    await rest(bench);
    turns.push({ bareMs, firstMs: await firstCall(bench, functionName, '{}') });
  }
  return turns;
}

async function measureBackToBack(bench: Bench, count: number): Promise<number[]> {
  const names = await deployFresh(bench, 'back-to-back', count, smallFunction);
  bench.progress(`${count} first calls of different functions back to back`);
  await rest(bench);
  const tookMs: number[] = [];
  for (const functionName of names) tookMs.push(await firstCall(bench, functionName, '{}'));
  return tookMs;
}

/** Many first calls of one function at the same time, with a handler that returns at once and with one that does not. */
async function measureBursts(bench: Bench, count: number, bare: readonly number[]): Promise<Table> {
  bench.progress(`${count} times ${BURST_CALLS} first calls of one function at once`);
  await bench.calls.connect(BURST_CALLS);
  const rows: Table['rows'][number][] = [];
  for (const holdMs of [0, HOLD_MS]) {
    const bursts: Burst[] = [];
    for (const functionName of await deployFresh(bench, `burst-${holdMs}`, count, smallFunction))
      bursts.push(await measureBurst(bench, functionName, holdMs));
    const lastMs = bursts.map((burst) => burst.lastMs - holdMs);
    rows.push({
      handler: holdMs === 0 ? 'returns at once' : `takes ${holdMs} ms (not counted)`,
      n: count,
      'last answer ms': spread(lastMs),
      'of bare p50': spread(lastMs.map((ms) => ms / quantile(bare, 0.5))),
      environments: spread(bursts.map(({ environments }) => environments)),
    });
  }
  return { title: `${BURST_CALLS} first calls of one function at once`, rows };
}

interface Burst {
  readonly lastMs: number;
  /** How many served. */
  readonly environments: number;
}

async function measureBurst(bench: Bench, functionName: string, holdMs: number): Promise<Burst> {
  const request = await signedInvoke(functionName, JSON.stringify({ holdMs }));
  await rest(bench);
  const answers = await Promise.all(
    Array.from({ length: BURST_CALLS }, () => bench.calls.invoke(request)),
  );
  return {
    lastMs: Math.max(...answers.map(({ tookMs }) => tookMs)),
    environments: new Set(answers.map(({ text }) => text)).size,
  };
}

/** First calls of functions with the S3 client and zod in one file, in turns with a plain process that does the same. */
async function measureBundles(bench: Bench, count: number): Promise<Table> {
  const { folder, signal } = bench;
  const bundle = await bundleOf(await awsSdkAndZodZip());
  const plain = path.join(folder, 'plain');
  await mkdir(plain);
  await writeFile(path.join(plain, 'index.js'), bundle);
  await writeFile(
    path.join(plain, 'run.cjs'),
    `require('./index.js').handler(${BUNDLE_EVENT}).then((result) => { process.exitCode = result.valid ? 0 : 1; });`,
  );
  const names = await deployFresh(bench, 'bundle', count, (id) => ({ 'index.js': bundle, id }));
  bench.progress(`${count} first calls with a bundle of ${bundle.length} bytes`);
  const plainMs: number[] = [];
  const firstMs: number[] = [];
  for (const functionName of names) {
    await rest(bench);
    plainMs.push(await timeNode(['run.cjs'], { cwd: plain, signal }));
    await rest(bench);
    firstMs.push(await firstCall(bench, functionName, BUNDLE_EVENT));
  }
  return {
    title: `A bundle of ${(bundle.length / 1e6).toFixed(2)} MB (S3 client, zod), as a ratio of a plain process that runs it once`,
    rows: [
      row('plain node, spawn to exit', plainMs, plainMs),
      row('first invoke, the host at rest before', firstMs, plainMs),
    ],
  };
}

async function bundleOf(zip: Buffer): Promise<Buffer> {
  const archive = await fromBufferPromise(zip);
  for await (const entry of archive.eachEntry())
    if (entry.fileName === 'index.js') return buffer(await archive.openReadStreamPromise(entry));
  throw new Error('the bundle has no index.js');
}

/** Says which environment it ran in, after as long as it is told to. */
function smallFunction(id: string): Readonly<Record<string, ZipContent>> {
  return {
    'index.mjs': `// ${id}
const environment = crypto.randomUUID();
export const handler = async ({ holdMs }) => {
  if (holdMs > 0) await new Promise((resolve) => setTimeout(resolve, holdMs));
  return environment;
};
`,
  };
}
