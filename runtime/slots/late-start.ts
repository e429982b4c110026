// What the waiting shell of a slot is told (bootstrap/provided/wait.sh): which programs to run, and which one to become.
import type { Socket } from 'node:net';
import type { LateProgram } from '../sandbox/sandbox.ts';
import type { FrameDecoder } from './frames.ts';
import { EXEC_WRAPPER } from './start-variables.ts';

/** How a program runs: in the place of the shell, beside it, or under it; and whether it gets the control socket, too. */
const SIGNS = {
  instead: '.',
  insteadWithControl: '!',
  beside: '&',
  under: '~',
  underWithControl: '%',
} as const satisfies Record<string, string>;

export type HowToRun = keyof typeof SIGNS;

/** Ends the shell as the program ended that ran under it. */
export const END_LINE = 'end\n';

export interface ToRun {
  /** Absolute. */
  readonly directory: string;
  /** No argument may hold a NUL, which no argument of a program can. */
  readonly command: readonly string[];
  readonly how: HowToRun;
  /** What its end is told by, where it does not replace the shell. */
  readonly label?: string | undefined;
}

/** The shell's sign that it waits is one byte; what follows are frames, of the shell or of the program that it becomes. */
export function readBehindSign(
  control: Pick<Socket, 'on' | 'once'>,
  onSign: () => void,
  frames: FrameDecoder,
): void {
  control.once('data', (chunk: Buffer) => {
    onSign();
    // Some may have come with it, where the lines were there before the shell.
    if (chunk.length > 1) frames.push(chunk.subarray(1));
    control.on('data', (more: Buffer) => frames.push(more));
  });
}

/** The lines for one program. */
export function linesFor({ directory, command, how, label = '' }: ToRun): string {
  const lines = command.map((argument) => `=${argument.replaceAll('\n', '\n+')}\n`);
  return `#${label}\n${directory}\n${lines.join('')}${SIGNS[how]}\n`;
}

/** A program that the shell has run has ended; the body of a frame that begins with C. Undefined when it cannot be read. */
export function endIn(
  body: Buffer,
): { readonly label: string; readonly status: number } | undefined {
  const [, label, status] = /^(.*) (\d{1,3})$/s.exec(body.toString()) ?? [];
  return label === undefined ? undefined : { label, status: Number(status) };
}

/** A managed runtime with the function's variables, through the wrapper that these may name. */
export function lateCommand(
  { command, librariesDir }: LateProgram,
  variables: Readonly<Record<string, string>>,
): readonly string[] {
  const wrapper = variables[EXEC_WRAPPER] ?? '';
  const searched = withDirectory(variables['LD_LIBRARY_PATH'], librariesDir);
  return withVariables(
    { ...variables, ...searched },
    wrapper === '' ? command : [wrapper, ...command],
  );
}

function withDirectory(
  searchPath: string | undefined,
  directory: string | undefined,
): Readonly<Record<string, string>> {
  if (directory === undefined) return {};
  return { LD_LIBRARY_PATH: searchPath === undefined ? directory : `${searchPath}:${directory}` };
}

/** `program` with exactly these variables, whatever the shell before it has set for itself. */
export function withVariables(
  variables: Readonly<Record<string, string>>,
  program: readonly string[],
): readonly string[] {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return ['/usr/bin/env', '-i', ...assignments, ...program];
}
