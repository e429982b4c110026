// What tests read of the machine: command lines of processes, memory of one.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Of these processes, or of all; the arguments joined by blanks. Those that are gone are left out. */
export function commandLines(pids: readonly number[] = allProcesses()): readonly string[] {
  return pids
    .map((pid) => readProcess(`${pid}/cmdline`).replaceAll('\0', ' ').trim())
    .filter((line) => line !== '');
}

/** Resident memory of a process in MiB; 0 when it is gone. */
export function residentMib(pid: number): number {
  return statusMib(pid, 'VmRSS');
}

/** The most that a process has had resident since {@link forgetPeak}, in MiB. */
export function peakResidentMib(pid: number): number {
  return statusMib(pid, 'VmHWM');
}

/** From here the peak of a process is counted anew. Throws where the kernel or the rights for it are missing. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusMib(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readProcess(`${pid}/status`));
  return Number(found?.[1] ?? 0) / 1024;
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
