// What the waiting shell of a slot is told (bootstrap/provided/wait.sh): where to go and which program to become.

/** The lines for it. No argument may hold a NUL, which no argument of a program can. */
export function commandLines(directory: string, command: readonly string[]): string {
  const lines = command.map((argument) => `=${argument.replaceAll('\n', '\n+')}\n`);
  return `${directory}\n${lines.join('')}.\n`;
}

/** `program` with exactly these variables, whatever the shell before it has set for itself. */
export function withVariables(
  variables: Readonly<Record<string, string>>,
  program: readonly string[],
): readonly string[] {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return ['/usr/bin/env', '-i', ...assignments, ...program];
}
