// One spawn: descriptors in their places, nothing of the host's environment, listeners that keep a dying slot from hurting us.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { childPidIn } from './bwrap.ts';
import type { LateProgram } from './sandbox.ts';

/** What to spawn. `bwrap` adds the three descriptors it reads from and reports on. */
export interface LaunchPlan {
  readonly command: readonly string[];
  readonly bwrap?:
    | { readonly arguments: string; readonly filter: FilterFile | undefined }
    | undefined;
  /** See `Sandbox.lateProgram`. */
  readonly lateProgram?: LateProgram | undefined;
}

/** A running launch. */
export interface Launched {
  readonly child: ChildProcess;
  readonly control: Socket;
  readonly output: Readable;
  /** The sandbox's pid 1 as seen from here, once bwrap has told it. */
  readonly innerPid: () => number | undefined;
  /** Gives the host's ends of all descriptors back. */
  close(): void;
}

/** bwrap says two short lines; what a broken one sends beyond that is not kept. */
const maxStatusBytes = 4096;

/**
 * Spawns from the calling thread, which must be the main one: die-with-parent follows the thread. A session of its own keeps
 * a Ctrl-C in the host's terminal from ending sandboxes before they are drained. Throws when the machine cannot fork.
 */
export function launch(plan: LaunchPlan): Launched {
  const [program, ...rest] = plan.command;
  if (program === undefined) throw new Error('nothing to launch');
  const filter = plan.bwrap?.filter?.open();
  try {
    const child = spawn(program, rest, {
      env: {},
      cwd: '/',
      detached: true,
      // 2 is dropped: the entering shell makes it the same as 1.
      stdio:
        plan.bwrap === undefined
          ? ['ignore', 'pipe', 'ignore', 'pipe']
          : ['ignore', 'pipe', 'ignore', 'pipe', filter ?? 'ignore', 'pipe', 'pipe'],
    });
    child.on('error', ignore); // a failed spawn has no pid, which is looked at below; a failed kill is repeated
    if (child.pid === undefined) throw new Error(`the machine refused to start ${program}`);
    return launched(child, plan.bwrap?.arguments);
  } finally {
    if (filter !== undefined) closeSync(filter);
  }
}

function launched(child: ChildProcess, bwrapArguments: string | undefined): Launched {
  const output = child.stdio[1];
  const control = child.stdio[3];
  if (!(output instanceof Readable && control instanceof Socket)) {
    throw new Error('a spawned process has no output or control stream');
  }
  // A slot that dies with unread frames resets the connection; until the taker listens, nobody must fall over that.
  control.on('error', ignore);
  output.on('error', ignore);
  const readStatus = bwrapArguments === undefined ? () => '' : feedBwrap(child, bwrapArguments);
  let inner: number | undefined;
  return {
    child,
    control,
    output,
    innerPid: () => (inner ??= childPidIn(readStatus())),
    close() {
      for (const stream of child.stdio) stream?.destroy();
    },
  };
}

/** Hands bwrap its arguments and returns what it has reported so far. */
function feedBwrap(child: ChildProcess, bwrapArguments: string): () => string {
  const stdio: readonly unknown[] = child.stdio; // the type knows of five only
  const [, , , , , argumentPipe, statusPipe] = stdio;
  if (!(argumentPipe instanceof Socket && statusPipe instanceof Socket)) {
    throw new Error('a spawned bwrap lacks its descriptors');
  }
  // An early end of bwrap is told by its exit; the broken pipes that come with it add nothing.
  argumentPipe.on('error', ignore).end(bwrapArguments);
  argumentPipe.once('finish', () => argumentPipe.destroy());
  statusPipe.on('error', ignore);
  let text = '';
  statusPipe.setEncoding('utf8').on('data', (part: string) => {
    if (text.length < maxStatusBytes) text += part;
  });
  return () => text;
}

function ignore(): void {
  // see the call sites
}

/** The system call filter as a file without a name, opened anew for each slot since bwrap reads it from its start. */
export class FilterFile implements Disposable {
  readonly #descriptor: number;

  constructor(filter: Uint8Array) {
    const directory = mkdtempSync(path.join(tmpdir(), 'lambkin-filter-'));
    try {
      const file = path.join(directory, 'filter');
      writeFileSync(file, filter, { mode: 0o600 });
      this.#descriptor = openSync(file, 'r');
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /** A new description at offset 0; whoever calls closes it. */
  open(): number {
    return openSync(`/proc/self/fd/${this.#descriptor}`, 'r');
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
