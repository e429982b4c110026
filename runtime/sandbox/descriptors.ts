// Descriptors the host itself inherited: bwrap hands on everything that lacks close-on-exec, so they must go first.

import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { hasErrorCode } from '../error-code.ts';

/** O_CLOEXEC as /proc prints it in the `flags:` line of fdinfo (octal). */
const closeOnExec = 0o2000000;

/**
 * Closes every descriptor above 2 that has no close-on-exec flag, except those in `keep` (what a supervisor passed on
 * purpose). The first act of the process, before anything is opened. Returns what it closed; does nothing where /proc is
 * missing.
 */
export function closeInheritedDescriptors(keep: readonly number[] = []): readonly number[] {
  const closed: number[] = [];
  for (const descriptor of openDescriptors()) {
    if (descriptor <= 2 || keep.includes(descriptor) || closesOnExec(descriptor)) continue;
    closeSync(descriptor);
    closed.push(descriptor);
  }
  return closed;
}

function openDescriptors(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** True also for one that is gone by now: the listing's own descriptor is among those it names. */
function closesOnExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(
      readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'),
    )?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) !== 0;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return true;
    throw error;
  }
}
