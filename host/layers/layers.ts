// All layers of the host with their versions. See store/aggregates.ts for how they are kept.
import { StoredBytes } from '../code/stored-bytes.ts';
import {
  type Aggregate,
  type AggregateDecision,
  Aggregates,
  type PartChange,
} from '../store/aggregates.ts';
import type { Registry } from '../store/store.ts';
import type { LayerReference } from './names.ts';
import {
  LAYER_PART_KINDS,
  type LayerParts,
  type LayerRecord,
  type LayerVersionRecord,
} from './record.ts';

/** A layer and everything that belongs to it, as it is at an instant. */
export type HeldLayer = Aggregate<LayerRecord, LayerParts>;

export type LayerDecision<T> = AggregateDecision<LayerRecord, LayerParts, T>;

export class Layers {
  readonly #held: Aggregates<LayerRecord, LayerParts>;

  readonly #codeBytes = new StoredBytes();

  private constructor(held: Aggregates<LayerRecord, LayerParts>) {
    this.#held = held;
    for (const layer of held.all())
      for (const [, version] of layer.parts('layer-version'))
        this.#codeBytes.add(scopeOf(layer.root.account, layer.root.region), sizeOf(version));
  }

  /** Reads all records into memory. */
  static async open(registry: Registry): Promise<Layers> {
    return new Layers(await Aggregates.open(registry, { root: 'layer', parts: LAYER_PART_KINDS }));
  }

  held(layer: LayerReference): HeldLayer | undefined {
    return this.#held.get(keyOf(layer));
  }

  version(layer: LayerReference, version: number): LayerVersionRecord | undefined {
    return this.held(layer)?.part('layer-version', `${version}`);
  }

  /** Newest first. */
  versions(layer: LayerReference): readonly LayerVersionRecord[] {
    const held = this.held(layer);
    return [...(held?.parts('layer-version') ?? [])]
      .map(([, version]) => version)
      .toSorted((a, b) => b.version - a.version);
  }

  /** Names of one scope, ascending; those without versions too. */
  names(account: string, region: string): readonly string[] {
    return this.#held.names(scopeOf(account, region));
  }

  /** Digests of the packages of all layer versions. */
  referencedCode(): Set<string> {
    const digests = new Set<string>();
    for (const held of this.#held.all())
      for (const [, { content }] of held.parts('layer-version')) digests.add(content.digest);
    return digests;
  }

  /** Bytes of the packages of one scope, each version counted; those of changes that are being stored too. */
  codeBytes(account: string, region: string): number {
    return this.#codeBytes.of(scopeOf(account, region));
  }

  /** Changes one layer; see {@link Aggregates.change}. */
  change<T>(
    layer: LayerReference,
    decide: (current: HeldLayer | undefined) => LayerDecision<T>,
  ): Promise<T> {
    return this.#codeBytes.during(scopeOf(layer.account, layer.region), (decided) =>
      this.#held.change(keyOf(layer), (current) => {
        const decision = decide(current);
        decided(addedBytes(current, decision));
        return decision;
      }),
    );
  }
}

/** Removes a version with everything that hangs on it: all of it is kept under the number. */
export function versionRemoval(version: number): readonly PartChange<LayerParts>[] {
  return LAYER_PART_KINDS.map((kind) => ({ kind, name: `${version}`, value: undefined }));
}

/** What the packages of a layer grow by; negative where they shrink. An undefined change deletes it. */
function addedBytes(before: HeldLayer | undefined, { change }: LayerDecision<unknown>): number {
  let added = 0;
  if (change === undefined) {
    for (const [, version] of before?.parts('layer-version') ?? []) added -= sizeOf(version);
    return added;
  }
  for (const part of change.parts ?? [])
    if (part.kind === 'layer-version')
      added += sizeOf(part.value) - sizeOf(before?.part('layer-version', part.name));
  return added;
}

function sizeOf(version: LayerVersionRecord | undefined): number {
  return version?.content.sizeBytes ?? 0;
}

function scopeOf(account: string, region: string): string {
  return `${account}/${region}`;
}

function keyOf({ account, region, name }: LayerReference): string {
  return `${scopeOf(account, region)}/${name}`;
}
