// Where the time of a profiled process went: functions by self time.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Table } from './scenario.ts';
import { ROOT } from './server.ts';

const SHOWN = 25;
/** Not `(program)`: that is native code outside of any JavaScript call, such as libuv and the HTTP parser. */
const NOT_BUSY = new Set(['(idle)', '(root)']);

/** As V8 writes it, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions with the most self time, in the profile of that folder whose thread was busy longest: the host's main thread. */
export async function profileTable(folder: string): Promise<Table> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  if (files.length === 0) throw new Error(`no profile was written to ${folder}`);
  const profiles = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join(folder, file), 'utf8');
      return selfTimes(JSON.parse(text) as CpuProfile); // as: V8's own format
    }),
  );
  const busiest = profiles.toSorted((a, b) => sum(b) - sum(a))[0] ?? new Map();
  const totalUs = sum(busiest);
  const rows = Array.from(busiest, ([what, us]) => ({ what, us }))
    .toSorted((a, b) => b.us - a.us)
    .slice(0, SHOWN)
    .map(({ what, us }) => ({ function: what, 'self ms': us / 1000, '%': (100 * us) / totalUs }));
  return {
    title: `Self time in the host's main thread (${Math.round(totalUs / 1000)} ms busy)`,
    rows,
  };
}

function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): ReadonlyMap<string, number> {
  const labels = new Map(nodes.map(({ id, callFrame }) => [id, labelOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const label = labels.get(id) ?? '';
    if (NOT_BUSY.has(label)) continue;
    times.set(label, (times.get(label) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return times;
}

function labelOf({
  functionName,
  url,
  lineNumber,
}: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('file:') ? path.relative(ROOT, fileURLToPath(url)) : url;
  return `${name}  ${file}:${lineNumber + 1}`;
}

function sum(times: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const us of times.values()) total += us;
  return total;
}
