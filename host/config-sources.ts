// Where values of settings come from: flags, variables, a file. Says which name is unknown and which known one is near.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { directoryOf } from './config-values.ts';
import { nearest } from './suggestion.ts';

/** The names under which one setting is known. */
export interface SettingNames {
  /** `pool.idleMs`, as in a configuration file. */
  readonly name: string;
  readonly variable: string;
  /** Without dashes; undefined where there is none. */
  readonly flag: string | undefined;
}

export interface GivenValue {
  readonly raw: unknown;
  /** How the operator knows it: `--listen`, `LAMBKIN_LISTEN`, `pool.idleMs in lambkin.json`. */
  readonly label: string;
  readonly baseDir: string;
}

export interface SourceOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly readFile: (path: string) => string;
}

type Values = Map<string, GivenValue>;

const PREFIX = 'LAMBKIN_';
// Tests have variables of their own, and start hosts.
const IGNORED_PREFIX = 'LAMBKIN_TEST_';

/** The value of each setting that is given at all, by its dotted name: flag over variable over file. */
export function collectValues(
  settings: readonly SettingNames[],
  options: SourceOptions,
  problems: string[],
): ReadonlyMap<string, GivenValue> {
  const { values: flags, configFile } = fromFlags(settings, options, problems);
  const variables = fromVariables(settings, options, problems);
  const file: Values =
    configFile === undefined ? new Map() : fromFile(settings, configFile, options, problems);
  return new Map([...file, ...variables, ...flags]);
}

function fromFlags(
  settings: readonly SettingNames[],
  { args, cwd }: SourceOptions,
  problems: string[],
): { readonly values: Values; readonly configFile: string | undefined } {
  const byFlag = new Map(settings.map((setting) => [setting.flag, setting]));
  const known = settings.flatMap(({ flag }) => (flag === undefined ? [] : [flag]));
  const options = Object.fromEntries(
    [...known, 'config'].map((flag) => [flag, { type: 'string' as const }]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: 'boolean' } },
    strict: false,
    tokens: true,
  });
  const values: Values = new Map();
  const seen = new Set<string>();
  let configFile: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`unexpected argument ${quote(token.value)}`);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const setting = byFlag.get(name);
    if (name === 'help') continue;
    if (setting === undefined && name !== 'config')
      problems.push(`unknown flag ${rawName}${nearest(rawName, flagNames(known))}`);
    else if (seen.has(name)) problems.push(`${rawName} is given twice`);
    else if (value === undefined || (!inlineValue && value.startsWith('--')))
      problems.push(`${rawName} needs a value`);
    else if (setting === undefined) configFile = resolve(cwd, value);
    else values.set(setting.name, { raw: value, label: rawName, baseDir: cwd });
    seen.add(name);
  }
  return { values, configFile };
}

function flagNames(flags: readonly string[]): readonly string[] {
  return [...flags, 'config', 'help'].map((flag) => `--${flag}`);
}

/** An empty variable is one that is not set. */
function fromVariables(
  settings: readonly SettingNames[],
  { env, cwd }: SourceOptions,
  problems: string[],
): Values {
  const byVariable = new Map(settings.map((setting) => [setting.variable, setting]));
  const values: Values = new Map();
  for (const [variable, raw] of Object.entries(env)) {
    const setting = byVariable.get(variable);
    if (setting !== undefined && raw !== undefined && raw !== '')
      values.set(setting.name, { raw, label: variable, baseDir: cwd });
    const isOurs = variable.startsWith(PREFIX) && !variable.startsWith(IGNORED_PREFIX);
    if (setting === undefined && isOurs)
      problems.push(`unknown variable ${variable}${nearest(variable, [...byVariable.keys()])}`);
  }
  return values;
}

function fromFile(
  settings: readonly SettingNames[],
  file: string,
  { readFile }: SourceOptions,
  problems: string[],
): Values {
  const values: Values = new Map();
  const known = new Set(settings.map(({ name }) => name));
  for (const { key, raw } of readSettings(file, readFile, problems)) {
    const label = `${key} in ${file}`;
    if (!known.has(key)) problems.push(`unknown key ${label}${nearest(key, [...known])}`);
    else if (values.has(key)) problems.push(`${label} is given twice`);
    else values.set(key, { raw, label, baseDir: directoryOf(file) });
  }
  return values;
}

function readSettings(
  file: string,
  readFile: (path: string) => string,
  problems: string[],
): readonly { readonly key: string; readonly raw: unknown }[] {
  let content: unknown;
  try {
    content = JSON.parse(readFile(file));
  } catch (error) {
    problems.push(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
  if (isObject(content)) return [...flatten(content, '')];
  problems.push(`${file} must hold a JSON object`);
  return [];
}

/** `{"pool":{"idleMs":1}}` and `{"pool.idleMs":1}` say the same. */
function* flatten(
  object: object,
  prefix: string,
): Generator<{ readonly key: string; readonly raw: unknown }> {
  for (const [name, raw] of Object.entries(object)) {
    const key = prefix + name;
    if (isObject(raw)) yield* flatten(raw, `${key}.`);
    else yield { key, raw };
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: string): string {
  return JSON.stringify(value);
}
