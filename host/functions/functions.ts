// All functions of the host with what belongs to them: versions, aliases and whatever hangs on these. See store/aggregates.ts
// for how they are kept.
import { StoredBytes } from '../code/stored-bytes.ts';
import {
  type Aggregate,
  type AggregateChange,
  type AggregateDecision,
  type AggregateListener,
  Aggregates,
  type PartChange,
} from '../store/aggregates.ts';
import type { Registry } from '../store/store.ts';
import { PartOrder } from './part-order.ts';
import {
  type AliasRecord,
  FUNCTION_PART_KINDS,
  type FunctionParts,
  type FunctionRecord,
  functionKey,
  functionScope,
  type VersionRecord,
} from './record.ts';

/** A function and everything that belongs to it, as it is at an instant. */
export type HeldFunction = Aggregate<FunctionRecord, FunctionParts>;

export type FunctionChange = AggregateChange<FunctionRecord, FunctionParts>;

export type Decision<T> = AggregateDecision<FunctionRecord, FunctionParts, T>;

export interface FunctionsListener {
  /** A configuration has been replaced or deleted: its environments are to end. */
  onSuperseded(environmentKey: string): void;
}

export class Functions {
  readonly #held: Aggregates<FunctionRecord, FunctionParts>;
  readonly #versions = new PartOrder('version', byNumber);
  readonly #aliases = new PartOrder('alias', byName);
  readonly #codeBytes = new StoredBytes();

  private constructor(held: Aggregates<FunctionRecord, FunctionParts>) {
    this.#held = held;
    for (const each of held.all()) this.#codeBytes.add(scopeOf(each), bytesOf(each));
  }

  /** Reads all records into memory. */
  static async open(registry: Registry): Promise<Functions> {
    return new Functions(
      await Aggregates.open(registry, { root: 'function', parts: FUNCTION_PART_KINDS }),
    );
  }

  listen(listener: FunctionsListener): void {
    this.#held.listen((before, after) => tellSuperseded(listener, before, after));
  }

  /** Every change of a function or of what belongs to it, once it is on disk. */
  watch(listener: AggregateListener<FunctionRecord, FunctionParts>): void {
    this.#held.listen(listener);
  }

  get(account: string, region: string, name: string): FunctionRecord | undefined {
    return this.held(account, region, name)?.root;
  }

  /** The function with all that belongs to it. */
  held(account: string, region: string, name: string): HeldFunction | undefined {
    return this.#held.get(functionKey(account, region, name));
  }

  /** Published versions, ascending. */
  versionsOf(held: HeldFunction): readonly VersionRecord[] {
    return this.#versions.of(held);
  }

  /** Aliases by name. */
  aliasesOf(held: HeldFunction): readonly AliasRecord[] {
    return this.#aliases.of(held);
  }

  /** Names of one scope, ascending. */
  names(account: string, region: string): readonly string[] {
    return this.#held.names(functionScope(account, region));
  }

  *all(): Iterable<FunctionRecord> {
    for (const { root } of this.#held.all()) yield root;
  }

  /** Every function with all that belongs to it. */
  allHeld(): Iterable<HeldFunction> {
    return this.#held.all();
  }

  /** Digests of every package that some record refers to. */
  referencedCode(): Set<string> {
    const digests = new Set<string>();
    for (const held of this.#held.all())
      for (const { settings } of everyConfiguration(held)) {
        digests.add(settings.code.digest);
        for (const { content } of settings.layers ?? []) digests.add(content.digest);
      }
    return digests;
  }

  /** Bytes of the packages of one scope, each version counted; those of changes that are being stored too. */
  codeBytes(account: string, region: string): number {
    return this.#codeBytes.of(functionScope(account, region));
  }

  get size(): number {
    return this.#held.size;
  }

  /**
   * Changes one function and what belongs to it: `decide` gets what is there now and says what is to be, or an undefined
   * change to delete it all; what it throws changes nothing. Resolves when the change is on disk. Changes of one function run
   * one after another.
   */
  change<T>(
    account: string,
    region: string,
    name: string,
    decide: (current: HeldFunction | undefined) => Decision<T>,
  ): Promise<T> {
    return this.#codeBytes.during(functionScope(account, region), (decided) =>
      this.#held.change(functionKey(account, region, name), (current) => {
        const decision = decide(current);
        decided(addedBytes(current, decision.change));
        return decision;
      }),
    );
  }
}

function scopeOf({ root }: HeldFunction): string {
  return functionScope(root.account, root.region);
}

function bytesOf(held: HeldFunction): number {
  let bytes = sizeOf(held.root.latest);
  for (const [, version] of held.parts('version')) bytes += sizeOf(version);
  return bytes;
}

/** What the packages of a function grow by; negative where they shrink. An undefined change deletes it. */
function addedBytes(before: HeldFunction | undefined, change: FunctionChange | undefined): number {
  if (change === undefined) return before === undefined ? 0 : -bytesOf(before);
  let added = sizeOf(change.root.latest) - sizeOf(before?.root.latest);
  for (const part of change.parts ?? [])
    if (part.kind === 'version')
      added += sizeOf(part.value) - sizeOf(before?.part('version', part.name));
  return added;
}

function sizeOf(version: VersionRecord | undefined): number {
  return version?.settings.code.sizeBytes ?? 0;
}

function byNumber(a: VersionRecord, b: VersionRecord): number {
  return Number(a.version) - Number(b.version);
}

function byName(a: AliasRecord, b: AliasRecord): number {
  return a.name < b.name ? -1 : 1;
}

/** The change that stores a published version. */
export function versionPart(record: VersionRecord): PartChange<FunctionParts> {
  return { kind: 'version', name: record.version, value: record };
}

/** Environments are made for one configuration of one version; this names it on the whole host. */
export function environmentKey(functionRecordKey: string, version: VersionRecord): string {
  return `${functionRecordKey}/${version.version}/${version.configurationId}`;
}

/** Everything that invocations may run: `$LATEST`, what serves while it is updated, and the published versions. */
function* everyConfiguration(held: HeldFunction): Iterable<VersionRecord> {
  yield* unpublished(held);
  for (const [, version] of held.parts('version')) yield version;
}

function tellSuperseded(
  listener: FunctionsListener,
  before: HeldFunction | undefined,
  after: HeldFunction | undefined,
): void {
  if (before === undefined) return;
  const kept = new Set(after === undefined ? [] : unpublished(after).map(idOf));
  for (const version of unpublished(before))
    if (!kept.has(idOf(version))) listener.onSuperseded(environmentKey(before.key, version));
  if (before.stored.get('version') === after?.stored.get('version')) return;
  for (const [number, version] of before.parts('version')) {
    const present = after?.part('version', number);
    if (present === undefined || idOf(present) !== idOf(version))
      listener.onSuperseded(environmentKey(before.key, version));
  }
}

function idOf({ configurationId }: VersionRecord): string {
  return configurationId;
}

function unpublished({ root: { latest, serving } }: HeldFunction): readonly VersionRecord[] {
  return serving === undefined ? [latest] : [latest, serving];
}
