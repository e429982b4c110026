// Provisioned environments: initialised ahead of calls, kept whatever happens, until fewer are wanted. They are neither idle too long
// nor make way for others, and their whole memory counts. Calls take them first; when all are busy, calls go on as without them.
// The pool owns the environments and serves calls; when one is to be started, replaced or ended is decided here.
import type { Clock } from '../clock.ts';
import type { Environment } from '../environment/environment.ts';
import type { Group, KeepFailure, Kept } from './group.ts';

/** Init may take the function's timeout, at least this long and never longer than the other. */
const MIN_INIT_LIMIT_MS = 130_000;
const MAX_INIT_LIMIT_MS = 900_000;

/** A start that takes longer waits for something: it no longer counts against those at once. */
const BUSY_START_MS = 10_000;

/** After a failure the next try for its function version waits this long, doubling. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** One that ends so soon after its init, and not with a call, has as good as failed in it. */
const EARLY_END_MS = 1_000;

/** What keeping needs of the pool. */
export interface ProvisionedParts {
  readonly clock: Clock;
  /** Environments that may be started at once, for one function version and for all. */
  readonly maxStartsEach: number;
  readonly maxStarts: number;
  readonly budgetMib: number;
  /** A new environment that has not been initialised. Throws when there can be none. */
  create(group: Group): Environment;
  /** Whether there is memory for one more; idle ones that nobody keeps have made way. */
  makeRoom(group: Group): boolean;
  /** It can take calls. */
  serve(group: Group, environment: Environment): void;
  /** Planned. */
  shutDown(environment: Environment): void;
  end(environment: Environment): void;
  /** The end of the pool waits for it. */
  track(work: Promise<void>): void;
  readonly onProblem: (text: string, cause: unknown) => void;
}

/** How things stand with the environments kept for one function version. */
export interface KeptState {
  /** Those that serve or could serve. */
  readonly available: number;
  /** Why there are fewer than wanted; undefined while they are on their way. */
  readonly failure: KeepFailure | undefined;
}

export class Provisioned {
  readonly #parts: ProvisionedParts;
  readonly #groups = new Set<Group>();
  #starting = 0;
  #short = 0;
  #isClosed = false;

  constructor(parts: ProvisionedParts) {
    this.#parts = parts;
  }

  /** Environments that are wanted and have no room in memory: others make way for them. */
  get short(): number {
    return this.#short;
  }

  /** Keeps so many from now on. `anew`: tries again at once what has failed. */
  keep(group: Group, wanted: number, anew: boolean): void {
    if (wanted === 0 && group.kept === undefined) return;
    group.kept ??= { wanted: 0, environments: new Map(), idle: [], starting: 0, ...UNFAILED };
    const { kept } = group;
    if (kept.wanted === wanted && !anew) return;
    // Who wants more stands last: it does not take the room of others.
    if (wanted > kept.wanted || wanted === 0) this.#groups.delete(group);
    if (wanted > 0) this.#groups.add(group);
    Object.assign(kept, { wanted, ...UNFAILED });
    this.#endSurplus(kept);
    this.fill();
  }

  /** An environment of its group is not needed by a call. Whether it is kept; one that is not wanted any more has been ended. */
  takeBack(group: Group, environment: Environment): boolean {
    const { kept } = group;
    if (kept?.environments.has(environment) !== true) return false;
    if (kept.environments.size > kept.wanted || environment.age.isStale) {
      this.#drop(kept, environment);
      this.#parts.shutDown(environment);
      this.fill();
    } else kept.idle.push(environment);
    return true;
  }

  /** It has ended by itself, and is replaced. */
  onLost(group: Group, environment: Environment): void {
    const { kept } = group;
    const readySinceMs = kept?.environments.get(environment);
    // One that ends in its init is seen where that is waited for.
    if (kept === undefined || readySinceMs === undefined) return;
    const lifeMs = this.#parts.clock.monotonicMs() - readySinceMs;
    const isEarly = lifeMs < EARLY_END_MS && kept.idle.includes(environment);
    this.#drop(kept, environment);
    if (isEarly) this.#retryLater(kept, kept.failure);
    this.fill();
  }

  /** To be called now and then: replaces what has grown old, and tries again what has failed. */
  look(): void {
    for (const { kept } of this.#groups) {
      // One after another, so that most of them are there at any time.
      const stale = kept?.starting === 0 ? kept.idle.find(({ age }) => age.isStale) : undefined;
      if (kept === undefined || stale === undefined) continue;
      this.#drop(kept, stale);
      this.#parts.shutDown(stale);
    }
    this.fill();
  }

  /** Starts what is missing, as far as there is room. */
  fill(): void {
    if (this.#isClosed) return;
    this.#short = 0;
    let promisedMib = 0;
    for (const group of this.#groups) {
      const { kept, spec } = group;
      if (kept === undefined) continue;
      const neededMib = kept.wanted * spec.memoryMib;
      if (promisedMib + neededMib > this.#parts.budgetMib) {
        this.#refuse(kept, spec.memoryMib, promisedMib);
        continue;
      }
      promisedMib += neededMib;
      if (kept.failure?.kind === 'memory') kept.failure = undefined;
      this.#fillOne(group, kept);
    }
  }

  /** No more are started. The environments are the pool's to end. */
  close(): void {
    this.#isClosed = true;
  }

  #fillOne(group: Group, kept: Kept): void {
    const { maxStarts, maxStartsEach, clock } = this.#parts;
    if (clock.monotonicMs() < kept.retryAtMs) return;
    while (kept.environments.size < kept.wanted) {
      if (this.#starting >= maxStarts || kept.starting >= maxStartsEach) return;
      if (!this.#parts.makeRoom(group)) {
        this.#short += kept.wanted - kept.environments.size;
        return;
      }
      if (!this.#start(group, kept)) return;
    }
  }

  #refuse(kept: Kept, memoryMib: number, promisedMib: number): void {
    const { budgetMib } = this.#parts;
    const beside =
      promisedMib === 0 ? '' : ` beside ${promisedMib} MiB that are provisioned already`;
    const text = `${kept.wanted} environments of ${memoryMib} MiB do not fit into the ${budgetMib} MiB that this host has for environments${beside} (pool.memoryBudget)`;
    kept.failure = { kind: 'memory', text };
    for (const environment of kept.environments.keys()) {
      if (kept.idle.includes(environment)) this.#parts.shutDown(environment);
      else if (environment.phase === 'init') this.#parts.end(environment);
      else continue;
      this.#drop(kept, environment);
    }
  }

  /** False when it could not even be begun. */
  #start(group: Group, kept: Kept): boolean {
    let environment: Environment;
    try {
      environment = this.#parts.create(group);
    } catch (error) {
      this.#onFault(group, kept, error);
      return false;
    }
    kept.environments.set(environment, undefined);
    kept.starting += 1;
    const release = this.#countStart();
    this.#parts.track(
      this.#initialise(group, kept, environment).finally(() => {
        kept.starting -= 1;
        release();
        this.fill();
      }),
    );
    return true;
  }

  async #initialise(group: Group, kept: Kept, environment: Environment): Promise<void> {
    const { clock } = this.#parts;
    const limitMs = Math.max(MIN_INIT_LIMIT_MS, group.spec.timeoutMs);
    try {
      const outcome = await environment.init('init', Math.min(limitMs, MAX_INIT_LIMIT_MS));
      if (outcome.kind === 'ready' && kept.environments.has(environment)) {
        kept.environments.set(environment, clock.monotonicMs());
        if (kept.failure?.kind !== 'memory') kept.failure = undefined;
        this.#parts.serve(group, environment);
        return;
      }
      this.#parts.end(environment);
      // Otherwise it was ended by our hand.
      if (!this.#drop(kept, environment)) return;
      this.#retryLater(kept, { kind: 'init' });
    } catch (error) {
      this.#parts.end(environment);
      if (this.#drop(kept, environment)) this.#onFault(group, kept, error);
    }
  }

  #onFault(group: Group, kept: Kept, error: unknown): void {
    if (this.#isClosed) return;
    this.#parts.onProblem(
      `a provisioned environment of ${group.spec.functionName} did not start`,
      error,
    );
    const text = error instanceof Error ? error.message : String(error);
    this.#retryLater(kept, { kind: 'host', text });
  }

  #retryLater(kept: Kept, failure: KeepFailure | undefined): void {
    const now = this.#parts.clock.monotonicMs();
    const isCalm = now - kept.retryAtMs > MAX_RETRY_MS;
    kept.failure = failure;
    kept.retryMs = isCalm ? RETRY_MS : Math.min(2 * kept.retryMs, MAX_RETRY_MS);
    kept.retryAtMs = now + kept.retryMs;
  }

  /** What to call when it is over; later calls do nothing. */
  #countStart(): () => void {
    let isCounted = true;
    this.#starting += 1;
    const release = () => {
      if (!isCounted) return;
      isCounted = false;
      clearTimeout(limit);
      this.#starting -= 1;
    };
    const limit = setTimeout(release, BUSY_START_MS).unref();
    return release;
  }

  /** Idle ones first, then those on their way up; busy ones end after what they have in hand. */
  #endSurplus(kept: Kept): void {
    while (kept.environments.size > kept.wanted) {
      const idle = kept.idle[0];
      const surplus = idle ?? [...kept.environments.keys()].find(({ phase }) => phase === 'init');
      if (surplus === undefined) return;
      this.#drop(kept, surplus);
      if (idle === undefined) this.#parts.end(surplus);
      else this.#parts.shutDown(surplus);
    }
  }

  /** False when it was dropped before. */
  #drop(kept: Kept, environment: Environment): boolean {
    const at = kept.idle.indexOf(environment);
    if (at >= 0) kept.idle.splice(at, 1);
    return kept.environments.delete(environment);
  }
}

/** Nothing stands in the way of a start. */
const UNFAILED = {
  failure: undefined,
  retryAtMs: Number.NEGATIVE_INFINITY,
  retryMs: RETRY_MS,
} as const;

/** @param group undefined: there is none any more */
export function keptState(group: Group | undefined): KeptState {
  const kept = group?.kept;
  let available = 0;
  for (const environment of kept?.environments.keys() ?? []) if (environment.serves) available += 1;
  return { available, failure: kept?.failure };
}
