// What a host holds on the machine beyond what it says it does: processes, control groups, directories, descriptors.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { hasErrorCode } from '../../runtime/error-code.ts';
import { groupsOf } from '../support/traces.ts';

/** Directories that lie ready for slots to come. */
const READY_DIRECTORIES = 8;

/** What a living slot needs of its host: control socket, output, and what tells of its end. */
const DESCRIPTORS_PER_SLOT = 5;

export interface Holdings {
  /** Environments and slots that the host knows of; undefined while some are on their way up. */
  readonly slots: number | undefined;
  readonly quarantined: number;
  /** Its children, zombies included. */
  readonly children: number;
  /** Undefined where there are none at all. */
  readonly groups: number | undefined;
  readonly directories: number;
  /** Open files, pipes and sockets; without TCP, event loops of threads, and log files, of which some are kept open. */
  readonly descriptors: number;
}

interface Health {
  readonly environments: {
    readonly idle: number;
    readonly busy: number;
    readonly starting: number;
  };
  readonly slots: number;
  readonly quarantined: number;
}

export async function holdingsOf(url: string, pid: number, dataDir: string): Promise<Holdings> {
  const response = await fetch(new URL('/_lambkin/health', url));
  const { environments, slots, quarantined } = (await response.json()) as Health; // our own route
  const isMoving = environments.starting > 0;
  const groups = groupsOf(dataDir).map((directory) => numbered(directory).length);
  return {
    slots: isMoving ? undefined : environments.idle + environments.busy + slots,
    quarantined,
    children: readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
      .length,
    groups: groups.length === 0 ? undefined : Math.max(...groups),
    directories: numbered(path.join(dataDir, 'slots')).length,
    descriptors: descriptorsOf(pid),
  };
}

/** What there is beyond the slots that the host knows of; empty when all is in order. */
export function surplusOf(holdings: Holdings): readonly string[] {
  const { slots, quarantined, children, groups, directories } = holdings;
  if (slots === undefined) return ['environments are starting'];
  return [
    quarantined > 0 ? `${quarantined} slots would not go` : '',
    children === slots ? '' : `${children} children for ${slots} slots`,
    groups === undefined || groups === slots ? '' : `${groups} control groups for ${slots} slots`,
    directories <= slots + READY_DIRECTORIES ? '' : `${directories} directories for ${slots} slots`,
  ].filter(Boolean);
}

/** Descriptors that `after` has more than `before`, slots put aside. */
export function leakedDescriptors(before: Holdings, after: Holdings): number {
  const moreSlots = Math.max(0, (after.slots ?? 0) - (before.slots ?? 0));
  return after.descriptors - before.descriptors - moreSlots * DESCRIPTORS_PER_SLOT;
}

function numbered(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => /^\d+$/.test(name));
}

function descriptorsOf(pid: number): number {
  const tcp = new Set(
    ['tcp', 'tcp6'].flatMap((file) =>
      readFileSync(`/proc/${pid}/net/${file}`, 'latin1')
        .split('\n')
        .map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`),
    ),
  );
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).filter((fd) => {
    try {
      const target = readlinkSync(path.join(directory, fd));
      return !tcp.has(target) && !/^anon_inode:|\.jsonl$/.test(target);
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return false;
      throw error;
    }
  }).length;
}
