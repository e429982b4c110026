// A slot: a sandbox whose program waits to be told which function it is. Generic until specialised. What its program speaks is
// the business of whoever implements it: our own bootstraps speak frames, foreign runtimes the HTTP Runtime API.

import { lastBytes } from '../environment/reading.ts';
import type { Invocation } from '../invocation.ts';
import type { Specialise } from '../protocol.ts';
import type { Sandbox, SandboxExit, SlotShape } from '../sandbox/sandbox.ts';
import type { Message } from './messages.ts';

/** A slot that has given no sign by now is broken. Boot takes some 60 ms, far more on a machine that thrashes. */
const BOOT_LIMIT_MS = 20_000;

/** What is kept of the output of a slot that is nobody's yet. */
const EARLY_CHARACTERS = 4096;

/** The slot ended before it came up; the message has what it printed, for the host's log. */
export class SlotBootError extends Error {
  override readonly name = 'SlotBootError';
}

export interface SlotEvents {
  onMessage: (message: Message) => void;
  /** Bytes on descriptors 1 and 2. */
  onOutput: (chunk: Buffer) => void;
}

/** One event on its way into a slot. */
export interface SlotEvent {
  /** Of an event that is sent behind a running one, so that it can be withdrawn; 0 for any other. */
  readonly number: number;
  readonly invocation: Invocation;
  readonly remainingMs: number;
}

/** Why an environment ends, in the words of the Extensions API: it is not needed, ran out of time, or has failed. */
export type EndReason = 'SPINDOWN' | 'TIMEOUT' | 'FAILURE';

/** Owns its sandbox. Messages and output go to whoever called {@link listen} last. */
export interface Slot extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly shape: SlotShape;
  /** Resolves when the slot is up; rejects with {@link SlotBootError}. */
  readonly booted: Promise<void>;
  /** Resident memory of the program when it came up, in KiB; 0 before, or when it does not say. */
  readonly bootKib: number;
  /** Where its program reaches its Runtime API, `host:port`; undefined where it has none. Rejects when it cannot be had. */
  readonly runtimeApi: Promise<string | undefined>;
  /** Known once the process has ended: it had not read the last event that was handed over, or not all of it. */
  readonly isLastEventUnread: boolean;
  /** Extensions run beside its program. */
  readonly hasExtensions: boolean;
  /** Its program takes events before it is done with the running one. */
  readonly takesAhead: boolean;
  listen(events: SlotEvents): void;
  /** To be called once, when the code is in place. */
  specialise(message: Specialise, accountId: string): void;
  invoke(event: SlotEvent): void;
  /** Once, after an init of type `snap-start`: what the function has to do ahead of its first event is answered like an init. */
  restore(): void;
  /** Events up to this number that have not begun are not begun any more. Throws what the file system says. */
  withdraw(upTo: number): void;
  /**
   * Ends all processes: at once, or after those that may know of it have had their time. Resolves then, whether they are gone or
   * not; never rejects. Once: later calls wait for the first.
   */
  end(reason: EndReason): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The start of a slot: whether it comes up, and what it says until it is somebody's. */
export class SlotBoot {
  readonly booted: Promise<void>;
  readonly #up = Promise.withResolvers<void>();
  #output = '';

  constructor(sandbox: Pick<Sandbox, 'exit' | 'control' | 'output'>) {
    this.booted = this.#up.promise;
    const limit = setTimeout(
      () => this.#up.reject(new SlotBootError(`no sign of life for ${BOOT_LIMIT_MS} ms`)),
      BOOT_LIMIT_MS,
    );
    void this.#end(sandbox);
    this.booted.then(
      () => clearTimeout(limit),
      () => clearTimeout(limit),
    );
  }

  addOutput(chunk: Buffer): void {
    this.#output = (this.#output + chunk.toString()).slice(-EARLY_CHARACTERS);
  }

  isUp(): void {
    this.#up.resolve();
  }

  /** One that has come up, become a function and ended may not have been heard yet when its end is known. */
  async #end(sandbox: Pick<Sandbox, 'exit' | 'control' | 'output'>): Promise<void> {
    const exit = await sandbox.exit;
    await lastBytes(sandbox);
    this.#up.reject(new SlotBootError(this.#text(exit)));
  }

  #text(exit: SandboxExit): string {
    return `the slot ended while booting (${JSON.stringify(exit)}): ${this.#output.trim()}`;
  }
}
