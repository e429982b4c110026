// Nodes that functions ask for and the machine lacks are installed once, however many ask at a time.
import { NODE_MAJORS, type NodeInterpreter, type NodeMajor } from './find.ts';
import { installNode, type NodeInstallOptions } from './install.ts';

/** After an installation that failed, none is tried again for so long. */
const RETRY_AFTER_MS = 60_000;

export interface NodeInstallsOptions extends NodeInstallOptions {
  /** False: nothing is installed, ever. */
  readonly isAllowed: boolean;
  readonly monotonicMs: () => number;
  readonly onInstalled: (node: NodeInterpreter) => void;
  readonly onProblem: (text: string, cause: unknown) => void;
}

/** The major version that a runtime identifier asks for, if it is one that can be installed. */
export function installableMajor(runtime: string): NodeMajor | undefined {
  return NODE_MAJORS.find((major) => runtime === `nodejs${major}.x`);
}

export class NodeInstalls implements AsyncDisposable {
  readonly #options: NodeInstallsOptions;
  readonly #running = new Map<NodeMajor, Promise<void>>();
  readonly #failedAtMs = new Map<NodeMajor, number>();
  readonly #end = new AbortController();

  constructor(options: NodeInstallsOptions) {
    this.#options = options;
  }

  /** Resolves once it is installed, or cannot be; what stood in the way has been reported then. */
  async ensure(major: NodeMajor): Promise<void> {
    const { isAllowed, monotonicMs } = this.#options;
    const failedAtMs = this.#failedAtMs.get(major) ?? Number.NEGATIVE_INFINITY;
    if (!isAllowed || this.#end.signal.aborted) return;
    if (monotonicMs() - failedAtMs < RETRY_AFTER_MS) return;
    const running = this.#running.get(major) ?? this.#install(major);
    this.#running.set(major, running);
    await running;
    this.#running.delete(major);
  }

  /** Gives up what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#running.values());
  }

  async #install(major: NodeMajor): Promise<void> {
    const { onInstalled, onProblem, monotonicMs } = this.#options;
    try {
      onInstalled(await installNode(major, this.#options, this.#end.signal));
    } catch (cause) {
      if (this.#end.signal.aborted) return;
      this.#failedAtMs.set(major, monotonicMs());
      onProblem(`Node.js ${major} could not be installed for functions`, cause);
    }
  }
}
