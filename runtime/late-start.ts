// What the waiting shell of a slot is told (bootstrap/provided/wait.sh): where to go and which program to become.
import type { LateProgram } from './sandbox/sandbox.ts';
import { EXEC_WRAPPER } from './start-variables.ts';

/**
 * The lines for it. No argument may hold a NUL, which no argument of a program can.
 * @param keepsControl the program is to have descriptor 3, too
 */
export function commandLines(
  directory: string,
  command: readonly string[],
  keepsControl = false,
): string {
  const lines = command.map((argument) => `=${argument.replaceAll('\n', '\n+')}\n`);
  return `${directory}\n${lines.join('')}${keepsControl ? '!' : '.'}\n`;
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
