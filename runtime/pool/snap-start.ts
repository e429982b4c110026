// Environments that begin as if from a snapshot. There is none: each of them initialises anew, and then runs the hooks that a
// function has for a restore. What callers see of it, in errors and in the log, is as of a restore.
import type { Environment } from '../environment/environment.ts';
import type { InitOutcome } from '../environment/init-outcome.ts';

/** The service's limit for hooks after a restore. */
const RESTORE_LIMIT_MS = 10_000;

/** Init for a snapshot may take as long as the function's Timeout, and at least and at most so long. */
const LEAST_INIT_LIMIT_MS = 130_000;
const MOST_INIT_LIMIT_MS = 900_000;

/** No environment could be had: nothing of the event ran, and the function is to blame. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly kind: 'failed' | 'timedOut';

  constructor(kind: 'failed' | 'timedOut') {
    super(kind === 'failed' ? 'a restore has failed' : 'a restore took too long');
    this.kind = kind;
  }
}

type Restorable = Pick<Environment, 'spec' | 'init' | 'restore'>;

/** For the first environment of a version: init with its own records, then the restore. How the init ended. */
export async function takeSnapshot(environment: Restorable): Promise<InitOutcome> {
  const init = await environment.init('init', initLimitMs(environment));
  if (init.kind === 'ready') await environment.restore(RESTORE_LIMIT_MS, 0);
  return init;
}

/** For any other. Rejects with {@link RestoreError}. */
export async function restore(environment: Restorable): Promise<void> {
  const init = await environment.init('restore', initLimitMs(environment));
  const outcome =
    init.kind === 'ready' ? await environment.restore(RESTORE_LIMIT_MS, init.durationMs) : init;
  if (outcome.kind !== 'ready')
    throw new RestoreError(outcome.kind === 'timedOut' ? 'timedOut' : 'failed');
}

function initLimitMs({ spec: { timeoutMs } }: Restorable): number {
  return Math.min(MOST_INIT_LIMIT_MS, Math.max(LEAST_INIT_LIMIT_MS, timeoutMs));
}
