// Everything of one key: its environments, the calls that wait for one, and what can be said of them. Decides nothing of its
// own; what to do when is scaling.ts, and pool.ts does it.
import type { Environment } from './environment.ts';
import type { Call, EnvironmentSpec } from './invocation.ts';
import {
  type Durations,
  depthAllowed,
  isShort,
  LATE_MS,
  type Load,
  stuckAfterMs,
} from './scaling.ts';

/** Events that one environment may have in hand; see PrefetchDepth in protocol.ts. */
const MAX_DEPTH = 4;

/** A function without any environment whose call has waited this long gets one that another function has used. */
const PATIENCE_MS = 1_000;

export interface Group {
  readonly spec: EnvironmentSpec;
  readonly environments: Set<Environment>;
  /** The most recently used last. */
  readonly idle: Environment[];
  readonly waiting: Call[];
  starting: number;
  durations: Durations;
  /** Superseded: it serves what it has and ends. */
  retired: boolean;
}

/** How things stand; `now` is of the monotonic clock. */
export function loadOf(group: Group, cores: number, now: number): Load {
  const stuckSince = now - stuckAfterMs(group.durations);
  let ready = 0;
  let stuck = 0;
  for (const { phase, runningSinceMs } of group.environments) {
    if (phase !== 'idle' && phase !== 'invoke') continue;
    ready += 1;
    if (phase === 'invoke' && runningSinceMs < stuckSince) stuck += 1;
  }
  return {
    waiting: group.waiting.length,
    ready,
    stuck,
    starting: group.starting,
    idle: group.idle.length,
    durations: group.durations,
    cores,
  };
}

/** How many events one of its environments may have in hand now, the running one included. */
export function depthOf(group: Group, cores: number, now: number): number {
  return depthAllowed(loadOf(group, cores, now), MAX_DEPTH);
}

/** A busy environment that may take one more event behind the running one: the one with the fewest. */
export function withRoom(group: Group, cores: number, now: number): Environment | undefined {
  if (group.waiting.length > 0 || !isShort(group.durations)) return undefined;
  const depth = depthOf(group, cores, now);
  if (depth === 1) return undefined;
  let best: Environment | undefined;
  for (const environment of group.environments) {
    if (environment.phase !== 'invoke' || environment.inHand >= depth) continue;
    if (environment.runningSinceMs < now - LATE_MS) continue;
    if (best === undefined || environment.inHand < best.inHand) best = environment;
  }
  return best;
}

/** Its call waits, and an environment more for it and one less for the other would be fairer. */
export function deserves(hungry: Group, other: Group, now: number): boolean {
  const oldest = hungry.waiting[0];
  if (oldest === undefined) return false;
  if (hungry.environments.size < other.environments.size - 1) return true;
  return hungry.environments.size === 0 && now - oldest.admittedAtMs > PATIENCE_MS;
}

/** A function that has fewer environments waits for room: what there is goes to it first. */
export function mustYield(group: Group, hungry: Iterable<Group>): boolean {
  for (const each of hungry)
    if (each.waiting.length > 0 && each.environments.size < group.environments.size) return true;
  return false;
}

/** What the environment counts with in the memory budget. */
export function chargeMib(environment: Environment): number {
  const { memoryMib } = environment.spec;
  if (environment.phase !== 'idle') return memoryMib;
  return Math.min(memoryMib, environment.residentKib / 1024);
}
