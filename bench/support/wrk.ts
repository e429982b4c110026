// The load generator: wrk, for one window of time against one server. A JavaScript generator would be the bottleneck on two cores.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { InvokeRequest } from './invoke-request.ts';

const run = promisify(execFile);
const PACKAGE = 'wrk';
const APT = '/usr/bin/apt-get';

export interface Load {
  readonly request: InvokeRequest;
  /** Connections that each have one request under way. */
  readonly callers: number;
  /** Whole: wrk knows no other. */
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU time of wrk itself. */
  readonly generatorCpuUs: number;
  /** How much of one core that is: wrk has one thread. */
  readonly generatorShare: number;
}

/** Path of wrk; installs Debian's package when it is missing and we may. */
export async function findWrk(progress: (line: string) => void): Promise<string> {
  const found = onPath();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync(APT)) {
    progress(`installing ${PACKAGE} (apt-get install ${PACKAGE})`);
    await run(APT, ['update', '-qq']);
    await run(APT, ['install', '-y', '-qq', PACKAGE]);
  }
  const installed = onPath();
  if (installed === undefined)
    throw new Error(`this bench needs ${PACKAGE}; on Debian as root: apt-get install ${PACKAGE}`);
  return installed;
}

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, 'wrk')).find((file) => existsSync(file));
}

export class Generator {
  readonly #wrk: string;
  readonly #script: string;
  readonly #signal: AbortSignal;

  /** `folder` takes the script that tells wrk what to send. */
  constructor(wrk: string, folder: string, signal: AbortSignal) {
    this.#wrk = wrk;
    this.#script = path.join(folder, 'window.lua');
    this.#signal = signal;
  }

  /** Rejects when any answer was not a 2xx or any connection failed: such a window measures something else. */
  async run(url: string, { request, callers, seconds }: Load): Promise<LoadResult> {
    await writeFile(this.#script, scriptFor(request));
    const { stdout } = await run(
      this.#wrk,
      [
        '--threads=1',
        `--connections=${callers}`,
        `--duration=${seconds}s`,
        '--timeout=30s',
        `--script=${this.#script}`,
        url + request.target,
      ],
      { signal: this.#signal },
    );
    const raw = parse(stdout);
    if (raw.failed > 0 || raw.non2xx > 0)
      throw new Error(
        `${raw.non2xx} answers other than 2xx and ${raw.failed} failed connections among ${raw.requests} requests to ${url}`,
      );
    const { requests, p50Us, p99Us } = raw;
    return {
      requests,
      perSecond: requests / (raw.tookUs / 1e6),
      p50Us,
      p99Us,
      generatorCpuUs: raw.cpuUs,
      generatorShare: raw.cpuUs / raw.tookUs,
    };
  }
}

interface RawResult {
  readonly requests: number;
  readonly tookUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly failed: number;
  readonly non2xx: number;
  readonly cpuUs: number;
}

function parse(stdout: string): RawResult {
  const line = /^FIGURES (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk printed no figures: ${stdout}`);
  return JSON.parse(line) as RawResult; // as: our own script below has written it
}

/** A Lua program. os.clock() is the CPU time of the process, all threads. JSON's quoting of ASCII is also Lua's. */
function scriptFor({ headers, body }: InvokeRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => {
    // wrk adds its own unless it finds one spelled so.
    const spelled = name.toLowerCase() === 'host' ? 'Host' : name;
    return `wrk.headers[${JSON.stringify(spelled)}] = ${JSON.stringify(value)}`;
  });
  return `wrk.method = 'POST'
${lines.join('\n')}
wrk.body = ${JSON.stringify(body)}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nFIGURES {"requests":%d,"tookUs":%d,"p50Us":%d,"p99Us":%d,"failed":%d,"non2xx":%d,"cpuUs":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.timeout, e.status, os.clock() * 1e6))
end
`;
}
