// What /proc tells of CPU time and memory, for whole process trees.
import { readFileSync, readlinkSync } from 'node:fs';
import { treeOf } from '../../runtime/sandbox/process-tree.ts';

/** USER_HZ, which Linux fixes at 100 for what it tells user space. */
const TICK_US = 10_000;

/** CPU time used so far, in µs, of each process below and including `pid`. */
export type CpuSample = ReadonlyMap<number, number>;

export function cpuOfTree(pid: number): CpuSample {
  return new Map(treeOf(pid).map((each) => [each, cpuUs(each)]));
}

/** µs between two samples; a process that has ended in between counts for nothing. */
export function cpuBetween(before: CpuSample, after: CpuSample): number {
  let sumUs = 0;
  for (const [pid, us] of after) sumUs += us - (before.get(pid) ?? 0);
  return sumUs;
}

/** µs that all cores together have been busy since boot, for anyone; time stolen by a hypervisor included. */
export function machineBusyUs(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_US;
}

/** User and system time of one process with all its threads; 0 when it is gone. */
function cpuUs(pid: number): number {
  const text = read(pid, 'stat');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_US;
}

export interface MemoryUse {
  readonly rssMib: number;
  /** Shared pages count with the share of one of those who use them. */
  readonly pssMib: number;
}

/** 0 when the process is gone or not ours to look at. */
export function memoryOf(pid: number): MemoryUse {
  const rollup = read(pid, 'smaps_rollup');
  return { rssMib: kib(rollup, 'Rss') / 1024, pssMib: kib(rollup, 'Pss') / 1024 };
}

/** Tells processes apart that each believe to be the same pid of a namespace of their own. */
export function namespacedPid(pid: number): string {
  try {
    const inner = /^NSpid:.*\s(\d+)$/m.exec(read(pid, 'status'))?.[1] ?? '';
    return `${readlinkSync(`/proc/${pid}/ns/pid`)} ${inner}`;
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

function kib(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(String(error.code))
  );
}
