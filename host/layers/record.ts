// What is stored of a layer: the layer itself, which only counts its versions, and each version. Versions are never edited.
import type { Architecture, Runtime } from '../api/model/types.ts';
import type { CodeReference } from '../functions/record.ts';
import type { PolicyRecord } from '../policies/policy.ts';

/** Kept when all of its versions are gone, so that their numbers are never given out again. */
export interface LayerRecord {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** The number that the next version gets. Never falls. */
  readonly nextVersion: number;
}

export interface LayerVersionRecord {
  readonly version: number;
  readonly description: string;
  /** `2024-01-01T00:00:00.000+0000`. */
  readonly createdDate: string;
  /** As given, in the order given; undefined when not given. */
  readonly compatibleRuntimes?: readonly Runtime[] | undefined;
  readonly compatibleArchitectures?: readonly Architecture[] | undefined;
  readonly licenseInfo?: string | undefined;
  readonly content: CodeReference;
}

/** What belongs to a layer, by its kind in the registry; each is named by the number of its version. */
export interface LayerParts {
  'layer-version': LayerVersionRecord;
  'layer-policy': PolicyRecord;
}

export const LAYER_PART_KINDS = [
  'layer-version',
  'layer-policy',
] as const satisfies readonly (keyof LayerParts)[];
