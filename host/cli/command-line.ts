// What the words behind `lambkin` ask for. Settings of a command are its own affair: see config.ts for those of start.
import { nearest } from '../suggestion.ts';

export type Command =
  | { readonly kind: 'start'; readonly args: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'version'; readonly json: boolean }
  /** Not understood; `problem` says why and what to try. */
  | { readonly kind: 'refused'; readonly problem: string };

const HELP_WORDS: ReadonlySet<string> = new Set(['--help', '-h', 'help']);

/** @param args as the process got them, without the program */
export function readCommand(args: readonly string[]): Command {
  const [word, ...rest] = args;
  if (word === undefined) return refused('a command is missing');
  if (word === 'start') return { kind: 'start', args: rest };
  if (HELP_WORDS.has(word)) return { kind: 'help' };
  if (word === '--version') return readVersion(rest);
  if (!word.startsWith('-'))
    return refused(`there is no command '${word}'${nearest(word, ['start', 'help'])}`);
  const name = word.replace(/=.*/s, '');
  const near = nearest(name, ['--version', '--help']);
  if (near !== '') return refused(`there is no flag ${name}${near}`);
  return refused(`the flag ${name} stands before a command; flags of the host follow 'start'`);
}

function readVersion(rest: readonly string[]): Command {
  const [more] = rest.filter((word) => word !== '--json');
  if (more !== undefined) return refused(`--version takes --json and nothing else, not '${more}'`);
  return { kind: 'version', json: rest.length > 0 };
}

function refused(problem: string): Command {
  return {
    kind: 'refused',
    problem: `lambkin: ${problem}${problem.endsWith('?') ? '' : '.'}\nUsage: lambkin start [FLAG VALUE ...], or lambkin --help for all flags.`,
  };
}
