// What tests read of the machine: command lines of processes, memory of one.
import { readdirSync, readFileSync } from 'node:fs';

/** Of these processes, or of all; the arguments joined by blanks. Those that are gone are left out. */
export function commandLines(pids: readonly number[] = allProcesses()): readonly string[] {
  return pids
    .map((pid) => readProcess(`${pid}/cmdline`).replaceAll('\0', ' ').trim())
    .filter((line) => line !== '');
}

/** Resident memory of a process in MiB; 0 when it is gone. */
export function residentMib(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readProcess(`${pid}/status`)) ?? [];
  return Number(kib) / 1024;
}

function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readProcess(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, 'utf8');
  } catch (error) {
    // ENOENT or ESRCH: gone.
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
