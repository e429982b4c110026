// What /proc tells about processes: who is alive, who descends from whom, who uses how much. Nothing here kills.

import { readdirSync, readFileSync } from 'node:fs';
import { hasErrorCode } from '../error-code.ts';

/** One line of /proc/PID/stat, as far as we need it. */
export interface ProcessStat {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly session: number;
}

/** Undefined when there is no such process (or no /proc). */
export function statOf(pid: number): ProcessStat | undefined {
  const text = readProc(`${pid}/stat`);
  // The name stands in parentheses and may itself contain any character: count from its last one.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, , session] = fields ?? [];
  if (state === undefined) return undefined;
  return { pid, state, parent: Number(parent), session: Number(session) };
}

/** Zombies count as ended: nothing of theirs runs any more. */
export function isRunning(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** `pid` and all that descends from it; orphans whose parent left the tree are not found this way. */
export function treeOf(pid: number): readonly number[] {
  const found = [pid];
  // `found` grows while it is walked.
  for (const parent of found) found.push(...childrenOf(parent));
  return found;
}

/** Children are listed under the thread that made them. */
function childrenOf(pid: number): readonly number[] {
  return listProc(`${pid}/task`).flatMap((thread) =>
    (readProc(`${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  );
}

/** Every process of this machine that is running. */
export function runningProcesses(): readonly ProcessStat[] {
  return listProc('')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined && stat.state !== 'Z' && stat.state !== 'X')
    .filter((stat) => stat !== undefined);
}

/** Running processes with that real user. */
export function processesOfUser(uid: number): readonly number[] {
  return runningProcesses()
    .map((stat) => stat.pid)
    .filter((pid) => realUserOf(pid) === uid);
}

/** From `status`, since the owner of /proc/PID is root for a process that made itself undumpable. */
function realUserOf(pid: number): number | undefined {
  const uid = /^Uid:\s+(\d+)/m.exec(readProc(`${pid}/status`) ?? '')?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/** Names of its threads, the main one left out. */
export function threadNamesOf(pid: number): readonly string[] {
  return listProc(`${pid}/task`)
    .filter((thread) => thread !== `${pid}`)
    .map((thread) => (readProc(`${pid}/task/${thread}/comm`) ?? '').trim());
}

/** Memory of one process that is not a file's: anonymous and shared pages, in bytes. 0 when it is gone. */
export function processMemoryBytes(pid: number): number {
  const status = readProc(`${pid}/status`) ?? '';
  return (kibIn(status, 'RssAnon') + kibIn(status, 'RssShmem')) * 1024;
}

/** The most memory one process has had resident at a time, files included, in KiB. 0 when it is gone. */
export function peakKibOf(pid: number): number {
  return kibIn(readProc(`${pid}/status`) ?? '', 'VmHWM');
}

function kibIn(status: string, name: string): number {
  const at = status.indexOf(`\n${name}:`);
  return at < 0 ? 0 : Number.parseInt(status.slice(at + name.length + 2), 10);
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function listProc(path: string): readonly string[] {
  try {
    return readdirSync(`/proc/${path}`);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** ESRCH is what reading a file of a process that has just ended gives; EACCES and EPERM belong to others' processes. */
function isGone(error: unknown): boolean {
  return hasErrorCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM');
}
