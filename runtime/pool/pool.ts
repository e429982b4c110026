// The warm pool: which environment serves which call, when another one is started, when an idle one is retired.
// Owns every environment and the generic slots behind them. What to do when is decided by scaling.ts; here it is done.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { Environment, type EnvironmentOwner } from '../environment/environment.ts';
import type { InitOutcome } from '../environment/init-outcome.ts';
import { slotShape } from '../environment/specialise.ts';
import type {
  Call,
  EnvironmentSpec,
  InitializationType,
  Invocation,
  InvokeResult,
} from '../invocation.ts';
import { newLogStreamName } from '../logs/log-stream-name.ts';
import type { Slots } from '../slots/slots.ts';
import { UnderWay } from '../under-way.ts';
import {
  choose,
  countsOf,
  crowded,
  depthOf,
  deserving,
  type Group,
  hasRoom,
  idleOf,
  isEmpty,
  loadOf,
  mustYield,
  newGroup,
  retirable,
} from './group.ts';
import { type KeptState, keptState, Provisioned } from './provisioned.ts';
import { isAnyOnDemand, makeRoom } from './room.ts';
import {
  type Load,
  startsWanted,
  takeBackAfterMs,
  wantsSpare,
  withDuration,
  withHoldUp,
} from './scaling.ts';
import { RestoreError, restore, takeSnapshot } from './snap-start.ts';
import { Starts } from './starts.ts';
import { Ticker } from './ticker.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** On-demand init may take this long before it is stopped and run again inside the invoke phase. */
const INIT_LIMIT_MS = 10_000;

/** How often calls that wait are looked at, and those that lie behind a running event, while there are any. */
const TICK_MS = 10;

/** What calls are told that nothing has become of. */
const ENDING = 'the host is ending';

/** How often idle environments are looked at. */
const RETIRE_TICK_MS = 1_000;

export interface PoolOptions {
  readonly slots: Slots;
  readonly clock: Clock;
  readonly cores: number;
  /** Environments that may be on their way up at once. */
  readonly maxStarts: number;
  /** `pool.idleMs`. */
  readonly idleMs: number;
  /** `pool.memoryBudget` in MiB: busy environments count with their MemorySize, idle ones with what they use. */
  readonly memoryBudgetMib: number;
  /** `dispatch.queueLength`: calls of one function version that may wait for capacity. */
  readonly queueLength: number;
  /** `dispatch.queueWaitMs`: how long a call may wait for capacity. */
  readonly queueWaitMs: number;
  readonly onProblem: (text: string, cause: unknown) => void;
}

export class Pool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #groups = new Map<string, Group>();
  /** Groups with a start that found no room or no start slot, first come first served. */
  readonly #hungry = new Set<Group>();
  /** Starts under way and environments that end: disposal waits for them. */
  readonly #ending = new UnderWay();
  readonly #retirement: NodeJS.Timeout;
  readonly #provisioned: Provisioned;
  readonly #waiting: WaitingCalls;
  readonly #ticker = new Ticker(TICK_MS, () => this.#lookAtAll());
  readonly #starts: Starts;
  /** Environments that end so that another function finds room. */
  #makingWay = 0;
  #disposed = false;
  readonly #owner: EnvironmentOwner = {
    onAnswered: (environment, durationMs) => this.#onAnswered(environment, durationMs),
    onGivenBack: (environment, calls) => this.#onGivenBack(environment, calls),
    onProblem: (text, cause) => this.#options.onProblem(text, cause),
    onLost: (environment, unstarted) => this.#onLost(environment, unstarted),
  };

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#provisioned = this.#newProvisioned(options);
    this.#waiting = new WaitingCalls(options.queueLength);
    this.#starts = new Starts(options.maxStarts);
    this.#retirement = setInterval(() => {
      this.#retireIdleOnes();
      this.#provisioned.look();
    }, RETIRE_TICK_MS);
    this.#retirement.unref();
  }

  /** Runs one event. Rejects with {@link CapacityError}, or with whatever fault of the host stood in the way. */
  invoke(spec: EnvironmentSpec, invocation: Invocation): Promise<InvokeResult> {
    if (this.#disposed) return Promise.reject(new Error('the pool has been closed'));
    return new Promise((settle, fail) => {
      const group = this.#group(spec);
      const admittedAtMs = this.#options.clock.monotonicMs();
      this.#place(group, { invocation, spentMs: 0, admittedAtMs, settle, fail });
    });
  }

  /** Whether one more call that is in no hurry would be begun soon, without standing in the way of others. */
  hasRoom({ key }: EnvironmentSpec): boolean {
    const group = this.#groups.get(key);
    if (this.#disposed || group === undefined) return !this.#disposed;
    const { cores, clock } = this.#options;
    const startable = this.#hungry.has(group) ? 0 : group.starting + this.#starts.left;
    return hasRoom(group, cores, clock.monotonicMs(), startable);
  }

  /**
   * Keeps so many initialised environments of this spec ready for its calls, from now on and whatever becomes of them.
   * @param anew tries again at once what has failed
   */
  keep(spec: EnvironmentSpec, count: number, anew: boolean): void {
    if (this.#disposed) return;
    const group = count === 0 ? this.#groups.get(spec.key) : this.#group(spec);
    if (group === undefined) return;
    this.#provisioned.keep(group, count, anew);
    this.#forgetIfEmpty(group);
  }

  /** What has become of {@link keep}. */
  kept(key: string): KeptState {
    return keptState(this.#groups.get(key));
  }

  /**
   * Initialises an environment for a version with SnapStart; it serves the first calls. How the init ended, however long it has
   * to wait for room. Rejects with what is wrong with the host, or when it is aborted.
   */
  async snapshot(spec: EnvironmentSpec, signal: AbortSignal): Promise<InitOutcome> {
    try {
      while (!this.#hasRoom(this.#group(spec))) await sleep(TICK_MS, undefined, { signal });
      signal.throwIfAborted();
      return await this.#snapshotNow(this.#group(spec), signal);
    } finally {
      this.#forgetIfEmpty(this.#group(spec));
      this.#feedHungry();
    }
  }

  async #snapshotNow(group: Group, signal: AbortSignal): Promise<InitOutcome> {
    const done = this.#starts.begin(group);
    try {
      const environment = this.#newEnvironment(group, this.#newStream(group));
      const abort = () => this.#end(environment);
      signal.addEventListener('abort', abort);
      const outcome = await this.#up(environment, takeSnapshot(environment)).finally(() =>
        signal.removeEventListener('abort', abort),
      );
      signal.throwIfAborted();
      if (environment.phase === 'idle') this.#serve(group, environment);
      else this.#end(environment);
      return outcome;
    } finally {
      done();
    }
  }

  /** The key has been superseded: idle environments end now, busy ones after what they have in hand. */
  retire(key: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    group.retired = true;
    this.#provisioned.keep(group, 0, false);
    for (const environment of group.idle.splice(0)) this.#shutDown(environment);
    this.#forgetIfEmpty(group);
  }

  /** Environments by state, for health and metrics. */
  get counts(): { idle: number; busy: number; starting: number; waiting: number } {
    return { ...countsOf(this.#groups.values()), waiting: this.#waiting.count };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#provisioned.close();
    clearInterval(this.#retirement);
    this.#ticker[Symbol.dispose]();
    for (const group of this.#groups.values()) {
      this.#waiting.refuse(group, ENDING);
      group.retired = true;
      for (const environment of group.environments) this.#shutDown(environment);
    }
    await this.#ending.ended();
  }

  #group(spec: EnvironmentSpec): Group {
    let group = this.#groups.get(spec.key);
    if (group === undefined) {
      group = newGroup(spec);
      this.#groups.set(spec.key, group);
    }
    return group;
  }

  #forgetIfEmpty(group: Group): void {
    if (isEmpty(group) && this.#groups.get(group.spec.key) === group)
      this.#groups.delete(group.spec.key);
  }

  #place(group: Group, call: Call): void {
    const environment = choose(group, this.#options.cores, call.admittedAtMs);
    if (environment !== undefined) {
      this.#hand(environment, call);
      if (idleOf(group) === 0) this.#startSpare(group);
      return;
    }
    if (!this.#waiting.add(group, call)) return;
    this.#ticker.start();
    this.#scale(group);
  }

  #hand(environment: Environment, call: Call): void {
    environment.invoke(call);
    if (environment.inHand > 1) this.#ticker.start();
  }

  #load(group: Group): Load {
    return loadOf(group, this.#options.cores, this.#options.clock.monotonicMs());
  }

  #scale(group: Group): void {
    const wanted = startsWanted(this.#load(group));
    for (let i = 0; i < wanted; i += 1) {
      if (mustYield(group, this.#hungry) || !this.#hasRoom(group)) {
        this.#hungry.add(group);
        return;
      }
      this.#start(group);
    }
  }

  #startSpare(group: Group): void {
    if (group.retired || this.#hungry.size > 0) return;
    if (wantsSpare(this.#load(group)) && this.#hasRoom(group)) this.#start(group);
  }

  /** Room for one more of this group; idle environments of others, least recently used first, make way. */
  #hasRoom(group: Group): boolean {
    if (this.#starts.left === 0 || this.#disposed) return false;
    return this.#makeRoom(group, group) || !isAnyOnDemand(this.#groups.values());
  }

  /** Whether there is memory for one more; idle environments have made way, but for those of one group. */
  #makeRoom(group: Group, spared: Group | undefined): boolean {
    const budgetMib = this.#options.memoryBudgetMib - group.spec.memoryMib;
    const retire = (environment: Environment) => this.#retireIdle(environment);
    return makeRoom(this.#groups.values(), budgetMib, spared, retire);
  }

  #start(group: Group): void {
    const start = this.#startOne(group, this.#starts.begin(group)).catch((error: unknown) => {
      this.#waiting.take(group)?.fail(error);
      // What ends in the middle of a start because the host ends is no problem, and the function's own failures are its own.
      if (this.#disposed || error instanceof RestoreError) return;
      this.#options.onProblem(`an environment of ${group.spec.functionName} did not start`, error);
    });
    this.#ending.add(
      start.then(() => {
        this.#forgetIfEmpty(group);
        this.#feedHungry();
      }),
    );
  }

  async #startOne(group: Group, done: () => void): Promise<void> {
    try {
      const logStreamName = this.#newStream(group);
      const environment = this.#newEnvironment(group, logStreamName);
      const outcome = await this.#up(environment, this.#firstInit(environment));
      if (outcome === undefined || outcome.kind === 'ready') {
        done();
        this.#serve(group, environment);
        return;
      }
      this.#end(environment);
      const call = this.#waiting.take(group);
      if (call === undefined) return;
      await this.#initAgain(group, logStreamName, call, done);
    } finally {
      done();
    }
  }

  /** Init has failed and a call waits: it runs again, inside the invoke phase and on the call's own time. */
  async #initAgain(group: Group, logStreamName: string, call: Call, done: () => void) {
    try {
      const environment = this.#newEnvironment(group, logStreamName);
      const { clock } = this.#options;
      const startedAt = clock.monotonicMs();
      const outcome = await this.#up(environment, environment.init('invoke', group.spec.timeoutMs));
      const spentMs = Math.min(clock.monotonicMs() - startedAt, group.spec.timeoutMs);
      done();
      if (outcome.kind === 'ready') environment.invoke({ ...call, spentMs });
      else this.#failCall(environment, { ...call, spentMs }, outcome);
    } catch (error) {
      call.fail(error);
      throw error;
    }
  }

  /** Nothing to tell of one that was restored: it rejects when that fails. */
  #firstInit(environment: Environment): Promise<InitOutcome | void> {
    if (environment.spec.snapStart) return restore(environment);
    return environment.init('init', INIT_LIMIT_MS);
  }

  /** Ends an environment that does not come up. */
  async #up<T>(environment: Environment, coming: Promise<T>): Promise<T> {
    try {
      return await coming;
    } catch (error) {
      this.#end(environment);
      throw error;
    }
  }

  #failCall(
    environment: Environment,
    call: Call,
    outcome: Exclude<InitOutcome, { kind: 'ready' }>,
  ): void {
    environment.failInvocation(call, outcome);
    this.#end(environment);
  }

  #newEnvironment(
    group: Group,
    logStreamName: string,
    initializationType: InitializationType = group.spec.snapStart ? 'snap-start' : 'on-demand',
  ): Environment {
    if (this.#disposed) throw new Error('the host is ending');
    const { slots, clock } = this.#options;
    const { spec } = group;
    const slot = slots.take(slotShape(spec));
    const instance = { logStreamName, initializationType };
    const environment = new Environment({ spec, slot, instance, owner: this.#owner, clock });
    group.environments.add(environment);
    return environment;
  }

  #newStream({ spec }: Group): string {
    return newLogStreamName(this.#options.clock, spec.functionVersion);
  }

  #newProvisioned({ clock, cores, maxStarts, memoryBudgetMib, onProblem }: PoolOptions) {
    return new Provisioned({
      clock,
      maxStartsEach: cores,
      maxStarts,
      budgetMib: memoryBudgetMib,
      create: (group) =>
        this.#newEnvironment(group, this.#newStream(group), 'provisioned-concurrency'),
      makeRoom: (group) => this.#makeRoom(group, undefined),
      serve: (group, environment) => this.#serve(group, environment),
      shutDown: (environment) => this.#shutDown(environment),
      end: (environment) => this.#end(environment),
      track: (work) => this.#track(work),
      onProblem,
    });
  }

  #onAnswered(environment: Environment, durationMs: number): void {
    const group = this.#groupOf(environment);
    group.durations = withDuration(group.durations, durationMs);
    this.#serve(group, environment);
  }

  /** Gives an environment that has room what waits, or makes it idle. */
  #serve(group: Group, environment: Environment): void {
    const makesWay = !environment.isProvisioned && this.#mustMakeWay(group);
    if (group.waiting.length > 0 && !makesWay && !environment.age.isStale) {
      const { cores, clock } = this.#options;
      const depth = environment.takesAhead ? depthOf(group, cores, clock.monotonicMs()) : 1;
      while (environment.inHand < depth) {
        const call = this.#waiting.take(group);
        if (call === undefined) break;
        this.#hand(environment, call);
      }
    }
    if (environment.inHand > 0) return;
    if (!this.#disposed && this.#provisioned.takeBack(group, environment)) return;
    if (group.retired || environment.age.isStale || this.#disposed || makesWay) {
      this.#shutDown(environment, makesWay);
      return;
    }
    group.idle.push(environment);
    if (this.#hungry.size > 0) this.#feedHungry();
  }

  /** Another function waits for room that this one's share would give it. */
  #mustMakeWay(group: Group): boolean {
    const { short } = this.#provisioned;
    if (this.#hungry.size + short === 0 || this.#starts.left === 0) return false;
    const now = this.#options.clock.monotonicMs();
    return short + deserving(this.#hungry, group, now) > this.#makingWay;
  }

  #onLost(environment: Environment, unstarted: readonly Call[]): void {
    const group = this.#groupOf(environment);
    const at = group.idle.indexOf(environment);
    if (at >= 0) group.idle.splice(at, 1);
    group.durations = withHoldUp(group.durations);
    this.#end(environment);
    this.#provisioned.onLost(group, environment);
    this.#placeAgain(group, unstarted);
  }

  #onGivenBack(environment: Environment, calls: readonly Call[]): void {
    const group = this.#groupOf(environment);
    group.durations = withHoldUp(group.durations);
    this.#placeAgain(group, calls, environment);
  }

  /** They have waited longest: they come first, in an environment that is free now or before all others that wait. */
  #placeAgain(group: Group, calls: readonly Call[], freed?: Environment): void {
    this.#waiting.addFirst(group, calls);
    if (this.#disposed) this.#waiting.refuse(group, ENDING);
    if (freed?.phase === 'idle') this.#serve(group, freed);
    while (group.waiting.length > 0) {
      const environment = group.kept?.idle.pop() ?? group.idle.pop();
      if (environment === undefined) break;
      this.#serve(group, environment);
    }
    if (group.waiting.length === 0) return;
    this.#ticker.start();
    this.#scale(group);
  }

  #groupOf(environment: Environment): Group {
    // A retired group may have been replaced in the map by nobody else: keys are never reused.
    return this.#groups.get(environment.spec.key) ?? this.#group(environment.spec);
  }

  #retireIdle(environment: Environment): void {
    const { idle } = this.#groupOf(environment);
    const at = idle.indexOf(environment);
    if (at >= 0) idle.splice(at, 1);
    this.#shutDown(environment);
  }

  /** Planned: lets `SIGTERM` listeners run. It stays counted until it is gone. */
  #shutDown(environment: Environment, makesWay = false): void {
    const end = environment.shutDown();
    if (!makesWay) return this.#finishWith(environment, end);
    this.#makingWay += 1;
    const madeWay = end.finally(() => {
      this.#makingWay -= 1;
    });
    return this.#finishWith(environment, madeWay);
  }

  #end(environment: Environment): void {
    this.#finishWith(environment, environment[Symbol.asyncDispose]());
  }

  #finishWith(environment: Environment, end: Promise<void>): void {
    const group = this.#groupOf(environment);
    this.#track(
      end.finally(() => {
        group.environments.delete(environment);
        this.#forgetIfEmpty(group);
        this.#feedHungry();
      }),
    );
  }

  #track(end: Promise<void>): void {
    this.#ending.add(
      end.catch((error: unknown) => {
        this.#options.onProblem('an environment could not be removed', error);
      }),
    );
  }

  #feedHungry(): void {
    this.#provisioned.fill();
    // Who has least comes first; among equals, who came first (the order of a set).
    const inTurn = Array.from(this.#hungry).toSorted(
      (a, b) => a.environments.size - b.environments.size,
    );
    for (const group of inTurn) {
      this.#hungry.delete(group);
      this.#scale(group);
      if (this.#starts.left === 0) return;
    }
  }

  /** Calls that wait, and those behind an event that runs late, which are taken back. Whether there are more to look at. */
  #lookAtAll(): boolean {
    const now = this.#options.clock.monotonicMs();
    let isAnyBehind = false;
    for (const group of this.#groups.values()) {
      this.#look(group);
      const lateSince = now - takeBackAfterMs(group.durations);
      for (const environment of crowded(group)) {
        isAnyBehind = true;
        if (environment.runningSinceMs < lateSince) void environment.takeBack();
      }
    }
    return isAnyBehind || this.#waiting.count > 0;
  }

  #retireIdleOnes(): void {
    const { clock, idleMs } = this.#options;
    const since = clock.monotonicMs() - idleMs;
    for (const group of this.#groups.values()) {
      for (const environment of group.environments) environment.age.look();
      for (const environment of retirable(group, since)) this.#retireIdle(environment);
    }
  }

  /** Calls that wait behind a handler which is slow this time get environments; those beyond the limit are refused. */
  #look(group: Group): void {
    if (group.waiting.length === 0) return;
    this.#scale(group);
    if (group.starting > 0) return;
    const { clock, queueWaitMs } = this.#options;
    const reason = `no environment was free for ${queueWaitMs} ms`;
    this.#waiting.refuse(group, reason, clock.monotonicMs() - queueWaitMs);
  }
}
