// What a sandbox is, whatever mechanism stands behind it. One process tree, one owner, gone without a trace when disposed.
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { SandboxPaths } from '../protocol.ts';
import type { Connection } from './peer.ts';

/** All that is fixed when a slot is spawned; slots with equal shapes are interchangeable until specialised. */
export interface SlotShape {
  /** The runtime identifier, `nodejs24.x`. */
  readonly runtime: string;
  /** MemorySize in MiB. */
  readonly memoryMib: number;
  /** EphemeralStorage.Size in MiB. */
  readonly ephemeralStorageMib: number;
  /** Its program starts when its function is known, with that function's variables; until then a shell waits in its place. */
  readonly startsLate?: boolean | undefined;
}

/** The program a slot runs, told twice because the tiers without a mount view need real paths. */
export interface SlotProgram {
  /** Host path of the directory that is `/var/runtime` inside. */
  readonly runtimeDir: string;
  /** Host path of the interpreter; undefined for a program that has none. Without `languageDir` it is `/var/lang/bin/node` inside. */
  readonly interpreter: string | undefined;
  /** Host path of the directory that is `/var/lang` inside: the interpreter's whole installation, for those that need more than themselves. */
  readonly languageDir?: string | undefined;
  /** Arguments of the interpreter, or, without one, the whole command; given where its files are. */
  arguments(paths: SandboxPaths): readonly string[];
  /** The script of the shell that waits; undefined for a program that starts with its slot. */
  readonly waitScript?: string | undefined;
}

/** A program that does not run yet, with paths as they are inside. */
export interface LateProgram {
  readonly command: readonly string[];
  /** A directory that its LD_LIBRARY_PATH must name; undefined when it needs none. */
  readonly librariesDir: string | undefined;
}

/** How the tree ended. `outOfMemory` is decided by the kernel's counter or our poll, never by the exit code alone. */
export type SandboxExit =
  | { readonly kind: 'exited'; readonly code: number }
  /** `signal` as Go prints it: `killed`, `segmentation fault`, `aborted`, `terminated`, … */
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'outOfMemory' };

/** One sandboxed process tree. Created by {@link Sandboxes.spawn}; whoever took it from there disposes of it. */
export interface Sandbox extends AsyncDisposable {
  /** Opaque and unique within this host. */
  readonly id: string;
  readonly paths: SandboxPaths;
  /** Host path that becomes {@link SandboxPaths.taskRoot}: rename(2) the code here before specialising. */
  readonly taskDir: string;
  /** Host path of what is {@link SandboxPaths.optDir}, an empty directory: rename(2) what layers hold into it before that. */
  readonly optDir: string;
  /** Host path of {@link SandboxPaths.withdrawnFile}, which is there from the spawn on. */
  readonly withdrawnFile: string;
  /** Descriptor 3, frames of `runtime/protocol.ts`. Its `error` events are the taker's to listen to. */
  readonly control: Socket;
  /** Descriptors 1 and 2 in one stream, in order. */
  readonly output: Readable;
  /** What the shell that waits is to become; undefined when the program runs already. */
  readonly lateProgram: LateProgram | undefined;
  /** Resolves once the main process has ended; never rejects. */
  readonly exit: Promise<SandboxExit>;
  /** While true, a poll holds MemorySize on the tree's process memory (where no kernel limit does so exactly). */
  watchMemory(active: boolean): void;
  /** Whether the tree's process memory is over MemorySize at this moment. Reads a file: not for every invocation. */
  exceedsMemory(): boolean;
  /** High-water marks of all its processes that run now, added up, in KiB. Reads a file per process. */
  residentKib(): number;
  /** Whether the other end of a loopback connection is a socket of this sandbox. */
  isPeer(connection: Connection): Promise<boolean>;
  /** High-water mark in KiB that the sandbox itself knows of (poll or kernel), 0 when it knows none. */
  readonly peakKib: number;
  /**
   * Whether nothing but the slot's program is there, with no threads beside its main one than those of these names. Reads a
   * file, or some twenty after a change: not for every invocation.
   */
  isAlone(idleThreads: ReadonlySet<string>): boolean;
  /** Stops the whole tree until {@link thaw}; a busy peer sees it as slow. For environments that do not block in a read. */
  freeze(): void;
  thaw(): void;
  /** SIGTERM to the main process; where it is the shell that waits, the program under it gets it. */
  terminate(): void;
  /** SIGKILL of the whole tree, now. Does not wait; `exit` tells. Harmless when already gone. */
  kill(): void;
  /** Kills, waits until every process is gone, then removes cgroup and slot directory. Twice is harmless. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type IsolationTier = 'full' | 'partial' | 'partial-uid' | 'none';

/** One line of the isolation report: what was wanted, what a probe on this machine really got. */
export interface IsolationFeature {
  readonly feature:
    | 'fs'
    | 'pidns'
    | 'userIdentity'
    | 'memory'
    | 'pids'
    | 'cpu'
    | 'tmpQuota'
    | 'seccomp'
    | 'network'
    | 'kill';
  readonly wanted: string;
  readonly got: string;
  readonly method: string;
  readonly probeMs: number;
  /** Empty when `got` is what was wanted; otherwise why not and what would mend it. */
  readonly reason: string;
}

export interface IsolationReport {
  readonly tier: IsolationTier;
  readonly features: readonly IsolationFeature[];
}

/** The factory of one host's sandboxes; owns the cgroup root and the slots directory, sweeps what a dead host left there. */
export interface Sandboxes extends AsyncDisposable {
  readonly report: IsolationReport;
  /** Slots whose processes or directories would not go; their numbers and users are never used again. */
  readonly quarantined: number;
  /**
   * Spawns at once and does not wait: readiness is the `U` frame, failure is `exit`. Throws, leaving nothing behind, when
   * the machine refuses a process, a directory or a control group. Call it from the main thread only.
   */
  spawn(shape: SlotShape, program: SlotProgram): Sandbox;
}

export interface SandboxConfig {
  /** Directory for slots, on the file system of the code store; created 0711. */
  readonly slotsDir: string;
  readonly mode: 'auto' | 'require-full' | 'require-partial' | 'off';
  /** `limits.pids`. */
  readonly maxProcesses: number;
  /** Names the cgroup of this host; the data directory's own id, so that two hosts do not meet. */
  readonly hostId: string;
  /** Where the probe's findings are kept between starts; default: the directory that holds `slotsDir`. */
  readonly cacheDir?: string | undefined;
  /** For those who want less than the machine could do; default `auto`. */
  readonly backend?: 'auto' | 'bwrap' | 'uid' | 'process' | undefined;
  /** `auto`, `none`, or the one cgroup (v2) directory that is ours; default `auto`. */
  readonly cgroupRoot?: string | undefined;
  /** Default `/usr/bin/bwrap`. */
  readonly bwrapPath?: string | undefined;
}
