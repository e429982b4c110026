// What a log event costs: the caller's write() alone, and the way to the file. Three platform lines an invocation, as it is used.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { LogStream, Logs } from '../../host/logs/logs.ts';
import { openLogs } from '../../host/logs/logs.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Figures, ScenarioOptions } from '../support/scenario.ts';
import { quantile, spread } from '../support/stats.ts';

export const name = 'micro/logs';
export const about = "a log event: the caller's write() alone, and the way to the file";

const ROUNDS = 60;
const INVOCATIONS_PER_ROUND = 3_000;
const STREAMS = 16;
const EVENTS_PER_ROUND = INVOCATIONS_PER_ROUND * 3;

/** Microseconds per event of each round; percentiles are over rounds. */
export async function run({ rounds = ROUNDS, signal }: ScenarioOptions): Promise<Figures> {
  const dir = await mkdtemp(join(tmpdir(), 'lambkin-bench-logs-'));
  try {
    await using logs = await openLogs({ dir, clock: systemClock, flushMs: 50 });
    const streams = Array.from({ length: STREAMS }, (_, n) => openStream(logs, n));
    return await measure(logs, streams, rounds, signal);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function openStream(logs: Logs, n: number): LogStream {
  const hex = n.toString(16).padStart(32, '0');
  const scope = { account: '000000000000', region: 'us-east-1' };
  return logs.openStream(scope, '/aws/lambda/bench', `2026/01/01/[$LATEST]${hex}`);
}

async function measure(
  logs: Logs,
  streams: readonly LogStream[],
  rounds: number,
  signal: AbortSignal,
): Promise<Figures> {
  const writes: number[] = [];
  const flushes: number[] = [];
  let longestStallMs = 0;
  const started = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    signal.throwIfAborted();
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
  const row = (what: string, us: readonly number[]) => ({
    what,
    'µs per event': spread(us),
    p99: quantile(us, 0.99),
  });
  return {
    tables: [
      {
        title: `Median (quartiles) over ${rounds} rounds of ${EVENTS_PER_ROUND} events`,
        rows: [row('write', writes), row('way to the file', flushes)],
      },
      {
        title: 'Over the whole run',
        rows: [
          {
            'events/s': Math.round((rounds * EVENTS_PER_ROUND) / seconds),
            'longest stall ms': longestStallMs,
            'dropped events': logs.droppedEvents,
          },
        ],
      },
    ],
    notes: [],
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
