// The scaling policy: when to start another environment, when to let calls wait, when to put several events in one socket.
// Pure. The reasoning: a waiting call costs the time until some environment is free, a start costs about START_COST_MS of a
// core. So calls wait for existing environments while that wait is shorter than a start, and starts are made beyond it.
// Short handlers thus run on as many environments as there are cores, slow ones get one environment per concurrent call.

/** What a specialised start takes from a warm slot, with its share of the work behind it. */
export const START_COST_MS = 5;

/** Handlers below this are short: another environment would only add wake-ups. */
const SHORT_HANDLER_MS = 1;

/** Weight of the newest duration in the moving average. */
const AVERAGE_WEIGHT = 0.1;

export interface Load {
  /** Calls that no environment has taken. */
  readonly waiting: number;
  /** Environments that serve or could serve, idle ones included. */
  readonly ready: number;
  /** Environments on their way up. */
  readonly starting: number;
  readonly idle: number;
  /** Moving average of the handler's duration; undefined before the first answer. */
  readonly recentMs: number | undefined;
  /** How long the call that waits longest has waited. */
  readonly oldestWaitMs: number;
  readonly cores: number;
}

/** How many environments to start now. */
export function startsWanted(load: Load): number {
  const uncovered = load.waiting - load.starting;
  if (uncovered <= 0) return 0;
  const serving = load.ready + load.starting;
  if (load.recentMs === undefined || serving === 0) return uncovered;
  // A handler that is slow this time, though short on average, must not hold up those behind it.
  if (load.oldestWaitMs > 2 * START_COST_MS && load.oldestWaitMs > 4 * load.recentMs)
    return uncovered;
  if (serving < load.cores) return Math.min(uncovered, load.cores - serving);
  if (load.recentMs < SHORT_HANDLER_MS) return 0;
  // Enough environments that the queue drains within the cost of a start.
  const enough = Math.ceil((load.waiting * load.recentMs) / START_COST_MS);
  return Math.min(uncovered, Math.max(0, enough - serving));
}

/** A busy function keeps one initialised environment more than it uses, so that the next concurrent call starts none. */
export function wantsSpare(load: Load): boolean {
  return (
    load.idle === 0 &&
    load.starting === 0 &&
    load.ready > 0 &&
    load.recentMs !== undefined &&
    load.recentMs >= SHORT_HANDLER_MS
  );
}

/** How many events one environment may have in hand, the running one included. */
export function depthAllowed(load: Load, maxDepth: number): number {
  const short = load.recentMs !== undefined && load.recentMs < SHORT_HANDLER_MS;
  return short && load.ready >= load.cores ? maxDepth : 1;
}

export function movingAverage(previous: number | undefined, durationMs: number): number {
  if (previous === undefined) return durationMs;
  return previous + AVERAGE_WEIGHT * (durationMs - previous);
}
