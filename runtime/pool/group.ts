// Everything of one key: its environments, the calls that wait for one, and what can be said of them. Decides nothing of its
// own; what to do when is scaling.ts, and pool.ts does it.
import type { Environment } from '../environment/environment.ts';
import type { Call, EnvironmentSpec } from '../invocation.ts';
import {
  type Durations,
  depthAllowed,
  isShort,
  LATE_MS,
  type Load,
  NO_DURATIONS,
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
  /** What is provisioned of it; undefined: nothing ever was. */
  kept: Kept | undefined;
}

export function newGroup(spec: EnvironmentSpec): Group {
  return {
    spec,
    environments: new Set(),
    idle: [],
    waiting: [],
    starting: 0,
    durations: NO_DURATIONS,
    retired: false,
    kept: undefined,
  };
}

/** Environments that are kept ready; see provisioned.ts, which alone changes it. */
export interface Kept {
  wanted: number;
  /** With the time at which each was ready, on the monotonic clock; undefined: not yet. */
  readonly environments: Map<Environment, number | undefined>;
  /** The most recently used last. */
  readonly idle: Environment[];
  starting: number;
  failure: KeepFailure | undefined;
  /** None is started before, on the monotonic clock. */
  retryAtMs: number;
  retryMs: number;
}

/** Why environments are not kept as wanted: their init fails, they do not fit, or the host cannot start them. */
export type KeepFailure =
  | { readonly kind: 'init' }
  | { readonly kind: 'memory' | 'host'; readonly text: string };

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
    idle: idleOf(group),
    durations: group.durations,
    cores,
  };
}

/** Environments of several groups by what they do. */
export function countsOf(groups: Iterable<Group>): {
  readonly idle: number;
  readonly busy: number;
  readonly starting: number;
} {
  const counts = { idle: 0, busy: 0, starting: 0 };
  for (const group of groups) {
    counts.idle += idleOf(group);
    counts.starting += group.starting;
    for (const { phase } of group.environments) if (phase === 'invoke') counts.busy += 1;
  }
  return counts;
}

/** Those that wait for no good and nobody keeps: no call has needed them since then, by the monotonic clock, or they are too old. */
export function retirable({ idle }: Group, since: number): readonly Environment[] {
  return idle.filter(({ idleSinceMs, age }) => idleSinceMs <= since || age.isStale);
}

/** Those in which calls lie behind the running event. */
export function crowded({ environments }: Group): readonly Environment[] {
  return [...environments].filter(({ inHand }) => inHand > 1);
}

/** Nothing of it is left or on its way. */
export function isEmpty({ environments, starting, waiting, kept }: Group): boolean {
  return environments.size + starting + waiting.length + (kept?.wanted ?? 0) === 0;
}

/** Environments that wait for a call. */
export function idleOf({ idle, kept }: Group): number {
  return idle.length + (kept?.idle.length ?? 0);
}

/** How many events one of its environments may have in hand now, the running one included. */
export function depthOf(group: Group, cores: number, now: number): number {
  return depthAllowed(loadOf(group, cores, now), MAX_DEPTH);
}

/**
 * Takes a provisioned environment, else the most recently used idle one, else room in a busy one. The other way round for short
 * handlers once every core has an environment: waking one more up would cost more than the wait behind a running event.
 */
export function choose(group: Group, cores: number, now: number): Environment | undefined {
  const provisioned = group.kept?.idle.pop();
  if (provisioned !== undefined) return provisioned;
  const busy = group.environments.size - group.idle.length - group.starting;
  if (busy >= cores && isShort(group.durations))
    return withRoom(group, cores, now) ?? group.idle.pop();
  return group.idle.pop() ?? withRoom(group, cores, now);
}

/**
 * Whether a call that is in no hurry may come, too: it finds an environment, or one is on its way for it and for each that waits.
 * Short handlers are given enough that none of their environments runs dry; where no more can be started one call waits at a time,
 * so that those in a hurry come next.
 * @param startable environments that are on their way or could be
 */
export function hasRoom(group: Group, cores: number, now: number, startable: number): boolean {
  if (idleOf(group) > group.waiting.length) return true;
  const ahead = isShort(group.durations) ? MAX_DEPTH * cores : Math.max(1, startable);
  if (group.waiting.length < ahead) return true;
  return withRoom(group, cores, now) !== undefined;
}

/** A busy environment that may take one more event behind the running one: the one with the fewest. */
function withRoom(group: Group, cores: number, now: number): Environment | undefined {
  if (group.waiting.length > 0 || !isShort(group.durations)) return undefined;
  const depth = depthOf(group, cores, now);
  if (depth === 1) return undefined;
  let best: Environment | undefined;
  for (const environment of group.environments) {
    if (environment.phase !== 'invoke' || environment.inHand >= depth) continue;
    if (!environment.takesAhead) continue;
    if (environment.age.isStale) continue;
    if (environment.runningSinceMs < now - LATE_MS) continue;
    if (best === undefined || environment.inHand < best.inHand) best = environment;
  }
  return best;
}

/** Its call waits, and an environment more for it and one less for the other would be fairer. */
function deserves(hungry: Group, other: Group, now: number): boolean {
  const oldest = hungry.waiting[0];
  if (oldest === undefined) return false;
  if (hungry.environments.size < other.environments.size - 1) return true;
  return hungry.environments.size === 0 && now - oldest.admittedAtMs > PATIENCE_MS;
}

/** How many of those that are hungry for room {@link deserve} some of what the group has. */
export function deserving(hungry: Iterable<Group>, group: Group, now: number): number {
  let count = 0;
  for (const each of hungry) if (each !== group && deserves(each, group, now)) count += 1;
  return count;
}

/** A function that has fewer environments waits for room: what there is goes to it first. */
export function mustYield(group: Group, hungry: Iterable<Group>): boolean {
  for (const each of hungry)
    if (each.waiting.length > 0 && each.environments.size < group.environments.size) return true;
  return false;
}
