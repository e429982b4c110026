// Windows of load in threes: the baseline, the subject, the baseline again. On a machine that is not quiet both see the same
// weather, and how far the two baseline windows are apart says how much of a ratio is weather.
import type { InvokeRequest } from './invoke-request.ts';
import { cpuBetween, cpuOfTree, machineBusyUs } from './proc.ts';
import { untilMachineQuiet } from './quiet.ts';
import type { Server } from './server.ts';
import { mean, shuffled } from './stats.ts';
import type { Generator, LoadResult } from './wrk.ts';

/** A generator that is busier than this may be what limits the figures: the window is void. */
const MAX_GENERATOR_SHARE = 0.85;
/** Others that had more than this of a core have disturbed a window. */
const MAX_OTHER_CORES = 0.25;
/** Windows of every combo on each server before the first that counts. */
const WARM_UP_PASSES = 2;
/** Tries at one three in a round, until one is neither void nor disturbed. */
const TRIES = 3;

export interface Combo {
  readonly bodyBytes: number;
  readonly callers: number;
}

export interface Window extends LoadResult {
  /** CPU time of the server's own process per request. */
  readonly hostCpuUs: number;
  /** CPU time of the server's process and all below it per request. */
  readonly treeCpuUs: number;
  /** Cores that neither the server nor wrk had: what else ran on the machine. */
  readonly otherCores: number;
}

/** One three. */
export interface Sample {
  readonly combo: Combo;
  readonly before: Window;
  readonly subject: Window;
  readonly after: Window;
  /** The most that others had during any of the three, in cores. */
  readonly otherCores: number;
}

export interface Samples {
  readonly samples: readonly Sample[];
  /** Threes that were thrown away, and why. */
  readonly voided: readonly string[];
}

export interface PairedOptions {
  readonly generator: Generator;
  readonly baseline: Server;
  readonly subject: Server;
  readonly combos: readonly Combo[];
  readonly requestFor: (combo: Combo) => Promise<InvokeRequest>;
  readonly rounds: number;
  readonly windowSeconds: number;
  /** How long to wait for a quiet machine before each three, in ms. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly progress: (line: string) => void;
}

/**
 * Warms both servers up with every combo, then measures every combo once per round, in an order of chance. A three that others
 * have disturbed is measured again a few times; the calmest one counts. Nothing is chosen by its result.
 */
export async function measurePaired(options: PairedOptions): Promise<Samples> {
  const { baseline, subject, combos, rounds, random, progress } = options;
  progress('warming up');
  for (let pass = 0; pass < WARM_UP_PASSES; pass += 1)
    for (const combo of combos)
      for (const server of [baseline, subject]) await runWindow(options, server, combo);
  const samples: Sample[] = [];
  const voided: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    progress(`round ${round} of ${rounds}`);
    for (const combo of shuffled(combos, random)) {
      const sample = await measureOnce(options, combo, voided);
      if (sample !== undefined) samples.push(sample);
    }
  }
  return { samples, voided };
}

async function measureOnce(
  options: PairedOptions,
  combo: Combo,
  voided: string[],
): Promise<Sample | undefined> {
  let calmest: Sample | undefined;
  for (let tries = 0; tries < TRIES; tries += 1) {
    await untilMachineQuiet(options.patienceMs, options.signal);
    const sample = await measureThree(options, combo);
    const share = mostOf(sample, 'generatorShare');
    if (share > MAX_GENERATOR_SHARE) {
      const { bodyBytes, callers } = combo;
      const percent = Math.round(share * 100);
      voided.push(`${bodyBytes} B, ${callers} callers: wrk used ${percent} % of a core`);
      continue;
    }
    if (calmest === undefined || sample.otherCores < calmest.otherCores) calmest = sample;
    if (!isDisturbed(calmest)) break;
  }
  return calmest;
}

async function measureThree(options: PairedOptions, combo: Combo): Promise<Sample> {
  const before = await runWindow(options, options.baseline, combo);
  const subject = await runWindow(options, options.subject, combo);
  const after = await runWindow(options, options.baseline, combo);
  const otherCores = mostOf({ before, subject, after }, 'otherCores');
  return { combo, before, subject, after, otherCores };
}

/** Whether others had so much of the machine during the three that its throughput and p99 say little. */
export function isDisturbed({ otherCores }: Sample): boolean {
  return otherCores > MAX_OTHER_CORES;
}

function mostOf(
  { before, subject, after }: Pick<Sample, 'before' | 'subject' | 'after'>,
  figure: keyof Window,
): number {
  return Math.max(before[figure], subject[figure], after[figure]);
}

async function runWindow(options: PairedOptions, server: Server, combo: Combo): Promise<Window> {
  const { generator, requestFor, windowSeconds } = options;
  const request = await requestFor(combo);
  const beganAt = performance.now();
  const busyBefore = machineBusyUs();
  const cpuBefore = cpuOfTree(server.pid);
  const result = await generator.run(server.url, {
    request,
    callers: combo.callers,
    seconds: windowSeconds,
  });
  const cpuAfter = cpuOfTree(server.pid);
  const otherUs =
    machineBusyUs() - busyBefore - cpuBetween(cpuBefore, cpuAfter) - result.generatorCpuUs;
  const { pid } = server;
  return {
    ...result,
    hostCpuUs: ((cpuAfter.get(pid) ?? 0) - (cpuBefore.get(pid) ?? 0)) / result.requests,
    treeCpuUs: cpuBetween(cpuBefore, cpuAfter) / result.requests,
    otherCores: Math.max(0, otherUs / 1000 / (performance.now() - beganAt)),
  };
}

/** The subject's figure over that of its neighbours. */
export function ratio({ before, subject, after }: Sample, figure: keyof Window): number {
  return subject[figure] / mean(before[figure], after[figure]);
}

/** The same between the two neighbours: 1, but for the weather. */
export function controlRatio({ before, after }: Sample, figure: keyof Window): number {
  return after[figure] / before[figure];
}
