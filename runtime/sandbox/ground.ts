// What sandboxes stand on, before the first one: directories, files shared by all slots, and nothing left of a dead host.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { passwdText } from './bwrap.ts';
import {
  type CgroupMount,
  type HostGroup,
  type HostGroupResult,
  readCgroupMounts,
  sweepGroup,
} from './cgroup.ts';
import { openGroupV1 } from './cgroup-v1.ts';
import { openGroupV2 } from './cgroup-v2.ts';
import { sendSignal } from './kill.ts';
import { processesOfUser } from './process-tree.ts';
import type { SandboxConfig } from './sandbox.ts';
import { leftoverSlots } from './slot-dirs.ts';
import { slotUid } from './uid.ts';

const emptyWithinMs = 2_000;

/** Files of ours beside the slots, in a directory whose name is no slot's number. */
export interface Ground extends AsyncDisposable {
  /** The slots directory, without links in its path. */
  readonly slotsDir: string;
  /** Readable by the host's user alone; a sandbox that reads it sees too much. */
  readonly canary: string;
  readonly group: HostGroup | undefined;
  /** Why there is no group. */
  readonly groupReason: string;
}

/** Names below the slots directory. */
export const sharedNames = {
  dir: '.host',
  passwd: '.host/passwd',
  copies: '.host/copies',
} as const;

/** Sweeps what a dead host of this id left (groups, processes of its slots' users, directories), then lays out anew. */
export async function openGround(config: SandboxConfig): Promise<Ground> {
  if (!/^[\w.-]{1,128}$/.test(config.hostId)) {
    throw new Error(`the host's id must be letters, digits, '_', '.' and '-': ${config.hostId}`);
  }
  mkdirSync(config.slotsDir, { recursive: true });
  chmodSync(config.slotsDir, 0o711);
  const slotsDir = realpathSync(config.slotsDir);
  const sharedDir = `${slotsDir}/${sharedNames.dir}`;
  await sweepRecordedGroups(`${sharedDir}/groups`, config.hostId);
  const group = await openGroup(config);
  await sweepSlots(slotsDir, config.hostId);
  rmSync(sharedDir, { recursive: true, force: true });
  layOut(slotsDir, group);
  return {
    slotsDir,
    canary: `${sharedDir}/canary`,
    group: group.kind === 'open' ? group.group : undefined,
    groupReason: group.kind === 'refused' ? group.reason : '',
    async [Symbol.asyncDispose]() {
      if (group.kind === 'open') await group.group[Symbol.asyncDispose]();
      await rm(sharedDir, { recursive: true, force: true });
    },
  };
}

function layOut(slotsDir: string, group: HostGroupResult): void {
  const at = (name: string) => `${slotsDir}/${name}`;
  for (const name of [sharedNames.dir, sharedNames.copies]) {
    mkdirSync(at(name));
    chmodSync(at(name), 0o711);
  }
  writeFileSync(at(sharedNames.passwd), passwdText);
  chmodSync(at(sharedNames.passwd), 0o644);
  writeFileSync(at(`${sharedNames.dir}/canary`), 'not for functions\n', { mode: 0o600 });
  const directories = group.kind === 'open' ? group.group.directories : [];
  writeFileSync(at(`${sharedNames.dir}/groups`), directories.join('\n'), { mode: 0o600 });
}

/** Groups may have been below the dead host's own group, which need not be ours: it wrote down where they are. */
async function sweepRecordedGroups(record: string, hostId: string): Promise<void> {
  if (!existsSync(record)) return;
  for (const directory of readFileSync(record, 'utf8').split('\n').filter(Boolean)) {
    if (path.basename(directory) === `lambkin-${hostId}`) await sweepGroup(directory);
  }
}

async function openGroup(config: SandboxConfig): Promise<HostGroupResult> {
  const root = config.cgroupRoot ?? 'auto';
  if (config.mode === 'off') return { kind: 'refused', reason: 'isolation is switched off' };
  if (root === 'none') return { kind: 'refused', reason: 'cgroups are switched off' };
  if (config.backend === 'process') {
    return { kind: 'refused', reason: 'the backend is set to plain processes' };
  }
  const mounts = readCgroupMounts();
  const unified = mounts.find((mount) => mount.version === 2);
  if (root !== 'auto') {
    const mount: CgroupMount = { version: 2, controllers: [], mountPoint: root, own: root };
    return openGroupV2(mount, config.hostId);
  }
  if (mounts.some((mount) => mount.controllers.includes('memory'))) {
    return openGroupV1(mounts, config.hostId);
  }
  if (unified === undefined) return { kind: 'refused', reason: 'no cgroup file system is mounted' };
  return openGroupV2(unified, config.hostId);
}

/** Slots without a namespace do not end with their host; their users tell whose they are. */
async function sweepSlots(slotsDir: string, hostId: string): Promise<void> {
  const left = leftoverSlots(slotsDir);
  if (process.getuid?.() === 0) {
    for (const index of left) await endProcessesOf(slotUid(hostId, index));
  }
  for (const index of left) await rm(`${slotsDir}/${index}`, { recursive: true, force: true });
}

async function endProcessesOf(uid: number): Promise<void> {
  const giveUpAt = performance.now() + emptyWithinMs;
  for (;;) {
    const left = processesOfUser(uid);
    if (left.length === 0) return;
    if (performance.now() > giveUpAt) throw new Error(`processes of user ${uid} do not end`);
    for (const pid of left) sendSignal(pid, 'SIGKILL');
    await sleep(5);
  }
}
