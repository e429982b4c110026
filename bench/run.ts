// npm run bench: runs one scenario and prints its figures, or lists the scenarios.
//   npm run bench -- warm-invoke --rounds 9        npm run bench -- micro/store --json
import { globSync } from 'node:fs';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine, loadAverage, type Machine } from './support/machine.ts';
import type { Figures, Flag, Scenario } from './support/scenario.ts';
import { ROOT } from './support/server.ts';
import { tableText } from './support/table.ts';

const COMMON_FLAGS: Readonly<Record<string, Flag>> = {
  json: { type: 'boolean', about: 'figures as JSON' },
  rounds: { type: 'string', about: 'how often everything is measured' },
};
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_SIGNAL = 128;

interface Result {
  readonly scenario: string;
  readonly machine: Machine;
  /** Runnable processes over the last minute, before and after. */
  readonly load: { readonly before: number; readonly after: number };
  readonly tookSeconds: number;
  readonly figures: Figures;
}

const [wanted, ...args] = process.argv.slice(2);
if (wanted === undefined || wanted.startsWith('-')) await list();
else await main(wanted, args);

async function list(): Promise<void> {
  const lines = ['npm run bench -- SCENARIO [--json] [--rounds N] [...]', ''];
  for (const file of scenarioFiles()) {
    const { name, about, flags = {} } = await load(file);
    lines.push(`${name.padEnd(18)}${about}`);
    for (const [flag, { type, about: meaning }] of Object.entries(flags))
      lines.push(`    --${type === 'string' ? `${flag} VALUE` : flag}`.padEnd(26) + meaning);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function main(name: string, args: readonly string[]): Promise<void> {
  const file = scenarioFiles().find((each) => nameOf(each) === name);
  if (file === undefined) {
    process.stderr.write(`There is no scenario '${name}'. There are:\n`);
    for (const each of scenarioFiles()) process.stderr.write(`  ${nameOf(each)}\n`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const scenario = await load(file);
  const given = parse(scenario, args);
  if (given === undefined) return;
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    // A second signal ends at once, whatever is left.
    if (controller.signal.aborted) process.exit(EXIT_FAILED);
    process.exitCode = EXIT_SIGNAL + constants.signals[signal];
    controller.abort(new Error(`stopped by ${signal}`));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const result = await measure(scenario, given, controller.signal);
    process.stdout.write(given.json ? `${JSON.stringify(result)}\n` : textOf(result));
  } catch (error) {
    if (controller.signal.aborted) progress(controller.signal.reason.message);
    else {
      progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
      process.exitCode = EXIT_FAILED;
    }
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

interface Given {
  readonly json: boolean;
  readonly rounds: number | undefined;
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

/** Undefined after telling what is wrong. */
function parse(scenario: Scenario, args: readonly string[]): Given | undefined {
  try {
    const options = { ...COMMON_FLAGS, ...scenario.flags };
    const { json, rounds, ...flags } = parseArgs({ args: [...args], options }).values;
    const count = rounds === undefined ? undefined : Number(rounds);
    if (count !== undefined && !(Number.isInteger(count) && count >= 1))
      throw new TypeError(`--rounds takes a whole number of at least 1, not ${rounds}`);
    // as: no flag here may be given several times
    return { json: json === true, rounds: count, flags: flags as Given['flags'] };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_USAGE;
    return undefined;
  }
}

async function measure(
  scenario: Scenario,
  { rounds, flags }: Given,
  signal: AbortSignal,
): Promise<Result> {
  const machine = await describeMachine(ROOT);
  const before = loadAverage();
  const beganAt = performance.now();
  progress(`${scenario.name}: load average ${before}`);
  const figures = await scenario.run({ rounds, flags, signal, random: Math.random, progress });
  signal.throwIfAborted();
  return {
    scenario: scenario.name,
    machine,
    load: { before, after: loadAverage() },
    tookSeconds: Math.round((performance.now() - beganAt) / 1000),
    figures,
  };
}

function textOf({ scenario, machine, load, tookSeconds, figures }: Result): string {
  const { revision, node, cpu, cores, memoryMib, kernel, date } = machine;
  return [
    `${scenario} at ${revision}, ${date}`,
    `Node ${node}, Linux ${kernel}, ${cores} cores of ${cpu}, ${memoryMib} MiB; load average ${load.before} before, ${load.after} after ${tookSeconds} s`,
    '',
    ...figures.tables.map((table) => `${tableText(table)}\n`),
    ...figures.notes,
    '',
  ].join('\n');
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

function scenarioFiles(): string[] {
  const files = globSync(['*.ts', 'micro/*.ts'], { cwd: import.meta.dirname });
  return files.filter((file) => file !== 'run.ts').toSorted();
}

function nameOf(file: string): string {
  return file.replace(/\.ts$/, '');
}

async function load(file: string): Promise<Scenario> {
  const module: Partial<Scenario> = await import(new URL(file, import.meta.url).href);
  const { name, about, flags, run } = module;
  if (name !== nameOf(file) || about === undefined || run === undefined)
    throw new Error(`bench/${file} does not export name ('${nameOf(file)}'), about and run`);
  return { name, about, run, ...(flags === undefined ? {} : { flags }) };
}
