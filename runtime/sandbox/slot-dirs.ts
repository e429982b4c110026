// The directories of slots: made ahead of need, given out with a number, recycled only after complete disposal.
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { NOTHING_WITHDRAWN } from '../slots/withdrawn-file.ts';

/** How many directories lie ready; making one takes about a millisecond of blocking calls, too long for a spawn. */
const readyCount = 8;
/** A mount point for the interpreter, shown to nobody. */
const interpreterPlace = 'var/lang/bin/node';
/** The host's alone to write; see SandboxPaths. */
const withdrawnFile = 'var/withdrawn';
const madeDirs = ['var', 'var/lang', 'var/lang/bin', 'var/runtime', 'opt', 'tmp'] as const;

export interface SlotDirsOptions {
  readonly slotsDir: string;
  /** The user of slot `index`, or undefined where slots run as the host's own user. */
  uidOf(index: number): number | undefined;
}

/**
 * `slotsDir/<index>/{var/lang/bin/node, var/runtime, var/withdrawn, opt, tmp}`, each slot closed to every user but the host's and its own
 * (0750, group of the slot), since hard-linked code in it is readable for all.
 */
export class SlotDirs implements AsyncDisposable {
  readonly #options: SlotDirsOptions;
  readonly #ready: number[] = [];
  readonly #free: number[] = [];
  #next = 0;
  #preparing: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(options: SlotDirsOptions) {
    this.#options = options;
  }

  pathOf(index: number): string {
    return `${this.#options.slotsDir}/${index}`;
  }

  withdrawnFileOf(index: number): string {
    return `${this.pathOf(index)}/${withdrawnFile}`;
  }

  /** A number with its directory, made on the spot when none is ready. */
  take(): number {
    const ready = this.#ready.shift();
    if (ready !== undefined) {
      if (this.#ready.length < readyCount / 2) this.prepare();
      return ready;
    }
    this.prepare();
    const index = this.#free.shift() ?? this.#next++;
    this.#makeNow(index);
    return index;
  }

  /** Removes the directory and all in it, and gives the number free. */
  async release(index: number): Promise<void> {
    await rm(this.pathOf(index), { recursive: true, force: true });
    this.#free.push(index);
  }

  /** Fills the stock in the background. A failure is kept out of the way: `take` then meets it itself, and throws. */
  prepare(): void {
    this.#preparing ??= this.#fill().finally(() => {
      this.#preparing = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#preparing;
    for (const index of this.#ready.splice(0)) await this.release(index);
  }

  async #fill(): Promise<unknown> {
    while (this.#ready.length < readyCount && !this.#isClosed) {
      const index = this.#free.shift() ?? this.#next++;
      try {
        await this.#make(index);
      } catch {
        // What is wrong is reported by `take`, which makes it again; here nobody waits for it.
        return this.#free.push(index);
      }
      this.#ready.push(index);
    }
    return;
  }

  async #make(index: number): Promise<void> {
    const path = this.pathOf(index);
    const uid = this.#options.uidOf(index);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { mode: 0o700 });
    for (const name of madeDirs) await mkdir(`${path}/${name}`, { mode: 0o755 });
    await writeFile(`${path}/${interpreterPlace}`, '', { mode: 0o644 });
    await writeFile(`${path}/${withdrawnFile}`, NOTHING_WITHDRAWN, { mode: 0o644 });
    await chmod(`${path}/tmp`, 0o700);
    if (uid === undefined) return;
    await chown(`${path}/tmp`, uid, uid);
    await chown(path, 0, uid);
    await chmod(path, 0o750);
  }

  #makeNow(index: number): void {
    const path = this.pathOf(index);
    const uid = this.#options.uidOf(index);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { mode: 0o700 });
    for (const name of madeDirs) mkdirSync(`${path}/${name}`, { mode: 0o755 });
    writeFileSync(`${path}/${interpreterPlace}`, '', { mode: 0o644 });
    writeFileSync(`${path}/${withdrawnFile}`, NOTHING_WITHDRAWN, { mode: 0o644 });
    chmodSync(`${path}/tmp`, 0o700);
    if (uid === undefined) return;
    chownSync(`${path}/tmp`, uid, uid);
    chownSync(path, 0, uid);
    chmodSync(path, 0o750);
  }
}

/** The numbers of slots that a dead host left behind. */
export function leftoverSlots(slotsDir: string): readonly number[] {
  return readdirSync(slotsDir)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
