// What a function must be to ask for SnapStart, and what becomes of a version that does. There are no snapshots here: an
// environment of it is initialised when it is published, and all others begin with an init of their own (runtime/pool/snap-start.ts).
import { type InitOutcome, initStatus } from '../../runtime/environment/init-outcome.ts';
import { exitText } from '../../runtime/environment/platform-error.ts';
import type { RestoreError } from '../../runtime/pool/snap-start.ts';
import { ServiceError } from '../service-error.ts';
import { errorMessageIn } from './error-message.ts';
import type { FunctionSettings, StateReason, VersionRecord } from './record.ts';

/** Runtimes that SnapStart knows; the others refuse it. */
const RUNTIME = /^(java(11|17|21|25)|python3\.1[2-9]|dotnet(8|10))/;

/** What is kept of what an init says of its failure. */
const MAX_REASON_LENGTH = 1_000;

/** What a snapshot holds of /tmp. */
const MAX_TMP_MIB = 512;

/** Its environments begin as if from a snapshot. `$LATEST` never does. */
export function isOptimized({
  version,
  settings,
}: Pick<VersionRecord, 'version' | 'settings'>): boolean {
  return version !== '$LATEST' && settings.snapStart === 'PublishedVersions';
}

/** Throws SnapStartNotReadyException for a version whose init is under way. */
export function requireSnapshot(version: VersionRecord): void {
  if (version.state === 'Pending' && isOptimized(version))
    throw new ServiceError(
      'SnapStartNotReadyException',
      'Lambda is initializing your function. You can invoke the function when the function state becomes Active.',
    );
}

/** What callers hear when an environment could not be restored for them. */
export function restoreFailure({ kind }: RestoreError): ServiceError {
  return kind === 'timedOut'
    ? new ServiceError(
        'SnapStartTimeoutException',
        "Lambda couldn't restore the snapshot within the timeout limit.",
      )
    : new ServiceError(
        'SnapStartException',
        'The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.',
      );
}

/** Why a version has failed whose init ended so; undefined when it is ready. */
export function snapshotProblem(outcome: InitOutcome): StateReason | undefined {
  switch (outcome.kind) {
    case 'ready':
      return undefined;
    case 'timedOut':
      return { code: 'FunctionError.InitTimeout', text: 'The init of the function timed out.' };
    case 'failed':
      return initError(`${outcome.errorType}: ${errorMessageIn(outcome.payload)}`);
    case 'ended':
      if (outcome.exit.kind !== 'outOfMemory') return initError(exitText(outcome.exit));
      return {
        code: 'FunctionError.InitResourceExhausted',
        text: 'The init of the function needed more memory than the function has.',
      };
    default:
      return initError(`${initStatus(outcome).errorType}: ${outcome.reason}`);
  }
}

function initError(text: string): StateReason {
  const whole = `The init of the function failed. ${text}`;
  return { code: 'FunctionError.RuntimeInitError', text: whole.slice(0, MAX_REASON_LENGTH) };
}

/** Throws InvalidParameterValueException. */
export function checkSnapStart(settings: Omit<FunctionSettings, 'code'>): void {
  if (settings.snapStart !== 'PublishedVersions') return;
  if (!RUNTIME.test(settings.runtime))
    refuse(`${settings.runtime} is not supported for SnapStart enabled functions.`);
  if (settings.ephemeralStorageMib > MAX_TMP_MIB)
    refuse(
      `SnapStart enabled functions have at most ${MAX_TMP_MIB} MB of ephemeral storage. Set EphemeralStorage to ${MAX_TMP_MIB} or SnapStart to None.`,
    );
  if (settings.fileSystems !== undefined)
    refuse('FileSystemConfigs are not supported for SnapStart enabled functions.');
  if (settings.tenantIsolation !== undefined)
    refuse('SnapStart is not supported for functions that are enabled with tenancy configuration.');
}

function refuse(message: string): never {
  throw new ServiceError('InvalidParameterValueException', message);
}
