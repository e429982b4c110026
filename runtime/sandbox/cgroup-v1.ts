// Control groups, version 1: one hierarchy per controller, plus the (controllerless) v2 tree for cgroup.kill and freezing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  type CgroupMount,
  counterIn,
  errorText,
  type GroupUsage,
  type HostGroup,
  type HostGroupResult,
  isPopulated,
  killGroup,
  membersOf,
  memoryMibPerCpu,
  removeGroup,
  removeGroupNow,
  type SlotGroup,
  type SlotLimits,
  sweepGroup,
} from './cgroup.ts';

const defaultShares = 1024;
const bytesPerMib = 1_048_576;

/** The hierarchies we use, each with the directory our groups go into. */
interface Hierarchies {
  readonly memory: string;
  readonly pids: string;
  readonly cpu: string | undefined;
  /** The v2 tree (cgroup.kill, cgroup.freeze). */
  readonly unified: string | undefined;
  /** Only where there is no v2 tree. */
  readonly freezer: string | undefined;
}

/** Opens `lambkin-<hostId>` in every hierarchy; what a dead host of that id left there is killed first. */
export async function openGroupV1(
  mounts: readonly CgroupMount[],
  hostId: string,
): Promise<HostGroupResult> {
  const found = hierarchiesOf(mounts);
  if (found === undefined) {
    return { kind: 'refused', reason: 'the memory and pids controllers are not mounted' };
  }
  const roots = mapDirectories(found, (base) => `${base}/lambkin-${hostId}`);
  try {
    for (const root of directoriesOf(roots)) {
      await sweepGroup(root);
      mkdirSync(root);
    }
    if (roots.cpu !== undefined) {
      writeFileSync(`${roots.cpu}/cpu.shares`, String(defaultShares * availableParallelism()));
    }
  } catch (error) {
    for (const root of directoriesOf(roots)) if (existsSync(root)) removeGroupNow(root);
    const isRoot = process.getuid?.() === 0;
    const cure = isRoot ? 'mount /sys/fs/cgroup read-write' : 'run the host as root';
    const reason = `cgroup v1 is not writable (${errorText(error)}); ${cure}`;
    return { kind: 'refused', reason };
  }
  return { kind: 'open', group: createHostGroup(roots) };
}

/**
 * Groups go to the top of each hierarchy, beside the host's own; only if the host's own group has a memory limit (a
 * service's, a container's) do they go below it, so that the limit holds for the functions too.
 */
function hierarchiesOf(mounts: readonly CgroupMount[]): Hierarchies | undefined {
  const v1 = (controller: string) =>
    mounts.find((mount) => mount.version === 1 && mount.controllers.includes(controller));
  const memory = v1('memory');
  const pids = v1('pids');
  if (memory === undefined || pids === undefined) return undefined;
  const nested = hasMemoryLimit(memory.own);
  const base = (mount: CgroupMount | undefined) => (nested ? mount?.own : mount?.mountPoint);
  const unifiedMount = mounts.find((mount) => mount.version === 2);
  const unified = hasKill(unifiedMount) ? base(unifiedMount) : undefined;
  return {
    memory: nested ? memory.own : memory.mountPoint,
    pids: nested ? pids.own : pids.mountPoint,
    cpu: base(v1('cpu')),
    unified,
    freezer: unified === undefined ? base(v1('freezer')) : undefined,
  };
}

function hasMemoryLimit(directory: string): boolean {
  const file = `${directory}/memory.limit_in_bytes`;
  // The "no limit" value is the largest page-aligned integer; no machine has a limit near it.
  return existsSync(file) && Number(readFileSync(file, 'utf8')) < 2 ** 60;
}

/** cgroup.kill exists since Linux 5.14, in every group but the root; the root's own files tell only of freezing. */
function hasKill(mount: CgroupMount | undefined): boolean {
  return mount !== undefined && existsSync(`${mount.mountPoint}/cgroup.procs`);
}

function mapDirectories(hierarchies: Hierarchies, map: (base: string) => string): Hierarchies {
  const optional = (base: string | undefined) => (base === undefined ? undefined : map(base));
  return {
    memory: map(hierarchies.memory),
    pids: map(hierarchies.pids),
    cpu: optional(hierarchies.cpu),
    unified: optional(hierarchies.unified),
    freezer: optional(hierarchies.freezer),
  };
}

/** Co-mounted controllers (cpu,cpuacct; on some machines more) share a directory: each is named once. */
function directoriesOf(hierarchies: Hierarchies): readonly string[] {
  const all = [
    hierarchies.memory,
    hierarchies.pids,
    hierarchies.cpu,
    hierarchies.unified,
    hierarchies.freezer,
  ];
  return [...new Set(all.filter((directory) => directory !== undefined))];
}

function createHostGroup(roots: Hierarchies): HostGroup {
  const directories = directoriesOf(roots);
  const unified = roots.unified;
  return {
    version: 1,
    method: `cgroup v1 (${unified === undefined ? 'no v2 tree' : 'with the v2 tree for cgroup.kill'})`,
    hasCpu: roots.cpu !== undefined,
    canFreeze: unified !== undefined || roots.freezer !== undefined,
    hasAtomicKill: unified !== undefined && existsSync(`${unified}/cgroup.kill`),
    directories,
    create: (name, limits) =>
      createSlotGroup(
        mapDirectories(roots, (root) => `${root}/${name}`),
        limits,
      ),
    async [Symbol.asyncDispose]() {
      for (const directory of directories) await removeGroup(directory);
    },
  };
}

function createSlotGroup(slot: Hierarchies, limits: SlotLimits): SlotGroup {
  const directories = directoriesOf(slot);
  const made: string[] = [];
  try {
    for (const directory of directories) {
      mkdirSync(directory);
      made.push(directory);
    }
    writeLimits(slot, limits);
  } catch (error) {
    for (const directory of made) removeGroupNow(directory);
    throw error;
  }
  return slotGroup(slot, directories);
}

function writeLimits(slot: Hierarchies, limits: SlotLimits): void {
  const bytes = String(limits.hardMemoryMib * bytesPerMib);
  writeFileSync(`${slot.memory}/memory.limit_in_bytes`, bytes);
  // Memory and swap together; absent where the kernel does not account for swap.
  const withSwap = `${slot.memory}/memory.memsw.limit_in_bytes`;
  if (existsSync(withSwap)) writeFileSync(withSwap, bytes);
  writeFileSync(`${slot.pids}/pids.max`, String(limits.maxProcesses));
  if (slot.cpu !== undefined) {
    const shares = Math.max(2, Math.round((defaultShares * limits.memoryMib) / memoryMibPerCpu));
    writeFileSync(`${slot.cpu}/cpu.shares`, String(shares));
  }
}

function slotGroup(slot: Hierarchies, directories: readonly string[]): SlotGroup {
  const oomKills = () =>
    counterIn(readFileSync(`${slot.memory}/memory.oom_control`, 'utf8'), 'oom_kill');
  const setFrozen = (frozen: boolean) => {
    if (slot.unified !== undefined) {
      writeFileSync(`${slot.unified}/cgroup.freeze`, frozen ? '1' : '0');
    } else if (slot.freezer !== undefined) {
      writeFileSync(`${slot.freezer}/freezer.state`, frozen ? 'FROZEN' : 'THAWED');
    }
  };
  return {
    joinFiles: directories.map((directory) => `${directory}/cgroup.procs`),
    usage(): GroupUsage {
      const text = readFileSync(`${slot.memory}/memory.stat`, 'utf8');
      return { processBytes: counterIn(text, 'total_rss'), oomKills: oomKills() };
    },
    oomKills,
    tasks: () => Number(readFileSync(`${slot.pids}/pids.current`, 'utf8')),
    killAll() {
      killGroup(slot.unified ?? slot.memory);
    },
    freeze: () => setFrozen(true),
    thaw: () => setFrozen(false),
    isEmpty: () => directories.every((directory) => membersOf(directory).length === 0),
    async remove() {
      if (directories.some((directory) => isPopulated(directory))) {
        throw new Error('a group with processes cannot be removed');
      }
      await Promise.all(directories.map((directory) => removeGroup(directory)));
    },
  };
}
