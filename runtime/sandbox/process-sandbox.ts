// One sandbox's life: watched while it runs, killed when told, classified when it ends, removed without a trace.
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { SandboxPaths } from '../protocol.ts';
import type { SlotGroup } from './cgroup.ts';
import { exitOf } from './exit-status.ts';
import { type ProcessTree, sendSignal } from './kill.ts';
import type { Launched } from './launch.ts';
import type { MemoryPoll, MemoryReading, MemorySubject } from './memory-poll.ts';
import { type Connection, holdsSocket, type PeerSockets } from './peer.ts';
import { peakKibOf, processMemoryBytes, threadNamesOf } from './process-tree.ts';
import type { LateProgram, Sandbox, SandboxExit } from './sandbox.ts';

/** The gentle kill normally needs 5 ms; after this long everything is killed at once. */
const hardKillAfterMs = 50;
/** Between looks whether all is gone: often at first, then as often as blows are repeated. */
const lookOftenMs = 250;
const repeatEveryMs = 50;
/** Processes that survive this long (stuck in the kernel) keep their slot for good. */
const giveUpAfterMs = 2_000;

export interface SandboxParts {
  readonly id: string;
  readonly paths: SandboxPaths;
  readonly taskDir: string;
  readonly optDir: string;
  readonly withdrawnFile: string;
  readonly lateProgram?: LateProgram | undefined;
  readonly launched: Launched;
  readonly tree: ProcessTree;
  readonly group: SlotGroup | undefined;
  /** The user that is nobody else's; undefined when it is the host's own. */
  readonly uid: number | undefined;
  /** MemorySize. */
  readonly limitBytes: number;
  readonly signalsAsCodes: boolean;
  readonly poll: MemoryPoll;
  /** Of all sandboxes of a host. */
  readonly peers: PeerSockets;
  /** Called once, when no process is left and the group is gone: the slot's directory and number may be used again. */
  readonly release: () => Promise<void>;
  /** Called instead when it will not go: nothing of the slot may ever be used again. */
  readonly quarantine: (cause: Error) => void;
}

export class ProcessSandbox implements Sandbox, MemorySubject {
  readonly id: string;
  readonly paths: SandboxPaths;
  readonly taskDir: string;
  readonly optDir: string;
  readonly withdrawnFile: string;
  readonly control: Socket;
  readonly output: Readable;
  readonly lateProgram: LateProgram | undefined;
  readonly exit: Promise<SandboxExit>;
  readonly limitBytes: number;
  readonly #parts: SandboxParts;
  #peakBytes = 0;
  #exceededMemory = false;
  #hasExited = false;
  #isKilled = false;
  #isFrozen = false;
  #tasksWhenAlone: number | undefined;
  #hardKill: NodeJS.Timeout | undefined;
  #disposal: Promise<void> | undefined;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.paths = parts.paths;
    this.taskDir = parts.taskDir;
    this.optDir = parts.optDir;
    this.withdrawnFile = parts.withdrawnFile;
    this.limitBytes = parts.limitBytes;
    this.lateProgram = parts.lateProgram;
    this.control = parts.launched.control;
    this.output = parts.launched.output;
    this.exit = new Promise((resolve) => {
      parts.launched.child.once('exit', (code, signal) => resolve(this.#ended(code, signal)));
    });
    parts.poll.add(this);
  }

  get peakKib(): number {
    return Math.ceil(this.#peakBytes / 1024);
  }

  watchMemory(active: boolean): void {
    this.#parts.poll.setActive(this, active && !this.#hasExited);
  }

  kill(): void {
    if (this.#isKilled || this.#hasExited) return;
    this.#isKilled = true;
    this.thaw();
    this.#parts.tree.kill();
    this.#hardKill = setTimeout(() => this.#parts.tree.killHard(), hardKillAfterMs).unref();
  }

  terminate(): void {
    const [main] = this.#parts.tree.programs();
    if (main !== undefined) sendSignal(main, 'SIGTERM');
  }

  freeze(): void {
    if (this.#hasExited || this.#isKilled || this.#isFrozen) return;
    this.#isFrozen = true;
    if (this.#parts.group !== undefined) return this.#parts.group.freeze();
    for (const pid of this.#parts.tree.members()) sendSignal(pid, 'SIGSTOP');
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    if (this.#parts.group !== undefined) return this.#parts.group.thaw();
    for (const pid of this.#parts.tree.members()) sendSignal(pid, 'SIGCONT');
  }

  measure(): MemoryReading {
    const { group, tree } = this.#parts;
    if (group !== undefined) return group.usage();
    const bytes = tree.members().map((pid) => processMemoryBytes(pid));
    return { processBytes: bytes.reduce((sum, each) => sum + each, 0), oomKills: 0 };
  }

  exceedsMemory(): boolean {
    return !this.#hasExited && this.measure().processBytes > this.limitBytes;
  }

  isAlone(idleThreads: ReadonlySet<string>): boolean {
    if (this.#hasExited) return true;
    // As many as when it was last seen alone: what it has started since would be more.
    const tasks = this.#parts.group?.tasks();
    if (tasks !== undefined && tasks === this.#tasksWhenAlone) return true;
    const isAlone = this.#looksAlone(idleThreads);
    this.#tasksWhenAlone = isAlone ? tasks : undefined;
    return isAlone;
  }

  #looksAlone(idleThreads: ReadonlySet<string>): boolean {
    const [program, ...others] = this.#parts.tree.programs();
    if (program === undefined || others.length > 0) return others.length === 0;
    return threadNamesOf(program).every((name) => idleThreads.has(name));
  }

  residentKib(): number {
    return this.#parts.tree.members().reduce((sum, pid) => sum + peakKibOf(pid), 0);
  }

  async isPeer(connection: Connection): Promise<boolean> {
    const { uid, tree, peers } = this.#parts;
    const peer = await peers.of(connection);
    if (peer === undefined) return false;
    return uid === undefined ? holdsSocket(tree.members(), peer.inode) : peer.uid === uid;
  }

  measured(processBytes: number): void {
    this.#peakBytes = Math.max(this.#peakBytes, processBytes);
  }

  exceeded(): void {
    this.#exceededMemory = true;
    this.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): SandboxExit {
    this.#hasExited = true;
    clearTimeout(this.#hardKill);
    this.#parts.poll.remove(this);
    const { group, signalsAsCodes } = this.#parts;
    if (this.#exceededMemory || (group?.oomKills() ?? 0) > 0) {
      this.measured(Math.max(this.#peakBytes, this.limitBytes));
      return { kind: 'outOfMemory' };
    }
    return exitOf(code, signal, signalsAsCodes);
  }

  async #dispose(): Promise<void> {
    this.kill();
    const { group, launched, tree, release, quarantine } = this.#parts;
    const isGone = await this.#killedCompletely();
    clearTimeout(this.#hardKill);
    launched.close();
    if (!isGone) {
      const left = tree.members().join(', ');
      return quarantine(new Error(`processes of ${this.id} survive SIGKILL: ${left}`));
    }
    try {
      await group?.remove();
      await release();
    } catch (cause) {
      quarantine(new Error(`what is left of ${this.id} cannot be removed`, { cause }));
    }
  }

  /** Descendants may outlive the main process, so this goes on after `exit`. */
  async #killedCompletely(): Promise<boolean> {
    const { group, tree } = this.#parts;
    const start = performance.now();
    let nextBlow = this.#hasExited ? 0 : hardKillAfterMs;
    for (;;) {
      if (tree.isGone()) return true;
      const passed = performance.now() - start;
      if (passed > giveUpAfterMs) return false;
      if (passed >= nextBlow) {
        if (passed > lookOftenMs) group?.thaw();
        tree.killHard();
        nextBlow = passed + repeatEveryMs;
      }
      await (passed < 1 ? nextTurn() : sleep(passed < lookOftenMs ? 1 : 10));
    }
  }
}
