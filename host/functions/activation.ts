// Ends what create and update calls began: makes the code and the slots ready, then moves Pending to Active and InProgress to
// Successful. Runs in the background, survives a restart by looking again at what is unsettled.
import { type Functions, type HeldFunction, versionPart } from './functions.ts';
import {
  failed,
  failedVersion,
  isUnsettled,
  type Stamp,
  settled,
  settledVersion,
} from './lifecycle.ts';
import type { FunctionRecord, FunctionSettings, StateReason, VersionRecord } from './record.ts';
import { isOptimized } from './snap-start.ts';

/** What became of making ready what was unsettled, by configuration id: the reason for which it failed, or none. */
type Outcomes = ReadonlyMap<string, StateReason | undefined>;

export interface ActivationOptions {
  readonly functions: Functions;
  /** Makes everything ready that an invocation of these settings needs. Rejects when the code cannot be used. */
  readonly makeReady: (settings: FunctionSettings, functionName: string) => Promise<void>;
  /**
   * Initialises a version with SnapStart, for which everything is ready. Why that cannot be, which is the function's doing;
   * rejects for any other reason.
   */
  readonly initialise: (
    record: FunctionRecord,
    version: VersionRecord,
    signal: AbortSignal,
  ) => Promise<StateReason | undefined>;
  readonly stamp: () => Stamp;
  readonly onProblem: (text: string, cause: unknown) => void;
}

export class Activation implements AsyncDisposable {
  readonly #options: ActivationOptions;
  readonly #running = new Set<Promise<void>>();
  /** Versions with SnapStart whose init is under way, by configuration id. */
  readonly #initialising = new Set<string>();
  readonly #ending = new AbortController();

  constructor(options: ActivationOptions) {
    this.#options = options;
  }

  /** Takes up what a host that ended early left unsettled. */
  resume(): void {
    for (const held of this.#options.functions.allHeld())
      if (unsettledOf(held).length > 0) this.begin(held.root);
  }

  /** Settles in the background what is unsettled of a function now. */
  begin(record: FunctionRecord): void {
    this.#run(record, this.#settle(record));
  }

  #run({ name }: FunctionRecord, work: Promise<void>): void {
    const run = work.catch((error: unknown) => {
      // It is taken up again at the next start.
      if (this.#ending.signal.aborted) return;
      this.#options.onProblem(`${name} could not be brought to its next state`, error);
    });
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
  }

  async #settle({ account, region, name }: FunctionRecord): Promise<void> {
    const begun = this.#options.functions.held(account, region, name);
    if (begun === undefined) return;
    const unsettled = unsettledOf(begun);
    // Their init may take minutes, for which nothing else waits.
    for (const version of unsettled.filter(isOptimized))
      if (!this.#initialising.has(version.configurationId))
        this.#run(begun.root, this.#settleOptimized(begun.root, version));
    const others = unsettled.filter((version) => !isOptimized(version));
    if (others.length === 0) return;
    await this.#keep(begun.root, await this.#makeReady(name, others));
  }

  async #settleOptimized(record: FunctionRecord, version: VersionRecord): Promise<void> {
    const { configurationId, settings } = version;
    this.#initialising.add(configurationId);
    try {
      const problem =
        (await this.#tryMakeReady(record.name, settings)) ??
        (await this.#tryInitialise(record, version));
      await this.#keep(record, new Map([[configurationId, problem]]));
    } finally {
      this.#initialising.delete(configurationId);
    }
  }

  async #tryInitialise(
    record: FunctionRecord,
    version: VersionRecord,
  ): Promise<StateReason | undefined> {
    const { signal } = this.#ending;
    try {
      return await this.#options.initialise(record, version, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#options.onProblem(`version ${version.version} of ${record.name} has no init`, error);
      return internalError(error);
    }
  }

  async #keep({ account, region, name }: FunctionRecord, outcomes: Outcomes): Promise<void> {
    const { functions, stamp } = this.#options;
    await functions.change(account, region, name, (current) => {
      if (current === undefined) return { change: undefined, result: undefined };
      return { change: settledChange(current, outcomes, stamp()), result: undefined };
    });
  }

  async #makeReady(name: string, unsettled: readonly VersionRecord[]): Promise<Outcomes> {
    // A version has the very settings of the `$LATEST` that it was published of: they are made ready once for both.
    const attempts = new Map<FunctionSettings, Promise<StateReason | undefined>>();
    for (const { settings } of unsettled)
      if (!attempts.has(settings)) attempts.set(settings, this.#tryMakeReady(name, settings));
    const outcomes = new Map<string, StateReason | undefined>();
    for (const { configurationId, settings } of unsettled)
      outcomes.set(configurationId, await attempts.get(settings));
    return outcomes;
  }

  async #tryMakeReady(name: string, settings: FunctionSettings): Promise<StateReason | undefined> {
    try {
      await this.#options.makeReady(settings, name);
      return undefined;
    } catch (error) {
      this.#options.onProblem(`the code of ${name} could not be made ready`, error);
      return internalError(error);
    }
  }
}

function internalError(error: unknown): StateReason {
  return { code: 'InternalError', text: error instanceof Error ? error.message : String(error) };
}

function unsettledOf(held: HeldFunction): readonly VersionRecord[] {
  const unsettled = isUnsettled(held.root.latest) ? [held.root.latest] : [];
  for (const [, version] of held.parts('version'))
    if (isUnsettled(version)) unsettled.push(version);
  return unsettled;
}

/** What was updated again or published in the meantime is left alone: it has a run of its own. */
function settledChange(current: HeldFunction, outcomes: Outcomes, stamp: Stamp) {
  const { root } = current;
  const versions = unsettledOf(current).filter(
    ({ version, configurationId }) => version !== '$LATEST' && outcomes.has(configurationId),
  );
  return {
    root: outcomes.has(root.latest.configurationId)
      ? settledLatest(root, outcomes.get(root.latest.configurationId), stamp)
      : root,
    parts: versions.map((version) => {
      const problem = outcomes.get(version.configurationId);
      return versionPart(
        problem === undefined
          ? settledVersion(version, stamp)
          : failedVersion(version, problem, stamp),
      );
    }),
  };
}

function settledLatest(
  record: FunctionRecord,
  problem: StateReason | undefined,
  stamp: Stamp,
): FunctionRecord {
  return problem === undefined ? settled(record, stamp) : failed(record, problem, stamp);
}
