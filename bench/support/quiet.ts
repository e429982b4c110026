// Waits until nothing is left to do: for one server, so that its work of before does not slow down what is measured next; for
// the whole machine, so that others' work does not.
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuBetween, cpuOfTree, machineBusyUs } from './proc.ts';

const LOOK_MS = 60;
/** A server that is never quiet is measured nevertheless. */
const LIMIT_MS = 3_000;

/** True when the tree used less than one tick of CPU between two looks; false when it did not come to rest. */
export async function untilQuiet(pid: number, signal: AbortSignal): Promise<boolean> {
  const giveUpAt = performance.now() + LIMIT_MS;
  let before = cpuOfTree(pid);
  while (performance.now() < giveUpAt) {
    await sleep(LOOK_MS, undefined, { signal });
    const after = cpuOfTree(pid);
    if (cpuBetween(before, after) === 0 && after.size === before.size) return true;
    before = after;
  }
  return false;
}

const MACHINE_LOOK_MS = 150;
const QUIET_CORES = 0.15;

/** True when nobody uses the machine; false when somebody still does after that time. */
export async function untilMachineQuiet(limitMs: number, signal: AbortSignal): Promise<boolean> {
  const giveUpAt = performance.now() + limitMs;
  do {
    const [at, before] = [performance.now(), machineBusyUs()];
    await sleep(MACHINE_LOOK_MS, undefined, { signal });
    const cores = (machineBusyUs() - before) / 1000 / (performance.now() - at);
    if (cores <= QUIET_CORES) return true;
  } while (performance.now() < giveUpAt);
  return false;
}
