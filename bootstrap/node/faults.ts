// What the function throws past its handler: reported once, in init or for the invocation in flight, then the process ends.
import type { ErrorTitle, Logger } from './console.ts';
import { runtimeError, serialiseError } from './errors.ts';
import type { FrameWriter } from './frames.ts';
import type { Generation } from './generation.ts';
import { EXIT_UNSETTLED, type InvokeLoop } from './loop.ts';
import { exit } from './primordials.ts';

/** Exit codes of the service's runtime. */
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;
const EXIT_INIT_ERROR = 1;

export interface FaultsOptions {
  readonly writer: FrameWriter;
  readonly logger: Logger;
  readonly generation: Generation;
  readonly maxRssKib: () => number;
}

export class Faults {
  readonly #options: FaultsOptions;
  /** Absent during init. */
  #loop: InvokeLoop | undefined;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  install(target: NodeJS.Process): void {
    target.on('uncaughtException', this.#uncaught);
    target.on('unhandledRejection', this.#unhandled);
    target.on('beforeExit', this.#drained);
  }

  /** From here on faults belong to invocations. */
  initDone(loop: InvokeLoop): void {
    this.#loop = loop;
  }

  /** The handler could not be loaded. v3 knows no title of its own for it: there it is an uncaught exception. */
  initFailed(error: unknown): never {
    return this.#options.generation === 'v4'
      ? this.#end('Init Error', error, EXIT_INIT_ERROR)
      : this.#end('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION);
  }

  readonly #uncaught = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void => {
    this.#end('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION, () => {
      for (const listener of process.listeners('uncaughtException')) {
        if (listener !== this.#uncaught) listener(error as Error, origin); // typed so by Node
      }
    });
  };

  readonly #unhandled = (reason: unknown, promise: Promise<unknown>): void => {
    const error = rejectionError(this.#options.generation, reason, promise);
    this.#end('Unhandled Promise Rejection', error, EXIT_UNHANDLED_REJECTION, () => {
      for (const listener of process.listeners('unhandledRejection')) {
        if (listener !== this.#unhandled) listener(reason, promise);
      }
    });
  };

  readonly #drained = (): void => {
    if (this.#loop !== undefined) return this.#loop.drained();
    // The words Node itself has for it.
    this.#options.logger.warn('Warning: Detected unsettled top-level await');
    return exit(EXIT_UNSETTLED);
  };

  /** `others` lets the function's own listeners see the fault; none of them can keep the process. */
  #end(title: ErrorTitle, error: unknown, code: number, others: () => void = () => {}): never {
    try {
      this.#options.logger.failure(title, error);
      this.#report(error);
      others();
    } finally {
      exit(code);
    }
  }

  #report(error: unknown): void {
    if (this.#loop !== undefined) return this.#loop.abort(error);
    const { writer, generation, maxRssKib } = this.#options;
    const { errorType, json } = serialiseError(error, generation);
    writer.initFailed(maxRssKib(), errorType, json);
  }
}

/** Carries the reason and the promise as own properties, which logs show. */
function rejectionError(generation: Generation, reason: unknown, promise: Promise<unknown>): Error {
  const error = runtimeError(generation, 'Runtime.UnhandledPromiseRejection', describe(reason));
  return Object.assign(error, { reason, promise });
}

function describe(reason: unknown): string {
  try {
    return String(reason);
  } catch {
    return Object.prototype.toString.call(reason); // a toString() that throws, or no prototype
  }
}
