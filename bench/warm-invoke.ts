// Warm synchronous invokes of an echo function against a raw fastify echo: throughput, latency and CPU per request as ratios of
// neighbouring windows; what the host takes when it idles; how fast it starts.
import path from 'node:path';
import { createClient, deploy } from '../test/support/test-host.ts';
import { wholeNumber, wholeNumbers } from './support/flag-values.ts';
import { measureEnvironments, measureStarts, restingMemory } from './support/footprint.ts';
import { type InvokeRequest, signedInvoke, TimingClient } from './support/invoke-request.ts';
import { revisionOf } from './support/machine.ts';
import { type Combo, measurePaired, type Samples } from './support/paired-windows.ts';
import { profileTable } from './support/profile.ts';
import type { Figures, ScenarioOptions, Table } from './support/scenario.ts';
import { type Server, startBaselineServer, startHostServer } from './support/server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { warmTables } from './support/warm-tables.ts';
import { findWrk, Generator } from './support/wrk.ts';

export const name = 'warm-invoke';
export const about = 'warm echo against a raw fastify echo; idle memory; start time';
export const flags = {
  seconds: { type: 'string', about: 'length of a window, whole seconds (1)' },
  bodies: { type: 'string', about: 'body sizes in bytes (100,10240)' },
  callers: { type: 'string', about: 'callers at once (1,16,64)' },
  patience: { type: 'string', about: 'wait so many seconds for a quiet machine, each time (5)' },
  self: { type: 'boolean', about: 'a second baseline in place of the host: every ratio must be 1' },
  against: { type: 'string', about: 'the host of this other checkout in place of the baseline' },
  profile: { type: 'string', about: 'write CPU profiles of the host to this folder' },
} as const;

const ROUNDS = 5;
const STARTS = 5;
const FUNCTION_NAME = 'echo';
const ECHO = 'export const handler = async (event) => event;\n';

type WarmFlag = keyof typeof flags;

export async function run(options: ScenarioOptions): Promise<Figures> {
  const flag = (key: WarmFlag) => options.flags[key]?.toString();
  const profileDir = flag('profile');
  const figures =
    options.flags['self'] === true ? await runSelf(options) : await runHost(options, profileDir);
  if (profileDir === undefined) return figures;
  return {
    tables: [...figures.tables, await profileTable(profileDir)],
    notes: [...figures.notes, 'The host ran under the profiler: its figures are not comparable.'],
  };
}

async function runSelf(options: ScenarioOptions): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder(name));
  const baseline = stack.use(await startBaselineServer(options.signal));
  const subject = stack.use(await startBaselineServer(options.signal));
  const names = { subject: 'a second raw fastify echo', baseline: 'a raw fastify echo' };
  return await compare(options, folder.path, { baseline, subject, names });
}

async function runHost(options: ScenarioOptions, profileDir: string | undefined): Promise<Figures> {
  const { signal, progress } = options;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder(name));
  const dataDir = path.join(folder.path, 'data');
  progress('starting and ending the host');
  const starts = await measureStarts(dataDir, STARTS, signal);
  const subject = stack.use(await startHostServer({ dataDir, signal, profileDir }));
  const against = options.flags['against']?.toString();
  const baseline = stack.use(
    against === undefined
      ? await startBaselineServer(signal)
      : await startOther(path.resolve(against), folder.path, signal),
  );
  await deployEcho(subject);
  const before = restingMemory(subject, baseline);
  const names = { subject: 'the host', baseline: await baselineName(against) };
  const compared = await compare(options, folder.path, { baseline, subject, names });
  const after = restingMemory(subject, baseline);
  progress('looking at memory');
  const memory: Table = {
    title: 'Memory at rest',
    rows: [
      { what: 'host, RSS, one function deployed and nothing invoked', MiB: before.hostRssMib },
      { what: 'host, RSS, after the load above', MiB: after.hostRssMib },
      { what: `${names.baseline}, RSS, after the load above`, MiB: after.baselineRssMib },
      ...(await measureEnvironments(subject)),
    ],
  };
  return { tables: [...compared.tables, memory, starts], notes: compared.notes };
}

async function baselineName(against: string | undefined): Promise<string> {
  if (against === undefined) return 'a raw fastify echo';
  return `the host at ${await revisionOf(path.resolve(against))}`;
}

/** The host of another checkout, with the same function. */
async function startOther(root: string, folder: string, signal: AbortSignal): Promise<Server> {
  await using stack = new AsyncDisposableStack();
  const dataDir = path.join(folder, 'other');
  const server = stack.use(await startHostServer({ dataDir, signal, root }));
  await deployEcho(server);
  const owned = stack.move();
  return { ...server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function deployEcho(server: Server): Promise<void> {
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(server.url), (each) => each.destroy());
  await deploy(client, FUNCTION_NAME, { 'index.mjs': ECHO });
}

interface Compared {
  readonly baseline: Server;
  readonly subject: Server;
  readonly names: { readonly baseline: string; readonly subject: string };
}

async function compare(
  options: ScenarioOptions,
  folder: string,
  { baseline, subject, names }: Compared,
): Promise<Figures> {
  const { flags: given, progress, random, signal } = options;
  const bodies = wholeNumbers(given['bodies'], '100,10240');
  const callers = wholeNumbers(given['callers'], '1,16,64');
  const windowSeconds = wholeNumber(given['seconds'], 1);
  const combos = bodies.flatMap((bodyBytes) =>
    callers.map((each) => ({ bodyBytes, callers: each })),
  );
  const requestFor = (combo: Combo) => signedInvoke(FUNCTION_NAME, bodyOf(combo.bodyBytes));
  for (const server of [baseline, subject])
    for (const combo of combos) await expectEcho(server, await requestFor(combo), signal);
  const generator = new Generator(await findWrk(progress), folder, signal);
  const rounds = options.rounds ?? ROUNDS;
  const measured = await measurePaired({
    generator,
    baseline,
    subject,
    combos,
    requestFor,
    rounds,
    windowSeconds,
    patienceMs: wholeNumber(given['patience'], 5) * 1000,
    signal,
    random,
    progress,
  });
  return {
    tables: warmTables(combos, measured.samples, names),
    notes: notesOn(measured, windowSeconds),
  };
}

function notesOn({ voided }: Samples, windowSeconds: number): string[] {
  return [
    `Windows of ${windowSeconds} s; a ratio is a window over the mean of its two neighbours of the baseline.`,
    'Disturbed: others had more than a quarter of a core; the calmest of three tries counts. CPU per request suffers least.',
    'Both servers get the same signed requests; a raw echo does not look at the signature.',
    'Quartiles are over windows of one pair of processes; another pair of the same code may differ by more. Repeat the run before claiming a gain.',
    ...voided.map((why) => `Void and measured again: ${why}.`),
  ];
}

/** A load figure of a server that does not do the work would be worth nothing. */
async function expectEcho(
  server: Server,
  request: InvokeRequest,
  signal: AbortSignal,
): Promise<void> {
  using client = new TimingClient(server.url, signal);
  const { text } = await client.invoke(request);
  if (text !== request.body) throw new Error(`${server.url} answered something else: ${text}`);
}

/** JSON of that many bytes, in the shape of an event: a few nested values, then items until it is large enough. */
function bodyOf(bytes: number): string {
  const items: object[] = [];
  const event = { key1: 'value1', key2: 42, nested: { a: [1, 2, 3], b: true }, items, pad: '' };
  const length = () => Buffer.byteLength(JSON.stringify(event));
  for (let id = 0; length() < bytes - 50; id += 1)
    items.push({ id, name: `item number ${id}`, ok: true });
  if (length() > bytes) items.pop();
  event.pad = 'x'.repeat(Math.max(0, bytes - length()));
  return JSON.stringify(event);
}
