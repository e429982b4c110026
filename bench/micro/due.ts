// Work that waits: durable accepts per second and what they cost the thread that asks, claims and settlements per second, with
// an empty queue and with a full one. Beside it what the disk itself does: one 4 KiB append and fdatasync after the other.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { openStore } from '../../host/store/sqlite.ts';
import type { Due, DueItem } from '../../host/store/store.ts';
import { measureDisk } from '../support/disk.ts';
import { wholeNumber } from '../support/flag-values.ts';
import type { Figures, ScenarioOptions, Table } from '../support/scenario.ts';
import { spread } from '../support/stats.ts';

export const name = 'micro/due';
export const about =
  'work that waits: accept, claim and settle, with an empty queue and a full one';
export const flags = {
  seconds: { type: 'string', about: 'how long each is measured in a round (1)' },
  dir: { type: 'string', about: 'a directory on the disk to measure (.)' },
  rows: { type: 'string', about: 'how many items wait in the full queue (1000000)' },
  lanes: { type: 'string', about: 'over how many lanes they are spread (1000)' },
  bytes: { type: 'string', about: 'size of a payload (100)' },
  rising: { type: 'boolean', about: 'ids that begin with the time, in place of ids of chance' },
} as const;

const ROUNDS = 3;
const PRODUCERS = [1, 16, 64, 256];
const BATCHES = [16, 256];
/** Items of one accept while the queue is filled. */
const FILL_BATCH = 2_000;
/** Nothing of the full queue is due; what is measured is accepted and claimed in front of it. */
const FAR_MS = 2 ** 40;

interface Measured {
  readonly queue: string;
  readonly what: string;
  readonly perSecond: number;
  /** Processor time of the thread that asks, for each item. */
  readonly cpuUs: number;
  readonly delayP99Ms: number;
}

interface Bench {
  readonly due: Due;
  readonly durationMs: number;
  readonly payload: Uint8Array;
  readonly lanes: number;
  readonly newId: () => string;
  readonly signal: AbortSignal;
}

export async function run(options: ScenarioOptions): Promise<Figures> {
  const { rounds = ROUNDS, flags, signal, progress } = options;
  const rows = wholeNumber(flags['rows'], 1_000_000);
  const folder = await mkdtemp(join(String(flags['dir'] ?? '.'), '.bench-due-'));
  try {
    const dataDir = join(folder, 'data');
    await using store = await openStore({ dataDir });
    const bench: Bench = {
      due: store.due,
      durationMs: wholeNumber(flags['seconds'], 1) * 1_000,
      payload: Buffer.alloc(wholeNumber(flags['bytes'], 100), 'x'),
      lanes: wholeNumber(flags['lanes'], 1_000),
      newId: flags['rising'] === true ? risingId : randomUUID,
      signal,
    };
    const syncs: number[] = [];
    const measured: Measured[] = [];
    const measureAll = async (queue: string) => {
      for (let round = 0; round < rounds; round += 1) {
        const disk = await measureDisk(join(folder, 'raw'), bench.durationMs, signal);
        syncs.push(disk.perSecond);
        for (const producers of PRODUCERS) measured.push(await accepts(bench, queue, producers));
        for (const batch of BATCHES) measured.push(await settlements(bench, queue, batch));
        progress(`${queue}: round ${round + 1} of ${rounds}`);
      }
    };
    await measureAll('empty');
    const footprint = [await footprintOf('empty', dataDir)];
    const filling = await fill(bench, rows);
    footprint.push(await footprintOf(`${rows} items`, dataDir));
    await measureAll(`${rows} items`);
    footprint.push(await footprintOf(`${rows} items, measured`, dataDir));
    const title = `Median (quartiles) over ${rounds} rounds of ${bench.durationMs} ms`;
    return {
      tables: [
        { title, rows: rowsOf(measured, syncs) },
        { title: 'Process and files', rows: footprint },
      ],
      notes: [`Filled with ${Math.round(filling)} items per second, ${FILL_BATCH} in one accept.`],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function accepts(bench: Bench, queue: string, producers: number): Promise<Measured> {
  const { due, durationMs, signal } = bench;
  const measured = await measure(queue, `accept, ${producers} producers`, async () => {
    let count = 0;
    const beganAt = performance.now();
    const produce = async () => {
      while (performance.now() - beganAt < durationMs) {
        signal.throwIfAborted();
        await due.accept([newItem(bench, 'measured', 0)]);
        count += 1;
      }
    };
    await Promise.all(Array.from({ length: producers }, produce));
    return count;
  });
  while ((await due.purge('event', 'measured', FILL_BATCH)) > 0) signal.throwIfAborted();
  return measured;
}

async function settlements(bench: Bench, queue: string, batch: number): Promise<Measured> {
  const { due, durationMs, signal } = bench;
  for (let left = durationMs * 30; left > 0; left -= FILL_BATCH)
    await due.accept(Array.from({ length: FILL_BATCH }, () => newItem(bench, 'measured', 0)));
  const wants = [{ kind: 'event', lane: 'measured', count: batch }];
  const measured = await measure(queue, `claim and settle, ${batch} at a time`, async () => {
    let count = 0;
    for (const beganAt = performance.now(); performance.now() - beganAt < durationMs; ) {
      signal.throwIfAborted();
      const claimed = await due.claim(wants, 0, 2 ** 24);
      if (claimed.length === 0) break;
      await due.settle(claimed.map((item) => ({ item, again: undefined, followedBy: [] })));
      count += claimed.length;
    }
    return count;
  });
  while ((await due.purge('event', 'measured', FILL_BATCH)) > 0) signal.throwIfAborted();
  return measured;
}

async function measure(
  queue: string,
  what: string,
  work: () => Promise<number>,
): Promise<Measured> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.threadCpuUsage();
  const beganAt = performance.now();
  const count = await work();
  const tookMs = performance.now() - beganAt;
  const { user, system } = process.threadCpuUsage(before);
  delay.disable();
  return {
    queue,
    what,
    perSecond: (count * 1_000) / tookMs,
    cpuUs: (user + system) / count,
    delayP99Ms: delay.percentile(99) / 1e6,
  };
}

/** Items per second. */
async function fill(bench: Bench, rows: number): Promise<number> {
  const { due, lanes, signal } = bench;
  const beganAt = performance.now();
  for (let stored = 0; stored < rows; stored += FILL_BATCH) {
    signal.throwIfAborted();
    const count = Math.min(FILL_BATCH, rows - stored);
    await due.accept(
      Array.from({ length: count }, (_, n) =>
        newItem(bench, `${ARN}${(stored + n) % lanes}`, FAR_MS + stored),
      ),
    );
  }
  return (rows * 1_000) / (performance.now() - beganAt);
}

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:bench-';

function newItem({ newId, payload }: Bench, lane: string, dueAtMs: number): DueItem {
  const id = newId();
  const head = { attempts: 0, qualifier: '$LATEST', version: 17, traceHeader: null, attempt: 1 };
  return { kind: 'event', id, lane, dueAtMs, acceptedAtMs: dueAtMs, head, payload };
}

function risingId(): string {
  return Date.now().toString(16).padStart(12, '0') + randomUUID().slice(12);
}

async function footprintOf(queue: string, dataDir: string): Promise<Table['rows'][number]> {
  const mebibytes = async (file: string) =>
    Math.round((await stat(join(dataDir, 'db', file))).size / 2 ** 20);
  return {
    queue,
    'RSS MiB': Math.round(process.memoryUsage.rss() / 2 ** 20),
    'database MiB': await mebibytes('lambkin.db'),
    'log MiB': await mebibytes('lambkin.db-wal'),
  };
}

function rowsOf(measured: readonly Measured[], syncs: readonly number[]): Table['rows'] {
  const sync = spread(syncs);
  const disk = {
    queue: '',
    what: '4 KiB append + fdatasync',
    'per second': sync,
    'to the disk': 1,
    'CPU µs each': '',
    'loop delay p99 ms': '',
  };
  const groups = Map.groupBy(measured, ({ queue, what }) => JSON.stringify([queue, what]));
  const rows = Array.from(groups.values(), (own) => {
    const perSecond = spread(own.map((each) => each.perSecond));
    return {
      queue: own[0]?.queue ?? '',
      what: own[0]?.what ?? '',
      'per second': perSecond,
      'to the disk': perSecond.median / sync.median,
      'CPU µs each': spread(own.map(({ cpuUs }) => cpuUs)),
      'loop delay p99 ms': spread(own.map(({ delayP99Ms }) => delayP99Ms)),
    };
  });
  return [disk, ...rows];
}
