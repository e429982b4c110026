// Many calls a second for a long time, some of them attacks: does the host stay, stay as large as it was, answer all who mean well,
// and leave nothing?
import { setTimeout as sleep } from 'node:timers/promises';
import { Arena } from '../test/hostile/arena.ts';
import { type HostileCase, PRELUDE } from '../test/hostile/case.ts';
import { allCases } from '../test/hostile/cases/all.ts';
import { randomFrom } from '../test/store/random.ts';
import { residentMib } from '../test/support/machine.ts';
import type { InvokeAnswer } from '../test/support/test-host.ts';
import { positiveNumber, wholeNumber } from './support/flag-values.ts';

import type { Figures, ScenarioOptions } from './support/scenario.ts';
import { quantile, slope } from './support/stats.ts';

export const name = 'soak';
export const about = 'calls to ten functions with attacks among them, for minutes or hours';
export const flags = {
  minutes: { type: 'string', about: 'how long (10)' },
  rate: { type: 'string', about: 'calls per second (50)' },
  percent: { type: 'string', about: 'of them attacks (5)' },
  seed: { type: 'string', about: 'which order of calls (1)' },
} as const;

const FUNCTIONS = 10;
const SETTINGS = { MemorySize: 256, Timeout: 2 };
const SAMPLE_EVERY_MS = 5_000;
const MS_PER_HOUR = 3_600_000;
/** What the host takes until it has seen everything once is no leak. */
const WARM_UP_SHARE = 1 / 3;
const TOLD = 10;

/**
 * Attacks that are over with their own invocation. Others are none here: they harm the next one of the same environment, as they
 * may, need a package or settings of their own, or fill the memory that is everybody's.
 */
const ATTACKS = allCases.filter(
  ({ number, files, leavesUnread }) =>
    files === undefined && leavesUnread !== true && ![18, 24, 28, 34, 41, 44].includes(number),
);

interface Counts {
  calls: number;
  attacks: number;
  /** Calls that meant well and were not answered as they should. */
  readonly errors: string[];
  readonly tookMs: number[];
}

export async function run(options: ScenarioOptions): Promise<Figures> {
  const { flags: given, progress, signal } = options;
  const durationMs = positiveNumber(given['minutes'], 10) * 60_000;
  const rate = wholeNumber(given['rate'], 50);
  const share = wholeNumber(given['percent'], 5) / 100;
  const random = randomFrom(`soak ${wholeNumber(given['seed'], 1)}`);
  const arena = await Arena.open('full');
  const counts: Counts = { calls: 0, attacks: 0, errors: [], tookMs: [] };
  const memory: { readonly atMs: number; readonly mib: number }[] = [];
  let left = 'nothing';
  let hasCrashed = false;
  try {
    for (let n = 0; n < FUNCTIONS; n += 1)
      await arena.deploy(nameOf(n), { 'index.mjs': victim() }, SETTINGS);
    const beganAtMs = performance.now();
    const running = new Set<Promise<void>>();
    for (let due = beganAtMs; due < beganAtMs + durationMs; due += 1_000 / rate) {
      await sleep(Math.max(0, due - performance.now()));
      if (signal.aborted || !arena.isRunning) break;
      const attack = random() < share ? Math.floor(random() * ATTACKS.length) : undefined;
      const call = callOne(arena, nameOf(Math.floor(random() * FUNCTIONS)), attack, counts);
      running.add(call);
      void call.then(() => running.delete(call));
      const atMs = performance.now() - beganAtMs;
      if (atMs < memory.length * SAMPLE_EVERY_MS) continue;
      memory.push({ atMs, mib: residentMib(arena.hostPid) });
      if (memory.length % 12 === 0)
        progress(
          `${Math.round(atMs / 60_000)} min, ${counts.calls} calls, ${counts.errors.length} errors`,
        );
    }
    await Promise.all(running);
    hasCrashed = !arena.isRunning;
    await arena.remove(Array.from({ length: FUNCTIONS }, (_, n) => nameOf(n)));
    await arena.assertNothingLeft().catch((error: unknown) => {
      left = String(error);
    });
  } finally {
    await arena[Symbol.asyncDispose]();
  }
  signal.throwIfAborted();
  return figures(arena, counts, memory, left, hasCrashed);
}

function nameOf(n: number): string {
  return `victim-${n}`;
}

/** One function that knows every attack, and means well without one. */
function victim(): string {
  const inits = new Set(ATTACKS.map(({ init = '' }) => init));
  const ways = ATTACKS.map(({ attack }) => `async (event, context) => {\n${attack}\n}`);
  return `${PRELUDE}${[...inits].join('\n')}
const ways = [${ways.join(',\n')}];
export const handler = async (event, context) => event.way === undefined ? event : await ways[event.way](event, context);`;
}

async function callOne(
  arena: Arena,
  functionName: string,
  attack: number | undefined,
  counts: Counts,
): Promise<void> {
  const call = (counts.calls += 1);
  if (attack !== undefined) counts.attacks += 1;
  const event = attack === undefined ? { call } : eventOf(attack, call);
  const beganAtMs = performance.now();
  const answer = await arena.invoke(functionName, event).catch((error: unknown) => String(error));
  if (attack !== undefined) return;
  counts.tookMs.push(performance.now() - beganAtMs);
  const text = textOf(answer);
  if (text !== JSON.stringify(event)) counts.errors.push(`call ${call}: ${text.slice(0, 300)}`);
}

/** What the attacks of the table read from their event; their sleeps are for nobody to look for here. */
function eventOf(way: number, call: number): object {
  const hostile: HostileCase | undefined = ATTACKS[way];
  return {
    way,
    sleepSeconds: 9_000_000 + call,
    places: ['/etc/shadow'],
    starts: hostile?.number === 10,
  };
}

function textOf(answer: InvokeAnswer | string): string {
  return typeof answer === 'string' ? answer : answer.text;
}

function figures(
  arena: Arena,
  { calls, attacks, errors, tookMs }: Counts,
  memory: readonly { readonly atMs: number; readonly mib: number }[],
  left: string,
  hasCrashed: boolean,
): Figures {
  const settled = memory.slice(Math.floor(memory.length * WARM_UP_SHARE));
  const perMs = slope(settled.map(({ atMs, mib }) => [atMs, mib] as const));
  const lastMs = memory.at(-1)?.atMs ?? 0;
  return {
    tables: [
      {
        title: 'Who meant well, and the host',
        rows: [
          {
            tier: arena.tier,
            minutes: lastMs / 60_000,
            calls,
            attacks,
            errors: errors.length,
            'neighbour errors': arena.faults.length,
            'host crashed': hasCrashed ? 'yes' : 'no',
            'p50 ms': quantile(tookMs, 0.5),
            'p99 ms': quantile(tookMs, 0.99),
            'left behind': left.slice(0, 200),
          },
        ],
      },
      {
        title: 'Memory of the host, MiB',
        rows: [
          {
            first: memory[0]?.mib ?? Number.NaN,
            'median of the rest': quantile(
              settled.map(({ mib }) => mib),
              0.5,
            ),
            last: memory.at(-1)?.mib ?? Number.NaN,
            'slope per hour': perMs * MS_PER_HOUR,
          },
        ],
      },
    ],
    notes: [
      'Errors: calls that meant well, to functions under attack. Neighbour: a function that nobody attacks, asked ten times a second, and the health of the host.',
      'The slope is of the last two thirds; of a few minutes it says little.',
      ...[...errors, ...arena.faults].slice(0, TOLD),
    ],
  };
}
