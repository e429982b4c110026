// Ending a whole process tree, once per way of holding one: a PID namespace, a user of its own, or just a session.

import type { ChildProcess } from 'node:child_process';
import { hasErrorCode } from '../error-code.ts';
import type { SlotGroup } from './cgroup.ts';
import { isRunning, processesOfUser, runningProcesses, statOf, treeOf } from './process-tree.ts';

/** A sandbox's processes, as its owner sees them. */
export interface ProcessTree {
  /** The first and usually sufficient blow; the gentlest order of SIGKILLs, which leaves no zombies. */
  kill(): void;
  /** Everything at once, for what is left after the first. */
  killHard(): void;
  /** True once no process of it runs any more. */
  isGone(): boolean;
  /** Running processes of it, as far as they can be found. */
  members(): readonly number[];
  /** Those that are not the mechanism's own; the slot's program comes first. */
  programs(): readonly number[];
}

/** SIGKILL that does not mind being late. True when there was something to send it to. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (hasErrorCode(error, 'ESRCH')) return false;
    throw error;
  }
}

/**
 * A bwrap sandbox. SIGKILL goes to its pid 1: the kernel ends the namespace, bwrap reaps it and exits, and we reap bwrap.
 * Killing bwrap (or the group) first leaves pid 1 as a zombie to whoever adopts orphans: that is the harder way.
 */
export function namespaceTree(
  outer: ChildProcess,
  innerPid: () => number | undefined,
  group: SlotGroup | undefined,
): ProcessTree {
  const outerPid = outer.pid ?? 0;
  const hasExited = () => outer.exitCode !== null || outer.signalCode !== null;
  const members = () => (hasExited() ? [] : treeOf(innerPid() ?? outerPid));
  const killHard = () => {
    // Children first: one that bwrap has just made has not yet asked to die with it.
    const children = hasExited() ? [] : treeOf(outerPid).slice(1);
    for (const pid of children) sendSignal(pid, 'SIGKILL');
    if (!hasExited()) outer.kill('SIGKILL');
    group?.killAll();
  };
  return {
    kill() {
      const inner = innerPid();
      // Nobody but bwrap may be the parent, or the number has been given to somebody else meanwhile.
      if (inner === undefined || statOf(inner)?.parent !== outerPid) return killHard();
      sendSignal(inner, 'SIGKILL');
    },
    killHard,
    isGone() {
      const inner = innerPid();
      if (!hasExited()) return false;
      return (inner === undefined || !isRunning(inner)) && (group?.isEmpty() ?? true);
    },
    members,
    // Its pid 1 only waits for the others.
    programs: () => members().slice(1),
  };
}

/** A tree whose processes all belong to one user that nobody else has. */
export function userTree(
  main: ChildProcess,
  uid: number,
  group: SlotGroup | undefined,
): ProcessTree {
  const mainPid = main.pid ?? 0;
  const kill = () => {
    if (!hasEnded(main)) sendSignal(-mainPid, 'SIGKILL');
    group?.killAll();
    if (group === undefined) for (const pid of processesOfUser(uid)) sendSignal(pid, 'SIGKILL');
  };
  return {
    kill,
    killHard: kill,
    isGone: () => hasEnded(main) && (group?.isEmpty() ?? processesOfUser(uid).length === 0),
    members: () => processesOfUser(uid),
    programs: () => processesOfUser(uid),
  };
}

/** Best effort: the descendants and the session of the main process. A daemon that leaves both is not found. */
export function sessionTree(main: ChildProcess, group: SlotGroup | undefined): ProcessTree {
  const mainPid = main.pid ?? 0;
  const inSession = () =>
    runningProcesses()
      .filter((stat) => stat.session === mainPid)
      .map((stat) => stat.pid);
  const members = () => {
    const tree = hasEnded(main) ? [] : treeOf(mainPid);
    return [...new Set([...tree, ...inSession()])].filter((pid) => isRunning(pid));
  };
  const kill = () => {
    const found = members();
    if (!hasEnded(main)) sendSignal(-mainPid, 'SIGKILL');
    for (const pid of found) sendSignal(pid, 'SIGKILL');
    group?.killAll();
  };
  return {
    kill,
    killHard: kill,
    isGone: () => hasEnded(main) && inSession().length === 0 && (group?.isEmpty() ?? true),
    members,
    programs: members,
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
