// Asynchronous invokes: how fast they are accepted against a raw fastify echo and against the disk, how fast they run against
// synchronous invokes, what many waiting ones cost, and what accepting costs a synchronous caller.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { createClient, invoke } from '../test/support/test-host.ts';
import { type DiskFigures, measureDisk } from './support/disk.ts';
import { wholeNumber, wholeNumbers } from './support/flag-values.ts';
import { signedInvoke } from './support/invoke-request.ts';
import { type Combo, measurePaired, type Sample } from './support/paired-windows.ts';
import { memoryOf } from './support/proc.ts';
import { ECHO, HELD, PARKED, prepareQueuedHosts } from './support/queued-hosts.ts';
import { untilMachineQuiet } from './support/quiet.ts';
import type { Figures, ScenarioOptions, Table } from './support/scenario.ts';
import { type Server, startBaselineServer, startHostServer } from './support/server.ts';
import { mean, median, spread } from './support/stats.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { warmTables } from './support/warm-tables.ts';
import { findWrk, Generator } from './support/wrk.ts';

export const name = 'queue';
export const about = 'asynchronous invokes: accepted, run, with many waiting, beside synchronous';
export const flags = {
  seconds: { type: 'string', about: 'length of a window, whole seconds (1)' },
  callers: { type: 'string', about: 'callers at once (1,16,64)' },
  waiting: { type: 'string', about: 'events that wait in the full queue (1000000)' },
  patience: { type: 'string', about: 'wait so many seconds for a quiet machine, each time (5)' },
} as const;

const ROUNDS = 5;
const BODY_BYTES = 100;
const DRAIN_CALLERS = 64;
const FLOOD_CALLERS = 16;
/** How long the first event of HELD keeps the others waiting while they are accepted, beyond the window. */
const HOLD_MS = 5_000;
const LOOK_MS = 20;
const LIMIT_MS = 120_000;

interface Bench {
  readonly options: ScenarioOptions;
  readonly generator: Generator;
  readonly windowSeconds: number;
  readonly patienceMs: number;
  readonly folder: string;
}

interface Drained {
  readonly host: string;
  readonly events: number;
  readonly perSecond: number;
  readonly syncPerSecond: number;
}

export async function run(options: ScenarioOptions): Promise<Figures> {
  const { signal, progress, flags: given } = options;
  const waiting = wholeNumber(given['waiting'], 1_000_000);
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder(name)).path;
  const bench: Bench = {
    options,
    generator: new Generator(await findWrk(progress), folder, signal),
    windowSeconds: wholeNumber(given['seconds'], 1),
    patienceMs: wholeNumber(given['patience'], 5) * 1_000,
    folder,
  };
  progress(`deploying, and filling a queue with ${waiting} events`);
  const dirs = await prepareQueuedHosts(folder, waiting, bodyOf(), signal);
  const echo = stack.use(await startBaselineServer(signal));
  const empty = stack.use(await startHostServer({ dataDir: dirs.emptyDir, signal }));
  const full = stack.use(await startHostServer({ dataDir: dirs.fullDir, signal }));
  const hosts = { empty, full };
  const memoryBefore = memoryRows('before', hosts);
  const combos = wholeNumbers(given['callers'], '1,16,64').map(
    (callers): Combo => ({ bodyBytes: BODY_BYTES, callers }),
  );

  const disk = [await diskOf(bench)];
  progress('accepting, against the echo');
  const accepted = await pairs(bench, combos, { baseline: echo, subject: empty });
  disk.push(await diskOf(bench));
  progress('accepting with a full queue, against an empty one');
  const crowded = await pairs(bench, combos, { baseline: empty, subject: full });
  disk.push(await diskOf(bench));
  progress('running what was accepted');
  const drained = await drains(bench, hosts);
  progress('synchronous callers beside accepted events');
  const beside = await besideAccepting(bench, empty);

  const crowdedNames = { subject: `a host with ${waiting} waiting`, baseline: 'the host' };
  return {
    tables: [
      ...warmTables(combos, accepted.samples, {
        subject: 'accepting events',
        baseline: 'a raw fastify echo',
      }),
      diskTable(combos, accepted.samples, disk),
      ...warmTables(combos, crowded.samples, crowdedNames).slice(0, 2),
      drainTable(drained),
      beside,
      {
        title: 'Memory of the hosts: RSS',
        rows: [...memoryBefore, ...memoryRows('after', hosts)],
      },
    ],
    notes: [
      'Accepting is measured with a function that runs none of the events meanwhile. Running is measured from the moment at which the events may run.',
      ...[...accepted.voided, ...crowded.voided].map((text) => `void: ${text}`),
    ],
  };
}

function bodyOf(): string {
  return JSON.stringify({ text: 'x'.repeat(BODY_BYTES - '{"text":""}'.length) });
}

async function pairs(
  { options, generator, windowSeconds, patienceMs }: Bench,
  combos: readonly Combo[],
  servers: { readonly baseline: Server; readonly subject: Server },
) {
  const { signal, progress, random, rounds = ROUNDS } = options;
  return await measurePaired({
    ...servers,
    generator,
    combos,
    requestFor: () => signedInvoke(PARKED, bodyOf(), 'Event'),
    rounds,
    windowSeconds,
    patienceMs,
    signal,
    random,
    progress,
  });
}

async function diskOf({ folder, windowSeconds, options }: Bench): Promise<DiskFigures> {
  return await measureDisk(path.join(folder, 'raw'), windowSeconds * 1_000, options.signal);
}

function diskTable(
  combos: readonly Combo[],
  samples: readonly Sample[],
  disk: readonly DiskFigures[],
): Table {
  const syncs = median(disk.map(({ perSecond }) => perSecond));
  const syncUs = median(disk.map(({ p50Us }) => p50Us));
  const rows = combos.map((combo) => {
    const own = samples.filter((sample) => sample.combo === combo);
    const extraUs = own.map(
      ({ before, subject, after }) => subject.p50Us - mean(before.p50Us, after.p50Us),
    );
    return {
      callers: combo.callers,
      'accepted/s to fdatasync/s': spread(own.map(({ subject }) => subject.perSecond / syncs)),
      'p50 beyond the echo, to fdatasync p50': spread(extraUs.map((us) => us / syncUs)),
    };
  });
  const figures = `${Math.round(syncs)} 4 KiB appends with fdatasync per second, p50 ${Math.round(syncUs)} µs`;
  return { title: `Accepting against the disk: ${figures}`, rows };
}

async function drains(
  bench: Bench,
  hosts: { readonly empty: Server; readonly full: Server },
): Promise<readonly Drained[]> {
  const drained: Drained[] = [];
  const { rounds = ROUNDS, signal } = bench.options;
  for (let round = 0; round < rounds; round += 1)
    for (const [host, server] of Object.entries(hosts)) {
      await untilMachineQuiet(bench.patienceMs, signal);
      const before = await syncPerSecond(bench, server);
      const { events, perSecond } = await drainOnce(bench, server);
      const after = await syncPerSecond(bench, server);
      drained.push({ host, events, perSecond, syncPerSecond: mean(before, after) });
    }
  return drained;
}

async function syncPerSecond({ generator, windowSeconds }: Bench, server: Server): Promise<number> {
  const request = await signedInvoke(ECHO, bodyOf());
  const load = { request, callers: DRAIN_CALLERS, seconds: windowSeconds };
  return (await generator.run(server.url, load)).perSecond;
}

/** Accepts events behind one that is held, lets all run, and takes the time until the last one has. */
async function drainOnce(
  { generator, windowSeconds, options }: Bench,
  server: Server,
): Promise<{ events: number; perSecond: number }> {
  using stack = new DisposableStack();
  const client = stack.adopt(createClient(server.url), (each) => each.destroy());
  const reserved = { FunctionName: HELD, ReservedConcurrentExecutions: 1 };
  await client.send(new PutFunctionConcurrencyCommand(reserved));
  const until = Date.now() + windowSeconds * 1_000 + HOLD_MS;
  await invoke(client, HELD, { until }, { InvocationType: 'Event' });
  await untilCount(server, options, ({ running }) => running >= 2);
  const before = await countsOf(server);
  const request = await signedInvoke(HELD, bodyOf(), 'Event');
  const load = { request, callers: DRAIN_CALLERS, seconds: windowSeconds };
  await generator.run(server.url, load);
  const events = (await countsOf(server)).accepted - before.accepted;
  await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: HELD }));
  const beganAt = performance.now();
  await untilCount(server, options, ({ succeeded }) => succeeded - before.succeeded >= events);
  return { events, perSecond: (events * 1_000) / (performance.now() - beganAt) };
}

interface Counts {
  /** Parked ones included. */
  readonly running: number;
  readonly accepted: number;
  readonly succeeded: number;
}

async function countsOf({ url }: Server): Promise<Counts> {
  const response = await fetch(`${url}/_lambkin/health`);
  // as: the host's own answer
  const { queue } = (await response.json()) as {
    queue: { running: { event: number }; counts: Omit<Counts, 'running'> };
  };
  return { running: queue.running.event, ...queue.counts };
}

async function untilCount(
  server: Server,
  { signal }: ScenarioOptions,
  isReached: (counts: Counts) => boolean,
): Promise<void> {
  const beganAt = performance.now();
  for (;;) {
    const counts = await countsOf(server);
    if (isReached(counts)) return;
    if (performance.now() - beganAt > LIMIT_MS)
      throw new Error(`events do not get on: ${JSON.stringify(counts)}`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}

function drainTable(drained: readonly Drained[]): Table {
  const rows = Array.from(
    Map.groupBy(drained, ({ host }) => host),
    ([queue, own]) => ({
      queue,
      rounds: own.length,
      'events in a round': median(own.map(({ events }) => events)),
      'run/s': spread(own.map(({ perSecond }) => perSecond)),
      'to synchronous invokes/s': spread(
        own.map(({ perSecond, syncPerSecond: sync }) => perSecond / sync),
      ),
    }),
  );
  return { title: `Running events, to synchronous invokes of ${DRAIN_CALLERS} callers`, rows };
}

/** Latency of synchronous callers with nobody beside them, beside callers that need no disk, and beside accepted events. */
async function besideAccepting(
  { generator, windowSeconds, folder, options, patienceMs }: Bench,
  server: Server,
): Promise<Table> {
  const { rounds = ROUNDS, signal } = options;
  const wrk = await findWrk(options.progress);
  const besides = {
    nobody: undefined,
    'synchronous callers': await signedInvoke(ECHO, bodyOf()),
    'asynchronous callers': await signedInvoke(PARKED, bodyOf(), 'Event'),
  };
  const other = new Generator(wrk, path.join(folder, 'beside'), signal);
  await mkdir(path.join(folder, 'beside'));
  const request = await signedInvoke(ECHO, bodyOf());
  const sync = { request, callers: 1, seconds: windowSeconds };
  const results = new Map<string, { p50Us: number; p99Us: number; beside: number }[]>();
  for (let round = 0; round < rounds; round += 1)
    for (const [who, besideRequest] of Object.entries(besides)) {
      await untilMachineQuiet(patienceMs, signal);
      const load = { callers: FLOOD_CALLERS, seconds: windowSeconds };
      const [own, others] = await Promise.all([
        generator.run(server.url, sync),
        besideRequest && other.run(server.url, { ...load, request: besideRequest }),
      ]);
      const list = results.get(who) ?? [];
      results.set(who, list);
      list.push({ p50Us: own.p50Us, p99Us: own.p99Us, beside: others?.perSecond ?? 0 });
    }
  return {
    title: `One synchronous caller beside ${FLOOD_CALLERS} others`,
    rows: Array.from(results, ([beside, own]) => ({
      beside,
      'p50 µs': spread(own.map(({ p50Us }) => p50Us)),
      'p99 µs': spread(own.map(({ p99Us }) => p99Us)),
      'requests/s of the others': spread(own.map(({ beside: perSecond }) => perSecond)),
    })),
  };
}

function memoryRows(
  when: string,
  hosts: Readonly<Record<string, Server>>,
): readonly Table['rows'][number][] {
  return Object.entries(hosts).map(([queue, { pid }]) => ({
    when,
    queue,
    MiB: memoryOf(pid).rssMib,
  }));
}
