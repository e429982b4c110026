// Control groups: what a sandbox needs of one, and the parts that both versions of the kernel's interface share.

import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrorCode } from '../error-code.ts';

/** What one sandbox may use. */
export interface SlotLimits {
  /** The kernel's hard limit in MiB: MemorySize plus what /tmp may hold, since its pages are charged here. */
  readonly hardMemoryMib: number;
  /** MemorySize in MiB; decides the share of the CPU. */
  readonly memoryMib: number;
  readonly maxProcesses: number;
}

/** What one look at a sandbox's group tells. */
export interface GroupUsage {
  /** Memory of the processes themselves (anonymous pages), without files and tmpfs. */
  readonly processBytes: number;
  readonly oomKills: number;
}

/** The group of one sandbox, over however many hierarchies. */
export interface SlotGroup {
  /** Files that a process writes its own id to, to join. */
  readonly joinFiles: readonly string[];
  usage(): GroupUsage;
  /** Processes that the kernel killed here for want of memory, so far. */
  oomKills(): number;
  /** Processes and threads in it. Reads one file. */
  tasks(): number;
  /** SIGKILL to every member, frozen ones included. */
  killAll(): void;
  freeze(): void;
  thaw(): void;
  isEmpty(): boolean;
  /** Removes the directories; the group must be empty. */
  remove(): Promise<void>;
}

/** The group of one host: parent of its sandboxes' groups. */
export interface HostGroup extends AsyncDisposable {
  readonly version: 1 | 2;
  /** What bears the limits, for the report. */
  readonly method: string;
  readonly hasCpu: boolean;
  readonly canFreeze: boolean;
  readonly hasAtomicKill: boolean;
  /** Directories of ours, one per hierarchy. */
  readonly directories: readonly string[];
  create(name: string, limits: SlotLimits): SlotGroup;
}

/** Either the group or the reason why there is none, naming what would mend it. */
export type HostGroupResult =
  | { readonly kind: 'open'; readonly group: HostGroup }
  | { readonly kind: 'refused'; readonly reason: string };

/** AWS gives one full CPU at this MemorySize; weights are proportional to it. */
export const memoryMibPerCpu = 1769;

/** How long a sweep or a removal waits for killed processes to leave. */
const emptyWithinMs = 2_000;

/** A mount of a cgroup file system, and where in it this process is. */
export interface CgroupMount {
  readonly version: 1 | 2;
  /** Controllers of a v1 hierarchy; empty for v2. */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** The directory of this process's own group in that mount. */
  readonly own: string;
}

/** All cgroup mounts of this machine, from the texts of /proc/self/mountinfo and /proc/self/cgroup. */
export function parseCgroupMounts(mountinfo: string, membership: string): readonly CgroupMount[] {
  const paths = parseMembership(membership);
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const [, , , root, mountPoint] = (left ?? '').split(' ');
    const [type, , options] = (right ?? '').split(' ');
    if (root === undefined || mountPoint === undefined || !type?.startsWith('cgroup')) continue;
    if (type === 'cgroup2') {
      const own = ownDirectory(mountPoint, root, paths.get(''));
      mounts.push({ version: 2, controllers: [], mountPoint, own });
    } else {
      const controllers = (options ?? '').split(',').filter((option) => paths.has(option));
      const own = ownDirectory(mountPoint, root, paths.get(controllers[0] ?? ''));
      mounts.push({ version: 1, controllers, mountPoint, own });
    }
  }
  return mounts;
}

/** Controller → path; the v2 tree has the empty name. */
function parseMembership(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, ...path] = line.split(':');
    if (controllers === undefined) continue;
    for (const name of controllers.split(',')) paths.set(name, path.join(':'));
  }
  return paths;
}

/** A container mounts only its own subtree: then `root` is a prefix of the path, and the rest lies below the mount. */
function ownDirectory(mountPoint: string, root: string, path: string | undefined): string {
  if (path === undefined || path.startsWith('/..')) return mountPoint;
  const prefix = root === '/' ? '' : root;
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return mountPoint;
  const rest = path.slice(prefix.length);
  return rest === '/' ? mountPoint : `${mountPoint}${rest}`;
}

export function readCgroupMounts(): readonly CgroupMount[] {
  if (!existsSync('/proc/self/cgroup')) return [];
  return parseCgroupMounts(
    readFileSync('/proc/self/mountinfo', 'utf8'),
    readFileSync('/proc/self/cgroup', 'utf8'),
  );
}

/** The processes directly in a group. None when the group is gone. */
export function membersOf(directory: string): readonly number[] {
  try {
    return readFileSync(`${directory}/cgroup.procs`, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(Number);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Whether a group and all below it is without processes. */
export function isPopulated(directory: string): boolean {
  if (membersOf(directory).length > 0) return true;
  return childGroups(directory).some((child) => isPopulated(child));
}

/** SIGKILL to every process at and below a group, at once where the kernel can (v2), else one by one. */
export function killGroup(directory: string): void {
  if (existsSync(`${directory}/cgroup.kill`)) return writeFileSync(`${directory}/cgroup.kill`, '1');
  for (const pid of membersOf(directory)) killProcess(pid);
  for (const child of childGroups(directory)) killGroup(child);
}

function killProcess(pid: number): void {
  if (pid === process.pid || pid <= 1) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH')) throw error;
  }
}

/** Kills what a dead host left in its group of the same name, and removes the group. Throws when it will not go. */
export async function sweepGroup(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  thawGroup(directory);
  const giveUpAt = performance.now() + emptyWithinMs;
  while (isPopulated(directory)) {
    killGroup(directory);
    await sleep(2);
    if (performance.now() > giveUpAt) throw new Error(`processes in ${directory} do not end`);
  }
  await removeGroup(directory);
}

function thawGroup(directory: string): void {
  const v1 = `${directory}/freezer.state`;
  const v2 = `${directory}/cgroup.freeze`;
  if (existsSync(v1)) writeFileSync(v1, 'THAWED');
  if (existsSync(v2)) writeFileSync(v2, '0');
  for (const child of childGroups(directory)) thawGroup(child);
}

/** Removes a group and those below it; a group that has just emptied may be busy for a moment. */
export async function removeGroup(directory: string): Promise<void> {
  for (const child of childGroups(directory)) await removeGroup(child);
  const giveUpAt = performance.now() + emptyWithinMs;
  for (;;) {
    try {
      return await rmdir(directory);
    } catch (error) {
      if (isGone(error)) return;
      if (performance.now() > giveUpAt) throw error;
      await sleep(2);
    }
  }
}

/** The same at once, for the way back out of a creation that failed half-way. */
export function removeGroupNow(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function childGroups(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${directory}/${entry.name}`);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** ENODEV is what reading a file of a removed group gives. */
function isGone(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT', 'ENODEV');
}

/** One counter of a file of `name value` lines, 0 when it is not there. */
export function counterIn(text: string, name: string): number {
  const start = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1;
  if (start === 0 && !text.startsWith(`${name} `)) return 0;
  return Number.parseInt(text.slice(start + name.length + 1), 10);
}

/** A sentence for the report from an error of the file system. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
