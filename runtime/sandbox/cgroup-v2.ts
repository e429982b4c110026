// Control groups, version 2: one tree. The host needs a subtree it may write to, and no process beside the slots' groups.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hasErrorCode } from '../error-code.ts';
import {
  type CgroupMount,
  counterIn,
  errorText,
  type GroupUsage,
  type HostGroup,
  type HostGroupResult,
  isPopulated,
  killGroup,
  memoryMibPerCpu,
  removeGroup,
  removeGroupNow,
  type SlotGroup,
  type SlotLimits,
  sweepGroup,
} from './cgroup.ts';

const needed = ['memory', 'pids'] as const;
const wanted = [...needed, 'cpu'] as const;
const bytesPerMib = 1_048_576;
const defaultWeight = 100;
/** The leaf that takes the host itself, since a group with processes cannot hand controllers to its children. */
const hostLeaf = 'lambkin-host';
const delegateHint =
  'start the host with `systemd-run --user --scope -p Delegate=yes`, or as a service with `Delegate=yes`';

/**
 * Opens `lambkin-<hostId>` below `base` (default: the host's own group). Moves the host into a leaf where the kernel's
 * "no internal processes" rule asks for it.
 */
export async function openGroupV2(
  mount: CgroupMount,
  hostId: string,
  base: string = mount.own,
): Promise<HostGroupResult> {
  const missing = needed.filter(
    (name) => !controllersOf(base, 'cgroup.controllers').includes(name),
  );
  if (missing.length > 0) {
    const reason = `the cgroup ${base} was not given the controllers ${missing.join(', ')}; ${delegateHint}`;
    return { kind: 'refused', reason };
  }
  const root = `${base}/lambkin-${hostId}`;
  try {
    await sweepGroup(root);
    enableControllers(base);
    mkdirSync(root);
    handDown(root);
  } catch (error) {
    if (existsSync(root)) removeGroupNow(root);
    const reason = `cgroup v2 is not writable (${errorText(error)}); ${delegateHint}`;
    return { kind: 'refused', reason };
  }
  return { kind: 'open', group: createHostGroup(root) };
}

function controllersOf(directory: string, file: string): readonly string[] {
  const path = `${directory}/${file}`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ') : [];
}

function enableControllers(base: string): void {
  try {
    handDown(base);
  } catch (error) {
    if (!hasErrorCode(error, 'EBUSY')) throw error;
    const leaf = `${base}/${hostLeaf}`;
    mkdirSync(leaf, { recursive: true });
    writeFileSync(`${leaf}/cgroup.procs`, String(process.pid));
    handDown(base);
  }
}

function handDown(directory: string): void {
  const there = controllersOf(directory, 'cgroup.controllers');
  const done = controllersOf(directory, 'cgroup.subtree_control');
  const missing = wanted.filter((name) => there.includes(name) && !done.includes(name));
  if (missing.length === 0) return;
  writeFileSync(`${directory}/cgroup.subtree_control`, missing.map((name) => `+${name}`).join(' '));
}

function createHostGroup(root: string): HostGroup {
  const hasCpu = controllersOf(root, 'cgroup.subtree_control').includes('cpu');
  return {
    version: 2,
    method: 'cgroup v2',
    hasCpu,
    canFreeze: true,
    hasAtomicKill: existsSync(`${root}/cgroup.kill`),
    directories: [root],
    create: (name, limits) => createSlotGroup(`${root}/${name}`, limits, hasCpu),
    [Symbol.asyncDispose]: () => removeGroup(root),
  };
}

function createSlotGroup(directory: string, limits: SlotLimits, hasCpu: boolean): SlotGroup {
  mkdirSync(directory);
  try {
    writeLimits(directory, limits, hasCpu);
  } catch (error) {
    removeGroupNow(directory);
    throw error;
  }
  return slotGroup(directory);
}

function writeLimits(directory: string, limits: SlotLimits, hasCpu: boolean): void {
  writeFileSync(`${directory}/memory.max`, String(limits.hardMemoryMib * bytesPerMib));
  writeFileSync(`${directory}/memory.oom.group`, '1');
  const swap = `${directory}/memory.swap.max`;
  if (existsSync(swap)) writeFileSync(swap, '0');
  writeFileSync(`${directory}/pids.max`, String(limits.maxProcesses));
  if (hasCpu) {
    const weight = Math.round((defaultWeight * limits.memoryMib) / memoryMibPerCpu);
    writeFileSync(`${directory}/cpu.weight`, String(Math.min(10_000, Math.max(1, weight))));
  }
}

function slotGroup(directory: string): SlotGroup {
  const read = (file: string) => readFileSync(`${directory}/${file}`, 'utf8');
  const oomKills = () => counterIn(read('memory.events'), 'oom_kill');
  return {
    joinFiles: [`${directory}/cgroup.procs`],
    usage: (): GroupUsage => ({
      processBytes: counterIn(read('memory.stat'), 'anon'),
      oomKills: oomKills(),
    }),
    oomKills,
    tasks: () => Number(read('pids.current')),
    killAll: () => killGroup(directory),
    freeze: () => writeFileSync(`${directory}/cgroup.freeze`, '1'),
    thaw: () => writeFileSync(`${directory}/cgroup.freeze`, '0'),
    isEmpty: () => !isPopulated(directory),
    remove: () => removeGroup(directory),
  };
}
