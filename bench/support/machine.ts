// What figures were measured on: they mean nothing without it.
import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

export interface Machine {
  /** Commit, with `+changes` when the files differ from it; `unknown` outside a checkout. */
  readonly revision: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMib: number;
  readonly kernel: string;
  /** ISO 8601. */
  readonly date: string;
}

export async function describeMachine(root: string): Promise<Machine> {
  return {
    revision: await revisionOf(root),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryMib: Math.round(totalmem() / 1024 ** 2),
    kernel: release(),
    date: new Date().toISOString(),
  };
}

/** Runnable processes over the last minute. */
export function loadAverage(): number {
  return Number((loadavg()[0] ?? Number.NaN).toFixed(2));
}

export async function revisionOf(root: string): Promise<string> {
  try {
    const [commit, changes] = await Promise.all([
      git(root, 'rev-parse', '--short=12', 'HEAD'),
      git(root, 'status', '--porcelain'),
    ]);
    return changes === '' ? commit : `${commit}+changes`;
  } catch {
    // No git, or no repository: the figures are still good.
    return 'unknown';
  }
}

async function git(root: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-C', root, ...args]);
  return stdout.trim();
}
