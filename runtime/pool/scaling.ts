// The scaling policy: when to start another environment, when to let calls wait, when to put several events in one socket.
// Pure. The reasoning: a waiting call costs the time until some environment is free, a start costs about START_COST_MS of a
// core. So calls wait for existing environments while that wait is shorter than a start, and starts are made beyond it.
// Short handlers thus run on as many environments as there are cores, slow ones get one environment per concurrent call.
// What is "short" is judged by low quantiles of the handler's own time: on a machine without a free core every figure rises,
// and starting more environments for that reason would make it worse.

/** What a specialised start takes from a warm slot, with its share of the work behind it. */
export const START_COST_MS = 5;

/** Handlers below this are short: another environment would only add wake-ups. */
const SHORT_HANDLER_MS = 1;

/** An event that runs this much longer than usual holds up those behind it: its environment no longer counts. */
const STUCK_MS = 50;
const STUCK_FACTOR = 10;

/** No event goes behind one that has run for this long: a short handler would have answered. */
export const LATE_MS = 5;

/** An event that runs for this long is not waited for by those behind it, however short the handler usually is. */
const TAKE_BACK_MS = 20;

/** After an event that held up others, or ended its environment, so many must pass before others may lie behind one again. */
const CALM_EVENTS = 100;

export interface Load {
  /** Calls that no environment has taken. */
  readonly waiting: number;
  /** Environments that serve or could serve, idle ones included. */
  readonly ready: number;
  /** Those of them that run an event for longer than {@link stuckAfterMs}. */
  readonly stuck: number;
  /** Environments on their way up. */
  readonly starting: number;
  readonly idle: number;
  readonly durations: Durations;
  readonly cores: number;
}

/** Running estimates of a handler's duration; undefined before the first answer. */
export interface Durations {
  /** A fifth of the events are faster. */
  readonly p20Ms: number | undefined;
  readonly p50Ms: number | undefined;
  /** Events since the last one that took {@link STUCK_MS} or ended its environment, as far as they matter. */
  readonly calmEvents: number;
}

export const NO_DURATIONS: Durations = { p20Ms: undefined, p50Ms: undefined, calmEvents: 0 };

/** How many environments to start now. */
export function startsWanted(load: Load): number {
  const uncovered = load.waiting - load.starting;
  if (uncovered <= 0) return 0;
  const serving = load.ready - load.stuck + load.starting;
  const { p20Ms } = load.durations;
  if (p20Ms === undefined || serving <= 0) return uncovered;
  if (serving < load.cores) return Math.min(uncovered, load.cores - serving);
  if (p20Ms < SHORT_HANDLER_MS) return 0;
  // Enough environments that the queue drains within the cost of a start.
  const enough = Math.ceil((load.waiting * p20Ms) / START_COST_MS);
  return Math.min(uncovered, Math.max(0, enough - serving));
}

/** How long an event may run before its environment is no longer counted on. */
export function stuckAfterMs({ p50Ms }: Durations): number {
  return Math.max(STUCK_MS, STUCK_FACTOR * (p50Ms ?? 0));
}

/** How long an event may run before those behind it are taken back: they might be served elsewhere. */
export function takeBackAfterMs({ p50Ms }: Durations): number {
  return Math.max(TAKE_BACK_MS, STUCK_FACTOR * (p50Ms ?? 0));
}

/**
 * A function that runs several events at once keeps one initialised environment more than it uses, so that the next
 * concurrent call starts none.
 */
export function wantsSpare(load: Load): boolean {
  const { p20Ms } = load.durations;
  const isConcurrent = load.ready >= 2 && load.idle === 0 && load.starting === 0;
  return isConcurrent && p20Ms !== undefined && p20Ms >= SHORT_HANDLER_MS;
}

/** How many events one environment may have in hand, the running one included. */
export function depthAllowed(load: Load, maxDepth: number): number {
  return isShort(load.durations) && load.ready >= load.cores ? maxDepth : 1;
}

/** Whether another event may lie behind a running one without waiting long, as far as the past can tell. */
export function isShort({ p50Ms, calmEvents }: Durations): boolean {
  return p50Ms !== undefined && p50Ms < SHORT_HANDLER_MS && calmEvents >= CALM_EVENTS;
}

/** The estimates after one more answer. */
export function withDuration(
  { p20Ms, p50Ms, calmEvents }: Durations,
  durationMs: number,
): Durations {
  return {
    p20Ms: quantile(p20Ms, durationMs, 0.2),
    p50Ms: quantile(p50Ms, durationMs, 0.5),
    calmEvents: durationMs >= STUCK_MS ? 0 : Math.min(CALM_EVENTS, calmEvents + 1),
  };
}

/** The same after an event has held up what lay behind it, or has ended its environment: it has no duration yet, or never. */
export function withHoldUp(durations: Durations): Durations {
  return { ...durations, calmEvents: 0 };
}

/** How far one answer moves an estimate, as a share of it. */
const STEP = 0.1;
const LEAST_MS = 0.001;

/** Moves up a little with each greater value and down with each lesser one, so that it rests where the shares balance. */
function quantile(estimate: number | undefined, value: number, share: number): number {
  // From nothing no share of it would ever lead away again.
  if (estimate === undefined) return Math.max(value, LEAST_MS);
  return value > estimate ? estimate * (1 + STEP * share) : estimate * (1 - STEP * (1 - share));
}
