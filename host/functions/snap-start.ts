// What a function must be to ask for SnapStart. Environments start fresh here from slots that are ready, so that a version that asks
// for it only passes through the states of one.
import { ServiceError } from '../service-error.ts';
import type { FunctionSettings } from './record.ts';

/** Runtimes that SnapStart knows; the others refuse it. */
const RUNTIME = /^(java(11|17|21|25)|python3\.1[2-9]|dotnet(8|10))/;

/** What a snapshot holds of /tmp. */
const MAX_TMP_MIB = 512;

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
