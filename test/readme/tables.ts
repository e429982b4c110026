// The tables of README that follow from the code. `node test/readme/tables.ts` writes them between their marks.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFunctionMembers, type MemberEffect, storedOnly } from '../../host/api/effects.ts';
import { operations } from '../../host/api/index.ts';
import { lambdaModel } from '../../host/api/model/model.ts';
import type { OperationName } from '../../host/api/model/types.ts';

export const README = join(import.meta.dirname, '../../README.md');

const MEMBER_WORDS: Readonly<Record<MemberEffect['kind'], string>> = {
  acts: 'acts',
  part: 'acts in part',
  shown: 'validated and shown only',
  refused: 'refused',
};

/** Answered by the listener itself, beside those of the list. */
const INVOKES: ReadonlySet<OperationName> = new Set(['Invoke', 'InvokeAsync']);

/** README with its tables as they should be. */
export function withTables(readme: string): string {
  let text = readme;
  for (const [name, table] of [
    ['operations', operationsTable()],
    ['create-function', membersTable()],
  ] as const)
    text = between(text, `<!-- ${name}: made by test/readme/tables.ts -->`, table);
  return text;
}

function between(text: string, mark: string, table: string): string {
  const parts = text.split(`${mark}\n`);
  if (parts.length !== 3) throw new Error(`README must hold ${mark} twice`);
  return [parts[0], `\n${table}\n`, parts[2]].join(`${mark}\n`);
}

export function operationStatus(name: OperationName): string {
  const isAvailable = INVOKES.has(name) || operations.has(name);
  if (!isAvailable) return 'not yet';
  const why = storedOnly[name];
  return why === undefined ? 'acts' : `stored only: ${why}`;
}

/** One row for each status, so that 88 operations fit on a screen. */
function operationsTable(): string {
  const byStatus = new Map<string, string[]>();
  // as: the keys of the contract file are its operations
  for (const name of Object.keys(lambdaModel.operations).toSorted() as OperationName[]) {
    const status = operationStatus(name);
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  const order = (status: string) => ['acts', 'stored', 'not'].indexOf(status.split(' ')[0] ?? '');
  const rows = [...byStatus]
    .toSorted(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1))
    .map(([status, names]) => `| ${status} (${names.length}) | ${names.join(', ')} |`);
  return ['| | Operations |', '|---|---|', ...rows].join('\n');
}

function membersTable(): string {
  const rows = Object.entries(createFunctionMembers).map(
    ([name, { kind, how }]) => `| ${name} | ${MEMBER_WORDS[kind]} | ${how} |`,
  );
  return ['| Member | | How |', '|---|---|---|', ...rows].join('\n');
}

if (import.meta.main) await writeFile(README, withTables(await readFile(README, 'utf8')));
