// The mount view and namespaces of a slot, as bubblewrap's arguments. Which of them a given bwrap knows is decided here.
import { lstatSync, readlinkSync } from 'node:fs';
import type { SandboxPaths } from '../protocol.ts';

/** Where everything is inside, whatever it is outside. */
export const insidePaths: SandboxPaths = {
  taskRoot: '/var/task',
  runtimeDir: '/var/runtime',
  optDir: '/opt',
  tmpDir: '/tmp',
  // Below /var, which is mounted read-only: not even the file's owner can make it writable or write to it from in there.
  withdrawnFile: '/var/withdrawn',
};

/** The place inside of an interpreter that is one file. */
export const insideInterpreter = '/var/lang/bin/node';

/** The place inside of one that is a whole directory. */
export const insideLanguageDir = '/var/lang';

/** The descriptors bwrap reads or writes and then closes; the function sees 0 to 3 only. */
const bwrapDescriptors = { filter: 4, arguments: 5, status: 6 } as const;

/** The user the function sees itself as, whatever it is outside. */
const insideUid = '993';
const insideGid = '990';

/** One line for root, one for the function's user: without it `os.userInfo()` throws. */
export const passwdText =
  'root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:993:990::/tmp:/sbin/nologin\n';

const etcFiles = [
  'resolv.conf',
  'ssl',
  'hosts',
  'nsswitch.conf',
  'ca-certificates',
  'localtime',
  'alternatives',
] as const;

/** What differs between bwrap versions: `--disable-userns` came with 0.8, `--size` with 0.7. */
export interface BwrapAbilities {
  readonly version: string;
  readonly disableUserns: boolean;
  readonly tmpfsSize: boolean;
}

/** From `bwrap --version`. */
export function bwrapAbilities(versionOutput: string): BwrapAbilities {
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(versionOutput) ?? [];
  const rank = Number(major) * 1000 + Number(minor);
  return {
    version: versionOutput.trim().replace(/^bubblewrap /, ''),
    disableUserns: rank >= 8,
    tmpfsSize: rank >= 7,
  };
}

/** Host paths that one slot's view is made of; each must be walkable for the user that bwrap runs as. */
export interface SlotView {
  readonly varDir: string;
  readonly optDir: string;
  readonly runtimeDir: string;
  /** None for a program without one. */
  readonly interpreter: string | undefined;
  /** Holds the interpreter, where it needs more than itself. */
  readonly languageDir?: string | undefined;
  readonly passwdFile: string;
  readonly tmpBytes: number;
  readonly withFilter: boolean;
}

/** How /lib, /bin, … relate to /usr on this machine: links where they are merged, directories where they are not. */
export function systemBinds(): readonly string[] {
  const binds = ['--ro-bind', '/usr', '/usr'];
  for (const name of ['lib', 'lib32', 'lib64', 'libx32', 'bin', 'sbin']) {
    const entry = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink()) binds.push('--symlink', readlinkSync(`/${name}`), `/${name}`);
    else if (entry?.isDirectory()) binds.push('--ro-bind', `/${name}`, `/${name}`);
  }
  return binds;
}

/**
 * The text for `--args`, NUL after each argument. Order matters: binds first, `--size` directly before its `--tmpfs`, both
 * `--remount-ro` after the last mount (else `/`, `/dev` and `/dev/shm` are writable and unlimited).
 */
export function bwrapArguments(
  view: SlotView,
  abilities: BwrapAbilities,
  system: readonly string[],
): string {
  const etc = etcFiles.map((name) => `/etc/${name}`);
  const groups: readonly (readonly string[])[] = [
    ['--die-with-parent', '--new-session'],
    ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    abilities.disableUserns ? ['--disable-userns'] : [],
    ['--uid', insideUid, '--gid', insideGid, '--hostname', 'localhost', '--chdir', '/'],
    system,
    ['--proc', '/proc', '--dev', '/dev'],
    ['--ro-bind', view.varDir, '/var', '--ro-bind', view.optDir, insidePaths.optDir],
    ['--ro-bind', view.runtimeDir, insidePaths.runtimeDir],
    languageBind(view),
    etc.flatMap((file) => ['--ro-bind-try', file, file]),
    ['--ro-bind', view.passwdFile, '/etc/passwd'],
    abilities.tmpfsSize ? ['--size', String(view.tmpBytes)] : [],
    ['--tmpfs', insidePaths.tmpDir, '--remount-ro', '/dev', '--remount-ro', '/'],
    ['--cap-drop', 'ALL'],
    view.withFilter ? ['--seccomp', String(bwrapDescriptors.filter)] : [],
    ['--json-status-fd', String(bwrapDescriptors.status)],
  ];
  return groups
    .flat()
    .map((argument) => `${argument}\0`)
    .join('');
}

function languageBind({ interpreter, languageDir }: SlotView): readonly string[] {
  if (languageDir !== undefined) return ['--ro-bind', languageDir, insideLanguageDir];
  return interpreter === undefined ? [] : ['--ro-bind', interpreter, insideInterpreter];
}

/** The visible part of the command line; everything that names a host path is in the arguments' descriptor. */
export function bwrapCommand(bwrap: string, command: readonly string[]): readonly string[] {
  return [bwrap, '--args', String(bwrapDescriptors.arguments), '--', ...command];
}

/** The pid (outside) of the sandbox's pid 1, once bwrap has told it. */
export function childPidIn(statusText: string): number | undefined {
  const pid = /"child-pid"\s*:\s*(\d+)/.exec(statusText)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
