// Turns a shape and a program into a running sandbox: number, directory, group, launch; and undoes it all if one fails.

import { setPriority } from 'node:os';
import { hasErrorCode } from '../error-code.ts';
import type { SandboxPaths } from '../protocol.ts';
import type { Backend, ReachableProgram, SlotPlace } from './backend.ts';
import type { HostGroup, SlotGroup } from './cgroup.ts';
import { type Launched, launch } from './launch.ts';
import type { MemoryPoll } from './memory-poll.ts';
import { PeerSockets } from './peer.ts';
import { ProcessSandbox } from './process-sandbox.ts';
import type { SlotShape } from './sandbox.ts';
import type { SlotDirs } from './slot-dirs.ts';

const niceness = 5;

export interface FactoryParts {
  readonly backend: Backend;
  readonly group: HostGroup | undefined;
  readonly dirs: SlotDirs;
  readonly poll: MemoryPoll;
  readonly maxProcesses: number;
  /** The slots directory by a path that slots' users can walk. */
  readonly shownSlotsDir: string;
  uidOf(index: number): number | undefined;
}

/** What is to run, once it is known where things are for it. */
export type ProgramFor = (place: SlotPlace) => ReachableProgram;

/** A slot that would not go, and why. */
export interface Quarantined {
  readonly id: string;
  readonly cause: Error;
}

export class SlotFactory implements AsyncDisposable {
  readonly #parts: FactoryParts;
  readonly #alive = new Set<ProcessSandbox>();
  readonly #quarantined: Quarantined[] = [];
  readonly #peers = new PeerSockets();
  #spawned = 0;
  #isDisposed = false;

  constructor(parts: FactoryParts) {
    this.#parts = parts;
  }

  get quarantined(): readonly Quarantined[] {
    return this.#quarantined;
  }

  /** Spawns now; throws, leaving nothing behind, when directory, group or process cannot be made. */
  start(shape: SlotShape, programFor: ProgramFor): ProcessSandbox {
    if (this.#isDisposed) throw new Error('the sandboxes of this host have been closed');
    const { dirs, group, shownSlotsDir } = this.#parts;
    const index = dirs.take();
    let slotGroup: SlotGroup | undefined;
    try {
      slotGroup = group?.create(`${index}`, this.#limits(shape));
      const dir = `${shownSlotsDir}/${index}`;
      const place = { dir, uid: this.#parts.uidOf(index), group: slotGroup };
      return this.#launch(index, place, shape, programFor(place));
    } catch (error) {
      void this.#takeBack(index, slotGroup);
      throw error;
    }
  }

  /** Where things are for the processes of that slot. */
  pathsOf(place: SlotPlace, runtimeDir: string): SandboxPaths {
    return this.#parts.backend.paths(place, runtimeDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await Promise.all([...this.#alive].map((sandbox) => sandbox[Symbol.asyncDispose]()));
  }

  #limits(shape: SlotShape) {
    return {
      hardMemoryMib: shape.memoryMib + shape.ephemeralStorageMib,
      memoryMib: shape.memoryMib,
      maxProcesses: this.#parts.maxProcesses,
    };
  }

  #launch(
    index: number,
    place: SlotPlace,
    shape: SlotShape,
    program: ReachableProgram,
  ): ProcessSandbox {
    const { backend, dirs, poll } = this.#parts;
    const plan = backend.plan(place, shape, program);
    const launched = launch(plan);
    if (this.#parts.group?.hasCpu !== true) yieldToHost(launched);
    const id = `${index}.${++this.#spawned}`;
    const sandbox: ProcessSandbox = new ProcessSandbox({
      id,
      paths: backend.paths(place, program.runtimeDir),
      taskDir: `${dirs.pathOf(index)}/var/task`,
      optDir: `${dirs.pathOf(index)}/opt`,
      withdrawnFile: dirs.withdrawnFileOf(index),
      lateProgram: plan.lateProgram,
      launched,
      tree: backend.tree(launched, place),
      group: place.group,
      uid: place.uid,
      limitBytes: shape.memoryMib * 1_048_576,
      signalsAsCodes: backend.signalsAsCodes,
      poll,
      peers: this.#peers,
      release: async () => {
        await dirs.release(index);
        this.#alive.delete(sandbox);
      },
      quarantine: (cause) => {
        this.#quarantined.push({ id, cause });
        this.#alive.delete(sandbox);
      },
    });
    this.#alive.add(sandbox);
    return sandbox;
  }

  /** After a start that failed: no process was made. What cannot be removed keeps its number for good. */
  async #takeBack(index: number, group: SlotGroup | undefined): Promise<void> {
    try {
      await group?.remove();
      await this.#parts.dirs.release(index);
    } catch (cause) {
      const error = new Error('what is left of a failed start cannot be removed', { cause });
      this.#quarantined.push({ id: `${index}`, cause: error });
    }
  }
}

/** Where no group weighs CPU time, functions at least stand behind the host. Inherited by all that the process starts. */
function yieldToHost({ child }: Launched): void {
  if (child.pid === undefined) return;
  try {
    setPriority(child.pid, niceness);
  } catch (error) {
    // It has ended already, which `exit` tells.
    if (!hasErrorCode(error, 'ERR_SYSTEM_ERROR')) throw error;
  }
}
