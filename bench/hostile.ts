// Every hostile case so many times in every tier: how often the host, its neighbour and the machine came through unharmed, and
// what it cost the neighbour meanwhile.
import { Arena, type Impact } from '../test/hostile/arena.ts';
import { type HostileCase, TIERS, timesOut } from '../test/hostile/case.ts';
import { allCases } from '../test/hostile/cases/all.ts';
import type { Look } from '../test/hostile/watch.ts';
import { wholeNumber, wholeNumbers } from './support/flag-values.ts';
import type { Figures, ScenarioOptions, Table } from './support/scenario.ts';
import { quantile } from './support/stats.ts';

export const name = 'hostile';
export const about = 'hostile functions against every isolation tier: survived n of N';
export const flags = {
  runs: { type: 'string', about: 'how often each case is tried in each tier (20)' },
  tiers: { type: 'string', about: `some of ${TIERS.join(',')}` },
  cases: { type: 'string', about: 'numbers of cases, with commas between them (all)' },
  'at-once': { type: 'string', about: 'cases that run side by side (1)' },
} as const;

const RUNS = 20;
/** Reasons of failed runs that are told. */
const TOLD = 20;

type Tier = (typeof TIERS)[number];

/** What has become of one tier. */
interface Outcome {
  readonly tier: Tier;
  readonly baseline: readonly number[];
  /** By what the case is. */
  readonly survived: Map<string, number>;
  readonly impacts: { readonly hostile: HostileCase; readonly impact: Impact }[];
  readonly faults: string[];
  left: string;
}

export async function run(options: ScenarioOptions): Promise<Figures> {
  const runs = wholeNumber(options.flags['runs'], options.rounds ?? RUNS);
  const atOnce = wholeNumber(options.flags['at-once'], 1);
  const cases = casesOf(options.flags['cases']);
  const outcomes: Outcome[] = [];
  for (const tier of tiersOf(options.flags['tiers'])) {
    options.progress(`tier ${tier}: ${cases.length} cases, ${runs} times`);
    outcomes.push(await measureTier(options, { tier, cases, runs, atOnce }));
  }
  return {
    tables: [survivalTable(cases, outcomes, runs), impactTable(outcomes)],
    notes: [
      'Survived: what the case promises has come of it, the next invocation works, its log is whole, its processes are gone, the host is the same, the neighbour has not failed once.',
      '–: does not hold in that tier and is not tried there.',
      ...new Set(cases.flatMap(({ number, instead = {} }) => insteadOf(number, instead))),
      ...outcomes
        .flatMap(({ tier, faults }) => faults.map((fault) => `${tier}: ${fault}`))
        .slice(0, TOLD),
    ],
  };
}

function insteadOf(number: number, instead: Readonly<Partial<Record<Tier, string>>>): string[] {
  return Object.entries(instead).map(([tier, what]) => `${number} in ${tier}: ${what}`);
}

function casesOf(flag: string | boolean | undefined): readonly HostileCase[] {
  if (flag === undefined) return allCases;
  const numbers = new Set(wholeNumbers(flag, ''));
  return allCases.filter(({ number }) => numbers.has(number));
}

function tiersOf(flag: string | boolean | undefined): readonly Tier[] {
  if (flag === undefined) return TIERS;
  return String(flag)
    .split(',')
    .map((name) => {
      const tier = TIERS.find((each) => each === name);
      if (tier === undefined) throw new Error(`not a tier: ${name}`);
      return tier;
    });
}

interface Plan {
  readonly tier: Tier;
  readonly cases: readonly HostileCase[];
  readonly runs: number;
  readonly atOnce: number;
}

async function measureTier({ signal }: ScenarioOptions, plan: Plan): Promise<Outcome> {
  const { tier, cases, runs, atOnce } = plan;
  const arena = await Arena.open(tier);
  const outcome: Outcome = {
    tier,
    baseline: arena.baseline,
    survived: new Map(),
    impacts: [],
    faults: [],
    left: '',
  };
  const tried = cases.filter(({ instead }) => instead?.[tier] === undefined);
  const queue = Array.from({ length: runs }, () => tried).flat();
  try {
    await Promise.all(Array.from({ length: atOnce }, () => work(arena, queue, outcome, signal)));
    await arena.assertNothingLeft().catch((error: unknown) => {
      outcome.left = String(error);
    });
  } finally {
    await arena[Symbol.asyncDispose]();
  }
  signal.throwIfAborted();
  return outcome;
}

/** Takes case after case; ends with the host. */
async function work(
  arena: Arena,
  queue: HostileCase[],
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && arena.isRunning) {
    const hostile = queue.shift();
    if (hostile === undefined) return;
    try {
      const impact = await arena.run(hostile);
      outcome.impacts.push({ hostile, impact });
      const fault = [...impact.neighbour, ...impact.health].find(
        (look) => look.fault !== undefined,
      );
      if (fault !== undefined) throw new Error(fault.fault);
      outcome.survived.set(hostile.what, (outcome.survived.get(hostile.what) ?? 0) + 1);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      outcome.faults.push(`${hostile.number} ${hostile.what}: ${reason.slice(0, 300)}`);
    }
  }
}

function survivalTable(
  cases: readonly HostileCase[],
  outcomes: readonly Outcome[],
  runs: number,
): Table {
  return {
    title: `Survived, of ${runs}`,
    rows: cases.map((hostile) => ({
      case: String(hostile.number),
      'the function …': hostile.what,
      ...Object.fromEntries(
        outcomes.map(({ tier, survived }) => [
          tier,
          hostile.instead?.[tier] === undefined ? String(survived.get(hostile.what) ?? 0) : '–',
        ]),
      ),
    })),
  };
}

function impactTable(outcomes: readonly Outcome[]): Table {
  return {
    title: 'What it cost meanwhile',
    rows: outcomes.map((outcome) => {
      const { tier, impacts, baseline, faults, left } = outcome;
      const neighbour = looks(impacts, 'neighbour');
      const health = looks(impacts, 'health');
      const late = impacts
        .filter(({ hostile }) => hostile.check === timesOut)
        .map(({ hostile, impact }) => impact.tookMs - (hostile.settings?.Timeout ?? 3) * 1_000);
      return {
        tier,
        runs: impacts.length,
        failed: faults.length,
        'neighbour errors': [...neighbour, ...health].filter((look) => look.fault !== undefined)
          .length,
        'neighbour alone p50 ms': quantile(baseline, 0.5),
        'p50 ms': quantile(msOf(neighbour), 0.5),
        'p99 ms': quantile(msOf(neighbour), 0.99),
        'health p99 ms': quantile(msOf(health), 0.99),
        'timeout overshoot p50 ms': quantile(late, 0.5),
        'overshoot p99 ms': quantile(late, 0.99),
        'left behind': left === '' ? 'nothing' : left.slice(0, 200),
      };
    }),
  };
}

/** Each once, though several cases may have seen it. */
function looks(impacts: Outcome['impacts'], of: 'neighbour' | 'health'): readonly Look[] {
  return [...new Set(impacts.flatMap(({ impact }) => impact[of]))];
}

function msOf(all: readonly Look[]): readonly number[] {
  return all.map(({ ms }) => ms);
}
