// How a process ended, in the words of the service (which are Go's): from Node's code and signal, and from bwrap's 128+n.
import { constants } from 'node:os';
import type { SandboxExit } from './sandbox.ts';

/** Signal texts as Go's syscall package prints them on Linux; the service's runtimes report exits through it. */
const signalTexts = new Map([
  [1, 'hangup'],
  [2, 'interrupt'],
  [3, 'quit'],
  [4, 'illegal instruction'],
  [5, 'trace/breakpoint trap'],
  [6, 'aborted'],
  [7, 'bus error'],
  [8, 'floating point exception'],
  [9, 'killed'],
  [10, 'user defined signal 1'],
  [11, 'segmentation fault'],
  [12, 'user defined signal 2'],
  [13, 'broken pipe'],
  [14, 'alarm clock'],
  [15, 'terminated'],
]);

/** Signals beyond Go's table that end a process by default: stack fault, CPU and file size limits, bad system call, … */
const otherDeadlySignals = new Set([16, 24, 25, 26, 27, 29, 30, 31]);

/** `signal` by number, as Go prints it. */
export function signalText(signal: number): string {
  return signalTexts.get(signal) ?? `signal ${signal}`;
}

/**
 * The end of a directly spawned process. With `shellCodes` (bwrap, which reports a signal death of the main process as
 * exit code 128+n) such codes are read as signals; `process.exit(137)` cannot be told from a kill there.
 */
export function exitOf(
  code: number | null,
  signal: NodeJS.Signals | null,
  shellCodes: boolean,
): SandboxExit {
  if (signal !== null) return { kind: 'signalled', signal: signalText(constants.signals[signal]) };
  assertCode(code);
  const number = code - 128;
  if (shellCodes && (signalTexts.has(number) || otherDeadlySignals.has(number))) {
    return { kind: 'signalled', signal: signalText(number) };
  }
  return { kind: 'exited', code };
}

/**
 * Whether an end is V8 giving up on its heap: SIGABRT after its message in the last output. To the caller of a function
 * that is running out of memory, though no limit of the machine was touched.
 */
export function isHeapExhaustion(exit: SandboxExit, lastOutput: string): boolean {
  return (
    exit.kind === 'signalled' &&
    (exit.signal === 'aborted' || exit.signal === 'trace/breakpoint trap') &&
    /JavaScript heap out of memory|Allocation failed|allocation failure/i.test(lastOutput)
  );
}

function assertCode(code: number | null): asserts code is number {
  if (code === null) throw new Error('a process ended with neither a code nor a signal');
}
