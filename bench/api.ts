// Reads of the function API with few and with many functions, against a raw fastify server that sends the same JSON; and how
// long a host takes to be ready with many functions and versions. The cost of a read must not grow with the number of functions.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { wholeNumber, wholeNumbers } from './support/flag-values.ts';
import { measureStarts } from './support/footprint.ts';
import { type InvokeRequest, signedGet, TimingClient } from './support/invoke-request.ts';
import { memoryOf } from './support/proc.ts';
import { untilMachineQuiet } from './support/quiet.ts';
import type { Figures, ScenarioOptions, Table } from './support/scenario.ts';
import { type Server, startHostServer, startJsonServer } from './support/server.ts';
import { quantile, shuffled, spread } from './support/stats.ts';
import { stock, stockedName } from './support/stocked-host.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

export const name = 'api';
export const about = 'GetFunction and ListFunctions with few and many functions; start with many';
export const flags = {
  functions: { type: 'string', about: 'numbers of functions (10,1000,10000)' },
  versions: { type: 'string', about: 'versions of each of 1000 functions at the start (10)' },
  patience: { type: 'string', about: 'wait so many seconds for a quiet machine (20)' },
} as const;

const ROUNDS = 400;
const WARM_UP = 200;
const STARTS = 5;
const START_FUNCTIONS = 1_000;
const LIST_PATH = '/2015-03-31/functions';

interface Subject {
  readonly functions: number;
  readonly host: Server;
  readonly client: TimingClient;
  readonly reads: readonly Read[];
}

/** One sort of request, with the baseline that answers as many bytes. */
interface Read {
  readonly what: string;
  request(): Promise<InvokeRequest>;
  readonly baseline: TimingClient;
  readonly hostMs: number[];
  readonly baselineMs: number[];
}

export async function run(options: ScenarioOptions): Promise<Figures> {
  const { signal, progress, random } = options;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder(name)).path;
  const subjects: Subject[] = [];
  for (const functions of wholeNumbers(options.flags['functions'], '10,1000,10000')) {
    progress(`a host with ${functions} functions`);
    subjects.push(await startSubject(stack, folder, functions, options));
  }
  await untilMachineQuiet(wholeNumber(options.flags['patience'], 20) * 1000, signal);
  progress('measuring');
  for (let round = -WARM_UP; round < (options.rounds ?? ROUNDS); round += 1)
    for (const subject of shuffled(subjects, random))
      for (const read of shuffled(subject.reads, random))
        await measureOnce(subject, read, round >= 0, random);
  const memory: Table = {
    title: 'Memory of the hosts after it',
    rows: subjects.map(({ functions, host }) => ({
      functions,
      'RSS MiB': memoryOf(host.pid).rssMib,
    })),
  };
  const versions = wholeNumber(options.flags['versions'], 10);
  return {
    tables: [latencyTable(subjects), memory, await measureStocked(folder, versions, options)],
    notes: [
      'One connection, one request at a time, hosts and baselines in turns; a ratio is of medians. The baseline sends the same JSON and looks at nothing.',
      'Functions beyond the first are written into the data directory; they share one package.',
    ],
  };
}

async function startSubject(
  stack: AsyncDisposableStack,
  folder: string,
  functions: number,
  { signal, random }: ScenarioOptions,
): Promise<Subject> {
  const dataDir = path.join(folder, `data-${functions}`);
  await stock(dataDir, { functions, versions: 1 }, signal);
  const host = stack.use(await startHostServer({ dataDir, signal }));
  const client = stack.use(new TimingClient(host.url, signal));
  const anyFunction = () => stockedName(Math.floor(random() * functions));
  const middle = Buffer.from(JSON.stringify(stockedName(functions >> 1))).toString('base64url');
  const requests = [
    { what: 'GetFunction', request: () => signedGet(`${LIST_PATH}/${anyFunction()}`) },
    { what: 'ListFunctions, first page', request: () => signedGet(LIST_PATH) },
    {
      what: 'ListFunctions, a page in the middle',
      request: () => signedGet(LIST_PATH, { Marker: middle }),
    },
  ];
  const reads: Read[] = [];
  for (const [at, { what, request }] of requests.entries()) {
    const file = path.join(folder, `answer-${functions}-${at}.json`);
    await writeFile(file, (await client.get(await request())).text);
    const server = stack.use(await startJsonServer(file, signal));
    const baseline = stack.use(new TimingClient(server.url, signal));
    reads.push({ what, request, baseline, hostMs: [], baselineMs: [] });
  }
  return { functions, host, client, reads };
}

async function measureOnce(
  { client }: Subject,
  read: Read,
  counts: boolean,
  random: () => number,
): Promise<void> {
  const request = await read.request();
  const sides = [
    { client, ms: read.hostMs },
    { client: read.baseline, ms: read.baselineMs },
  ];
  for (const side of shuffled(sides, random)) {
    const { tookMs } = await side.client.get(request);
    if (counts) side.ms.push(tookMs);
  }
}

function latencyTable(subjects: readonly Subject[]): Table {
  return {
    title: 'Latency of reads: median (quartiles), and as a ratio of a raw fastify answer',
    rows: subjects.flatMap(({ functions, reads }) =>
      reads.map(({ what, hostMs, baselineMs }) => ({
        what,
        functions,
        µs: spread(hostMs.map((ms) => ms * 1000)),
        'p99 µs': quantile(hostMs, 0.99) * 1000,
        'baseline µs': spread(baselineMs.map((ms) => ms * 1000)),
        'p50 ratio': quantile(hostMs, 0.5) / quantile(baselineMs, 0.5),
        'p99 ratio': quantile(hostMs, 0.99) / quantile(baselineMs, 0.99),
      })),
    ),
  };
}

async function measureStocked(
  folder: string,
  versions: number,
  { signal, progress }: ScenarioOptions,
): Promise<Table> {
  progress(`starting a host with ${START_FUNCTIONS} functions of ${versions} versions`);
  const dataDir = path.join(folder, 'data-start');
  await stock(dataDir, { functions: START_FUNCTIONS, versions }, signal);
  const starts = await measureStarts(dataDir, STARTS, signal);
  const title = `${starts.title}, with ${START_FUNCTIONS} functions of ${versions} versions each`;
  return { ...starts, title };
}
