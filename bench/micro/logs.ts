// What a log event costs: the caller's write() alone, and the way to the file. Three platform lines an invocation, as it is used.
//   sh bin/node24 bench/micro/logs.ts [--json]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { LogStream, Logs } from '../../host/logs/logs.ts';
import { openLogs } from '../../host/logs/logs.ts';

const ROUNDS = 60;
const INVOCATIONS_PER_ROUND = 3_000;
const STREAMS = 16;
const EVENTS_PER_ROUND = INVOCATIONS_PER_ROUND * 3;

export interface LogsFigures {
  readonly writeP50Us: number;
  readonly writeP99Us: number;
  readonly flushP50Us: number;
  readonly flushP99Us: number;
  readonly sustainedEventsPerSecond: number;
  readonly longestStallMs: number;
  readonly droppedEvents: number;
}

/** Microseconds per event of each round; percentiles are over rounds. */
export async function run(): Promise<LogsFigures> {
  const dir = await mkdtemp(join(tmpdir(), 'lambkin-bench-logs-'));
  try {
    await using logs = await openLogs({ dir, clock: systemClock, flushMs: 50 });
    const streams = Array.from({ length: STREAMS }, (_, n) => openStream(logs, n));
    return await measure(logs, streams);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const systemClock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

function openStream(logs: Logs, n: number): LogStream {
  const hex = n.toString(16).padStart(32, '0');
  const scope = { account: '000000000000', region: 'us-east-1' };
  return logs.openStream(scope, '/aws/lambda/bench', `2026/01/01/[$LATEST]${hex}`);
}

async function measure(logs: Logs, streams: readonly LogStream[]): Promise<LogsFigures> {
  const writes: number[] = [];
  const flushes: number[] = [];
  let longestStallMs = 0;
  const started = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = performance.now();
    writeRound(streams);
    const written = performance.now();
    const stall = watchStalls();
    await logs.flush();
    longestStallMs = Math.max(longestStallMs, stall());
    writes.push(((written - before) * 1000) / EVENTS_PER_ROUND);
    flushes.push(((performance.now() - written) * 1000) / EVENTS_PER_ROUND);
  }
  const seconds = (performance.now() - started) / 1000;
  return {
    writeP50Us: percentile(writes, 0.5),
    writeP99Us: percentile(writes, 0.99),
    flushP50Us: percentile(flushes, 0.5),
    flushP99Us: percentile(flushes, 0.99),
    sustainedEventsPerSecond: Math.round((ROUNDS * EVENTS_PER_ROUND) / seconds),
    longestStallMs,
    droppedEvents: logs.droppedEvents,
  };
}

function writeRound(streams: readonly LogStream[]): void {
  const now = Date.now();
  for (let n = 0; n < INVOCATIONS_PER_ROUND; n += 1) {
    const id = `c793869b-ee49-115b-a5b6-${n.toString(16).padStart(12, '0')}`;
    const stream = streams[n % STREAMS];
    stream?.write(now, `START RequestId: ${id} Version: $LATEST\n`);
    stream?.write(now, `END RequestId: ${id}\n`);
    stream?.write(
      now,
      `REPORT RequestId: ${id}\tDuration: 1.28 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 74 MB\t\n`,
    );
  }
}

/** Returns a function that stops watching and tells the longest time the event loop was held, in ms. */
function watchStalls(): () => number {
  let last = performance.now();
  let longest = 0;
  let handle = setImmediate(function tick() {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    handle = setImmediate(tick);
  });
  return () => {
    clearImmediate(handle);
    return longest;
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

if (import.meta.main) {
  const figures = await run();
  if (process.argv.includes('--json')) console.log(JSON.stringify(figures));
  else console.table(figures);
}
