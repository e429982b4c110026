// Durable puts per second from 1 and from 64 concurrent callers, against what the disk itself does: one 4 KiB append and
// fdatasync after the other. The figures only mean something beside each other, in one run on one disk.
// Usage: node bench/micro/store.ts [--seconds N] [--dir DIR] [--json]
import { fdatasyncSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '../../host/store/sqlite.ts';
import type { Registry } from '../../host/store/store.ts';

interface Figures {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** About the size of a function's configuration as JSON. */
const value = { configuration: 'x'.repeat(1_000) };

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    dir: { type: 'string', default: '.' },
    json: { type: 'boolean', default: false },
  },
});
const durationMs = Number(options.seconds) * 1_000;
const folder = await mkdtemp(join(options.dir, '.bench-store-'));
try {
  const figures = [
    await measureDisk(folder),
    ...(await measureStore(folder)),
    await measureDisk(folder),
  ];
  if (options.json) console.log(JSON.stringify({ node: process.version, cpu: cpuName(), figures }));
  else print(figures);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measureDisk(path: string): Promise<Figures> {
  const block = Buffer.alloc(4_096, 1);
  await using file = await open(join(path, 'raw'), 'a');
  return await measure('4 KiB append + fdatasync', 1, async () => {
    await file.appendFile(block);
    fdatasyncSync(file.fd);
  });
}

async function measureStore(path: string): Promise<readonly Figures[]> {
  await using store = await openStore({ dataDir: join(path, 'data') });
  const put = newRecordPuts(store.registry);
  return [
    await measure('put, 1 caller', 1, put),
    await measure('put, 64 callers', 64, put),
    await measure('get, 64 callers', 64, async () => {
      await store.registry.get('bench', 'record-1');
    }),
  ];
}

function newRecordPuts(registry: Registry): () => Promise<void> {
  let created = 0;
  return async () => {
    const key = `record-${++created}`;
    await registry.put([{ kind: 'bench', key, expected: undefined, value }]);
  };
}

async function measure(name: string, callers: number, once: () => Promise<void>): Promise<Figures> {
  const tookMs: number[] = [];
  const beganAt = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let at = performance.now(); at - beganAt < durationMs; ) {
        await once();
        const now = performance.now();
        tookMs.push(now - at);
        at = now;
      }
    }),
  );
  const elapsedMs = performance.now() - beganAt;
  const sorted = Float64Array.from(tookMs).sort();
  return {
    name,
    perSecond: Math.round((sorted.length / elapsedMs) * 1_000),
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

function percentile(sorted: Float64Array, share: number): number {
  return Number((sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(3));
}

function cpuName(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
}

function print(figures: readonly Figures[]): void {
  console.log(`Node ${process.version}, ${cpuName()}`);
  console.table(
    Object.fromEntries(figures.map(({ name, ...rest }, n) => [`${n + 1}. ${name}`, rest])),
  );
}
