// Under root, slots run as users of their own: every path they need must be walkable for them. What is not, is made so.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';

/** Where paths below somebody's 0700 home are shown; unlistable, as /run is the system's own. */
const runDir = '/run/lambkin';

/** True when any user can walk to `target` and read it, and all that lies in it. */
function isReachable(target: string): boolean {
  return blockedAt(target) === undefined && isOpen(target);
}

/** The first directory on the way to `target` that others may not walk through. */
function blockedAt(target: string): string | undefined {
  const above: string[] = [];
  for (let at = path.dirname(realpathSync(target)); ; at = path.dirname(at)) {
    above.unshift(at);
    if (at === '/') break;
  }
  return above.find((directory) => (statSync(directory).mode & 0o001) === 0);
}

function isOpen(target: string): boolean {
  const { mode } = statSync(target);
  if (!statSync(target).isDirectory()) return (mode & 0o004) !== 0;
  if ((mode & 0o005) !== 0o005) return false;
  return readdirSync(target).every((name) => isOpen(`${target}/${name}`));
}

/** How a directory of ours that others cannot walk to is shown to them. */
export interface SlotsView extends Disposable {
  /** The same directory by a walkable path. */
  readonly path: string;
  /** Empty when no detour was needed; else what was done, for the report. */
  readonly note: string;
}

export type SlotsViewResult =
  | { readonly kind: 'walkable'; readonly view: SlotsView }
  | { readonly kind: 'blocked'; readonly reason: string };

/**
 * A walkable path to `slotsDir`: itself, or a bind mount of it below /run/lambkin. The mount shows the slots only, each of
 * which is closed to every user but its own; whoever disposes of the view unmounts it, and the next open sweeps a dead host's.
 */
export function openSlotsView(slotsDir: string, hostId: string): SlotsViewResult {
  const mountPoint = `${runDir}/${hostId}`;
  removeMount(mountPoint);
  const blocked = blockedAt(slotsDir);
  if (blocked === undefined) {
    return {
      kind: 'walkable',
      view: { path: slotsDir, note: '', [Symbol.dispose]: () => undefined },
    };
  }
  const problem = bindMount(slotsDir, mountPoint);
  if (problem !== undefined) {
    const reason = `slots cannot be reached by their own users: ${blocked} is closed to others, and a bind mount below ${runDir} failed (${problem}); use a data directory elsewhere, or chmod o+x ${blocked}`;
    return { kind: 'blocked', reason };
  }
  const note = `${blocked} is closed to others; slots are shown to their users by a bind mount at ${mountPoint}`;
  return {
    kind: 'walkable',
    view: { path: mountPoint, note, [Symbol.dispose]: () => removeMount(mountPoint) },
  };
}

/** What mount(8) said when it failed. */
function bindMount(directory: string, mountPoint: string): string | undefined {
  mkdirSync(runDir, { recursive: true, mode: 0o711 });
  mkdirSync(mountPoint, { mode: 0o711 });
  const mount = spawnSync('mount', ['--bind', '--make-private', directory, mountPoint], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  if (mount.status === 0) return undefined;
  rmdirSync(mountPoint);
  return (mount.stderr || String(mount.error)).trim();
}

/** Installations of languages that others cannot walk to, each shown by a bind mount: they are too large to copy. */
export class LanguageViews implements Disposable {
  readonly #prefix: string;
  readonly #shown = new Map<string, string>();
  readonly #mounted: string[] = [];

  /** Removes what a dead host of that id left mounted. */
  constructor(hostId: string) {
    this.#prefix = `${hostId}-language-`;
    if (!existsSync(runDir)) return;
    for (const name of readdirSync(runDir))
      if (name.startsWith(this.#prefix)) removeMount(`${runDir}/${name}`);
  }

  /** `directory` itself where anybody can walk to it, else where it is shown. Throws when it cannot be. Blocks once for each. */
  of(directory: string): string {
    const known = this.#shown.get(directory);
    if (known !== undefined) return known;
    const blocked = blockedAt(directory);
    const shown = blocked === undefined ? directory : this.#mount(directory, blocked);
    this.#shown.set(directory, shown);
    return shown;
  }

  [Symbol.dispose](): void {
    for (const mountPoint of this.#mounted.splice(0)) removeMount(mountPoint);
  }

  #mount(directory: string, blocked: string): string {
    const mountPoint = `${runDir}/${this.#prefix}${this.#mounted.length}`;
    const problem = bindMount(directory, mountPoint);
    if (problem !== undefined)
      throw new Error(
        `${directory} cannot be reached by the users of slots: ${blocked} is closed to others, and a bind mount below ${runDir} failed (${problem}); install it elsewhere, or chmod o+x ${blocked}`,
      );
    this.#mounted.push(mountPoint);
    return mountPoint;
  }
}

function removeMount(mountPoint: string): void {
  if (!existsSync(mountPoint)) return;
  const isMounted = readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountPoint} `);
  if (isMounted) {
    // Lazily: a process that is just ending may still hold it. The rmdir below tells whether it worked.
    spawnSync('umount', ['--lazy', mountPoint], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
  }
  rmdirSync(mountPoint);
}

/** Copies of runtime directories and interpreters that a slot's user could not read where they are; made once each. */
export class ReachableCopies {
  readonly #copyDir: string;
  readonly #shownDir: string;
  readonly #known = new Map<string, string>();

  /** `shownDir` is the walkable path to `copyDir`. */
  constructor(copyDir: string, shownDir: string) {
    this.#copyDir = copyDir;
    this.#shownDir = shownDir;
  }

  /** `target` itself where anybody can read it, else the copy. Blocks once per target. */
  of(target: string): string {
    const known = this.#known.get(target);
    if (known !== undefined) return known;
    const reachable = isReachable(target) ? target : this.#copy(target);
    this.#known.set(target, reachable);
    return reachable;
  }

  #copy(target: string): string {
    const name = this.#known.size;
    const copy = `${this.#copyDir}/${name}`;
    rmSync(copy, { recursive: true, force: true });
    if (statSync(target).isDirectory()) {
      cpSync(target, copy, { recursive: true, dereference: true });
      openForAll(copy);
    } else {
      copyFile(target, copy);
    }
    return `${this.#shownDir}/${name}`;
  }
}

/** A hard link where that does, so that slots share the pages of one program; else a copy. */
function copyFile(target: string, copy: string): void {
  if (isOpen(target)) {
    try {
      return linkSync(realpathSync(target), copy);
    } catch (error) {
      const isRefused = error instanceof Error && 'code' in error;
      if (!isRefused) throw error; // EXDEV, EPERM, EMLINK: a copy it is
    }
  }
  copyFileSync(target, copy, constants.COPYFILE_FICLONE);
  chmodSync(copy, 0o755);
}

function openForAll(target: string): void {
  const { mode } = statSync(target);
  if (!statSync(target).isDirectory())
    return chmodSync(target, (mode & 0o100) === 0 ? 0o644 : 0o755);
  chmodSync(target, 0o755);
  for (const name of readdirSync(target)) openForAll(`${target}/${name}`);
}
