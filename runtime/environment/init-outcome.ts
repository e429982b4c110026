// How an environment's init ended, and what that is to the log and to a call that waited for it.
import type { InvokeOutcome } from '../invocation.ts';
import type { PhaseStatus } from '../logs/platform-log.ts';
import type { PlatformErrorType } from '../protocol.ts';
import type { SandboxExit } from '../sandbox/sandbox.ts';
import type { Message } from '../slots/messages.ts';
import { broken, processEnded, timedOut } from './platform-error.ts';

export type InitOutcome =
  | { readonly kind: 'ready'; readonly durationMs: number }
  | { readonly kind: 'timedOut' }
  /** The bootstrap posted an error: its type and the body for the caller. */
  | { readonly kind: 'failed'; readonly errorType: string; readonly payload: Uint8Array }
  | { readonly kind: 'broken'; readonly errorType: PlatformErrorType; readonly reason: string }
  | { readonly kind: 'ended'; readonly exit: SandboxExit };

/** What a runtime can say of its own init. */
export type InitMessage = Extract<Message, { kind: 'ready' | 'initFailed' | 'broken' }>;

export function initOutcome(message: InitMessage): InitOutcome {
  switch (message.kind) {
    case 'ready':
      return { kind: 'ready', durationMs: 0 };
    case 'initFailed':
      return { kind: 'failed', errorType: message.errorType, payload: message.payload };
    case 'broken':
      return message;
    default:
      return message satisfies never;
  }
}

/** Waits for what is told of an init, at most for a time. One at a time. */
export class AwaitedInit {
  #settle: ((outcome: InitOutcome) => void) | undefined;

  /** To be called before whatever leads to {@link settle}. */
  next(): Promise<InitOutcome> {
    const { promise, resolve } = Promise.withResolvers<InitOutcome>();
    this.#settle = resolve;
    return promise;
  }

  /** `outcome` hangs on {@link next}. */
  within(limitMs: number, outcome: Promise<InitOutcome>): Promise<InitOutcome> {
    const limit = setTimeout(() => this.settle({ kind: 'timedOut' }), limitMs);
    return outcome.finally(() => clearTimeout(limit));
  }

  /** Without effect when nobody waits, or not any more. */
  settle(outcome: InitOutcome): void {
    this.#settle?.(outcome);
    this.#settle = undefined;
  }
}

/** As INIT_REPORT and REPORT name it. */
export function initStatus(outcome: InitOutcome): {
  status: PhaseStatus;
  errorType: string | undefined;
} {
  switch (outcome.kind) {
    case 'ready':
      return { status: 'success', errorType: undefined };
    case 'timedOut':
      return { status: 'timeout', errorType: undefined };
    case 'failed':
      return { status: 'error', errorType: outcome.errorType };
    case 'broken':
      return { status: 'error', errorType: outcome.errorType };
    case 'ended': {
      const memory = outcome.exit.kind === 'outOfMemory';
      return { status: 'error', errorType: memory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError' };
    }
    default:
      return outcome satisfies never;
  }
}

/** What the waiting call gets when the re-run init has failed as well. */
export function initError(
  requestId: string,
  timeoutMs: number,
  init: Exclude<InitOutcome, { kind: 'ready' }>,
): InvokeOutcome {
  switch (init.kind) {
    case 'timedOut':
      return timedOut(requestId, timeoutMs);
    case 'failed':
      return { kind: 'platformError', errorType: init.errorType, payload: init.payload };
    case 'broken':
      return broken(requestId, init.errorType, init.reason);
    case 'ended':
      return processEnded(requestId, init.exit);
    default:
      return init satisfies never;
  }
}
