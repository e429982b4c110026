// Publishing: what `$LATEST` holds becomes a numbered version that never changes again, unless the last one holds the same.
import { createHash } from 'node:crypto';
import type { PartChange } from '../store/aggregates.ts';
import { type HeldFunction, versionPart } from './functions.ts';
import { CREATING, hasSettled, type Stamp } from './lifecycle.ts';
import type { FunctionParts, FunctionRecord, FunctionSettings, VersionRecord } from './record.ts';

export interface Publication {
  /** The function with the number used up and a new revision; as it was when nothing had changed. */
  readonly root: FunctionRecord;
  /** The new version, or the last one when nothing had changed since. */
  readonly version: VersionRecord;
  /** Stores the new version; empty when there is none. */
  readonly parts: readonly PartChange<FunctionParts>[];
}

/**
 * Publishes `root`, which may be a change of what is held or a new function. A description given is the version's own; the
 * function's is copied otherwise.
 */
export function publish(
  held: HeldFunction | undefined,
  root: FunctionRecord,
  description: string | undefined,
  stamp: Stamp,
): Publication {
  const unchanged = unchangedVersion(held, root);
  if (unchanged !== undefined) return { root, version: unchanged, parts: [] };
  const { latest } = root;
  const version = newNumber(root, description, stamp);
  const lastPublished = {
    version: version.version,
    contentHash: contentHash(latest.settings),
  };
  return {
    root: {
      ...root,
      latest: { ...latest, revisionId: stamp.newId() },
      nextVersion: root.nextVersion + 1,
      lastPublished,
    },
    version,
    parts: [versionPart(version)],
  };
}

/** The last published version, if it is still there and was published of the same code and configuration. */
function unchangedVersion(
  held: HeldFunction | undefined,
  { latest, lastPublished }: FunctionRecord,
): VersionRecord | undefined {
  if (lastPublished?.contentHash !== contentHash(latest.settings)) return undefined;
  return held?.part('version', lastPublished.version);
}

function newNumber(
  { latest, nextVersion }: FunctionRecord,
  description: string | undefined,
  stamp: Stamp,
): VersionRecord {
  const { settings, lastModified } = latest;
  const base = {
    version: String(nextVersion),
    settings: description === undefined ? settings : { ...settings, description },
    configurationId: stamp.newId(),
    lastModified,
    revisionId: stamp.newId(),
  };
  // Whatever `$LATEST` needs is in place when it has settled; only a snapshot would be made for the version itself.
  const isReady = hasSettled(latest) && settings.snapStart === 'None';
  if (isReady) return { ...base, state: 'Active', lastUpdateStatus: 'Successful' };
  return { ...base, state: 'Pending', stateReason: CREATING };
}

/** The same for settings that say the same, in whatever order. */
function contentHash(settings: FunctionSettings): string {
  const text = JSON.stringify(settings, (_, value: unknown) => sorted(value));
  return createHash('sha256').update(text).digest('base64url');
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
