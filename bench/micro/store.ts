// Durable puts per second from 1 and from 64 concurrent callers, against what the disk itself does: one 4 KiB append and
// fdatasync after the other. The figures only mean something beside each other, in one run on one disk.
import { fdatasyncSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../host/store/sqlite.ts';
import type { Registry } from '../../host/store/store.ts';
import { wholeNumber } from '../support/flag-values.ts';
import type { Figures, ScenarioOptions, Table } from '../support/scenario.ts';
import { quantile, spread } from '../support/stats.ts';

export const name = 'micro/store';
export const about = 'durable puts of 1 and 64 callers, beside what the disk itself does';
export const flags = {
  seconds: { type: 'string', about: 'how long each is measured in a round (1)' },
  dir: { type: 'string', about: 'a directory on the disk to measure (.)' },
} as const;

/** About the size of a function's configuration as JSON. */
const value = { configuration: 'x'.repeat(1_000) };
const BLOCK = Buffer.alloc(4_096, 1);
const ROUNDS = 3;

interface Measured {
  readonly what: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One caller's work, once. */
type Work = () => Promise<void>;

export async function run({ rounds = ROUNDS, flags, signal }: ScenarioOptions): Promise<Figures> {
  const durationMs = wholeNumber(flags['seconds'], 1) * 1_000;
  const folder = await mkdtemp(join(String(flags['dir'] ?? '.'), '.bench-store-'));
  try {
    await using file = await open(join(folder, 'raw'), 'a');
    await using store = await openStore({ dataDir: join(folder, 'data') });
    const put = newRecordPuts(store.registry);
    await put();
    const get: Work = async () => {
      await store.registry.get('bench', 'record-1');
    };
    const measured: Measured[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const measure = async (what: string, callers: number, work: Work) =>
        measured.push(await measureOne({ what, callers, work, durationMs, signal }));
      await measure('4 KiB append + fdatasync', 1, () => appendDurably(file));
      await measure('put, 1 caller', 1, put);
      await measure('put, 64 callers', 64, put);
      await measure('get, 64 callers', 64, get);
    }
    return { tables: [tableOf(measured, rounds, durationMs)], notes: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function appendDurably(file: FileHandle): Promise<void> {
  await file.appendFile(BLOCK);
  fdatasyncSync(file.fd);
}

function newRecordPuts(registry: Registry): Work {
  let created = 0;
  return async () => {
    const key = `record-${++created}`;
    await registry.put([{ kind: 'bench', key, expected: undefined, value }]);
  };
}

interface Measurement {
  readonly what: string;
  readonly callers: number;
  readonly work: Work;
  readonly durationMs: number;
  readonly signal: AbortSignal;
}

async function measureOne(measurement: Measurement): Promise<Measured> {
  const { what, callers, work, durationMs, signal } = measurement;
  const tookMs: number[] = [];
  const beganAt = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let at = performance.now(); at - beganAt < durationMs; ) {
        await work();
        signal.throwIfAborted();
        const now = performance.now();
        tookMs.push(now - at);
        at = now;
      }
    }),
  );
  return {
    what,
    perSecond: tookMs.length / ((performance.now() - beganAt) / 1_000),
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
  };
}

function tableOf(measured: readonly Measured[], rounds: number, durationMs: number): Table {
  const byWhat = Map.groupBy(measured, ({ what }) => what);
  const rows = Array.from(byWhat, ([what, own]) => ({
    what,
    'per second': spread(own.map(({ perSecond }) => perSecond)),
    'p50 ms': spread(own.map(({ p50Ms }) => p50Ms)),
    'p99 ms': spread(own.map(({ p99Ms }) => p99Ms)),
  }));
  return { title: `Median (quartiles) over ${rounds} rounds of ${durationMs} ms`, rows };
}
