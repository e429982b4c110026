// Ends what create and update calls began: makes the code and the slots ready, then moves Pending to Active and InProgress to
// Successful. Runs in the background, survives a restart by looking again at what is unsettled.
import { type Functions, publishedVersions, versionPart } from './functions.ts';
import {
  failed,
  failedVersion,
  isUnsettled,
  type Stamp,
  settled,
  settledVersion,
} from './lifecycle.ts';
import type { FunctionRecord, FunctionSettings, StateReason } from './record.ts';

export interface ActivationOptions {
  readonly functions: Functions;
  /** Makes everything ready that an invocation of these settings needs. Rejects when the code cannot be used. */
  readonly makeReady: (settings: FunctionSettings, functionName: string) => Promise<void>;
  readonly stamp: () => Stamp;
  readonly onProblem: (text: string, cause: unknown) => void;
}

export class Activation implements AsyncDisposable {
  readonly #options: ActivationOptions;
  readonly #running = new Set<Promise<void>>();

  constructor(options: ActivationOptions) {
    this.#options = options;
  }

  /** Takes up what a host that ended early left unsettled. */
  resume(): void {
    for (const record of this.#options.functions.all())
      if (isUnsettled(record.latest) || this.#unsettledVersions(record).length > 0)
        this.begin(record);
  }

  begin(record: FunctionRecord): void {
    const run = this.#settle(record).catch((error: unknown) => {
      this.#options.onProblem(`${record.name} could not be brought to its next state`, error);
    });
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running);
  }

  #unsettledVersions({ account, region, name }: FunctionRecord) {
    return this.#options.functions.versions(account, region, name).filter(isUnsettled);
  }

  async #settle(begun: FunctionRecord): Promise<void> {
    const { functions, stamp } = this.#options;
    const { account, region, name } = begun;
    const problem = await this.#tryMakeReady(begun);
    await functions.change(account, region, name, (current) => {
      if (current === undefined) return { change: undefined, result: undefined };
      const { root } = current;
      // Updated again in the meantime: the later call has its own run.
      if (root.latest.configurationId !== begun.latest.configurationId)
        return { change: { root }, result: undefined };
      const unsettled = publishedVersions(current).filter(isUnsettled);
      const change =
        problem === undefined
          ? {
              root: settled(root, stamp()),
              parts: unsettled.map((version) => versionPart(settledVersion(version, stamp()))),
            }
          : {
              root: failed(root, problem, stamp()),
              parts: unsettled.map((version) =>
                versionPart(failedVersion(version, problem, stamp())),
              ),
            };
      return { change, result: undefined };
    });
  }

  async #tryMakeReady({ name, latest }: FunctionRecord): Promise<StateReason | undefined> {
    try {
      await this.#options.makeReady(latest.settings, name);
      return undefined;
    } catch (error) {
      this.#options.onProblem(`the code of ${name} could not be made ready`, error);
      const text = error instanceof Error ? error.message : String(error);
      return { code: 'InternalError', text };
    }
  }
}
