// The states of a function and its versions, and which may follow which. Pure: records in, records out.
import { ServiceError } from '../service-error.ts';
import { functionArn } from './names.ts';
import {
  type FunctionRecord,
  type FunctionSettings,
  lastModifiedText,
  type StateReason,
  type VersionRecord,
} from './record.ts';

/** What new records need from outside. */
export interface Stamp {
  readonly epochMs: number;
  newId(): string;
}

/** Of what is being created or updated, as recorded of the service for both. */
export const CREATING: StateReason = { code: 'Creating', text: 'The function is being created.' };

export function newVersion(settings: FunctionSettings, stamp: Stamp): VersionRecord {
  return {
    version: '$LATEST',
    settings,
    configurationId: stamp.newId(),
    lastModified: lastModifiedText(stamp.epochMs),
    revisionId: stamp.newId(),
    state: 'Pending',
    stateReason: CREATING,
  };
}

/** `$LATEST` after an update call: shows the new values at once, runs the old ones until the update is done. */
export function withUpdate(
  record: FunctionRecord,
  settings: FunctionSettings,
  stamp: Stamp,
): FunctionRecord {
  return {
    ...record,
    serving: record.serving ?? record.latest,
    latest: {
      ...record.latest,
      settings,
      configurationId: stamp.newId(),
      lastModified: lastModifiedText(stamp.epochMs),
      revisionId: stamp.newId(),
      lastUpdateStatus: 'InProgress',
      lastUpdateReason: CREATING,
    },
  };
}

/** What `$LATEST` is when its creation or update has succeeded. The same record when there is nothing to end. */
export function settled(record: FunctionRecord, stamp: Stamp): FunctionRecord {
  const { latest } = record;
  if (!isUnsettled(latest)) return record;
  return { ...record, serving: undefined, latest: settledVersion(latest, stamp) };
}

export function settledVersion(version: VersionRecord, stamp: Stamp): VersionRecord {
  return {
    ...version,
    revisionId: stamp.newId(),
    state: 'Active',
    stateReason: undefined,
    lastUpdateStatus: 'Successful',
    lastUpdateReason: undefined,
  };
}

/** The creation or update has failed: a new function is Failed, an old one goes on with what it had. */
export function failed(record: FunctionRecord, reason: StateReason, stamp: Stamp): FunctionRecord {
  if (!isUnsettled(record.latest)) return record;
  return { ...record, latest: failedVersion(record.latest, reason, stamp) };
}

export function failedVersion(
  version: VersionRecord,
  reason: StateReason,
  stamp: Stamp,
): VersionRecord {
  const isNew = version.state === 'Pending';
  return {
    ...version,
    revisionId: stamp.newId(),
    state: isNew ? 'Failed' : version.state,
    stateReason: isNew ? reason : version.stateReason,
    lastUpdateStatus: 'Failed',
    lastUpdateReason: reason,
  };
}

export function isUnsettled(version: VersionRecord): boolean {
  return version.state === 'Pending' || version.lastUpdateStatus === 'InProgress';
}

/** The last creation or update has succeeded. */
export function hasSettled({ state, lastUpdateStatus }: VersionRecord): boolean {
  return state === 'Active' && lastUpdateStatus === 'Successful';
}

/** Throws ResourceConflictException while the function is being created or updated. */
export function requireSettled(record: FunctionRecord): void {
  if (record.latest.state === 'Pending') requireActive(record.latest);
  if (record.latest.lastUpdateStatus === 'InProgress')
    throw new ServiceError(
      'ResourceConflictException',
      `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(record, record.name)}`,
    );
}

/** Throws ResourceConflictException unless the version can be invoked. */
export function requireActive(version: VersionRecord): void {
  if (version.state !== 'Active')
    throw new ServiceError(
      'ResourceConflictException',
      `The operation cannot be performed at this time. The function is currently in the following state: ${version.state}`,
    );
}

/** Throws PreconditionFailedException when the caller saw an older state. */
export function requireRevision(
  present: { readonly revisionId: string },
  revisionId: string | undefined,
): void {
  if (revisionId !== undefined && revisionId !== present.revisionId)
    throw new ServiceError(
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
    );
}
