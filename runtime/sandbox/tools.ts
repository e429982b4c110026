// The system's programs that stand between the host and a slot's main process, and where this machine keeps them.
import { accessSync, constants } from 'node:fs';

/** Absolute paths; undefined where the machine has no such program. */
export interface Tools {
  readonly sh: string;
  readonly env: string;
  readonly setpriv: string | undefined;
  readonly prlimit: string | undefined;
  readonly bwrap: string | undefined;
}

const directories = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'] as const;

/** Looks the programs up in the system's own directories, never along PATH. `bwrapPath` replaces the search for bwrap. */
export function findTools(bwrapPath?: string): Tools {
  return {
    sh: '/bin/sh',
    env: find('env') ?? '/usr/bin/env',
    setpriv: find('setpriv'),
    prlimit: find('prlimit'),
    bwrap: bwrapPath === undefined ? find('bwrap') : executable(bwrapPath),
  };
}

function find(name: string): string | undefined {
  for (const directory of directories) {
    const path = executable(`${directory}/${name}`);
    if (path !== undefined) return path;
  }
  return undefined;
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined; // absent or not ours to run: the same to us
  }
}
