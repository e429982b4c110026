// Every case, in the order of the table.
import type { HostileCase } from '../case.ts';
import { answers } from './answers.ts';
import { ends } from './exits.ts';
import { files } from './files.ts';
import { interference } from './interference.ts';
import { memory } from './memory.ts';
import { processes } from './processes.ts';
import { time } from './time.ts';

export const allCases: readonly HostileCase[] = [
  ...time,
  ...memory,
  ...processes,
  ...files,
  ...ends,
  ...answers,
  ...interference,
].toSorted((a, b) => a.number - b.number);
