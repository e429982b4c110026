// All functions of the host, held in memory and kept in the registry. Every change of one function goes through here, one at
// a time, and is on disk before it is seen. Reads never touch the disk.
import type { Registry, RegistryChange } from '../store/store.ts';
import {
  FUNCTION_KIND,
  type FunctionRecord,
  functionKey,
  VERSION_KIND,
  type VersionRecord,
  versionKey,
} from './record.ts';

interface Held {
  readonly key: string;
  /** Revision of the record in the registry; undefined while it has not been stored. */
  readonly revision: number;
  readonly record: FunctionRecord;
  readonly versions: ReadonlyMap<string, HeldVersion>;
}

interface HeldVersion {
  readonly revision: number;
  readonly record: VersionRecord;
}

/** What a change makes of a function. Versions left out stay as they are. */
export interface FunctionChange {
  readonly record: FunctionRecord;
  /** New or replaced version records. */
  readonly versions?: readonly VersionRecord[] | undefined;
  /** Numbers of versions to delete. */
  readonly deletedVersions?: readonly string[] | undefined;
}

/** What a change of a function comes to: the change itself (undefined: delete it all) and what its caller gets. */
export interface Decision<T> {
  readonly change: FunctionChange | undefined;
  readonly result: T;
}

export interface FunctionsListener {
  /** A configuration has been replaced or deleted: its environments are to end. */
  onSuperseded(environmentKey: string): void;
}

export class Functions {
  readonly #registry: Registry;
  readonly #held = new Map<string, Held>();
  /** The tail of each function's changes: the next one waits for it. */
  readonly #changes = new Map<string, Promise<unknown>>();
  readonly #listeners: FunctionsListener[] = [];
  readonly #names = new Map<string, readonly string[]>();

  private constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Reads all records into memory. */
  static async open(registry: Registry): Promise<Functions> {
    const functions = new Functions(registry);
    const versions = new Map<string, Map<string, HeldVersion>>();
    for (const { key, revision, value } of await registry.list(VERSION_KIND)) {
      const owner = key.slice(0, key.lastIndexOf('/'));
      const record = value as VersionRecord; // written by us under this kind
      const ofOwner = versions.get(owner) ?? new Map<string, HeldVersion>();
      versions.set(owner, ofOwner.set(record.version, { revision, record }));
    }
    for (const { key, revision, value } of await registry.list(FUNCTION_KIND)) {
      const record = value as FunctionRecord; // written by us under this kind
      functions.#held.set(key, {
        key,
        revision,
        record,
        versions: versions.get(key) ?? new Map(),
      });
    }
    return functions;
  }

  listen(listener: FunctionsListener): void {
    this.#listeners.push(listener);
  }

  get(account: string, region: string, name: string): FunctionRecord | undefined {
    return this.#held.get(functionKey(account, region, name))?.record;
  }

  version(
    account: string,
    region: string,
    name: string,
    version: string,
  ): VersionRecord | undefined {
    return this.#held.get(functionKey(account, region, name))?.versions.get(version)?.record;
  }

  /** Published versions, ascending. */
  versions(account: string, region: string, name: string): readonly VersionRecord[] {
    const held = this.#held.get(functionKey(account, region, name));
    if (held === undefined) return [];
    return [...held.versions.values()]
      .map(({ record }) => record)
      .toSorted((a, b) => Number(a.version) - Number(b.version));
  }

  /** Names of one scope, ascending. The list is kept from one creation or deletion to the next. */
  names(account: string, region: string): readonly string[] {
    const prefix = functionKey(account, region, '');
    let names = this.#names.get(prefix);
    if (names === undefined) {
      names = [...this.#held.keys()]
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length))
        .toSorted();
      this.#names.set(prefix, names);
    }
    return names;
  }

  all(): Iterable<FunctionRecord> {
    return [...this.#held.values()].map(({ record }) => record);
  }

  /** Digests of every package that some record refers to. */
  referencedCode(): Set<string> {
    const digests = new Set<string>();
    for (const { record, versions } of this.#held.values()) {
      digests.add(record.latest.settings.code.digest);
      if (record.serving !== undefined) digests.add(record.serving.settings.code.digest);
      for (const version of versions.values()) digests.add(version.record.settings.code.digest);
    }
    return digests;
  }

  /** Bytes of the packages of one scope, each version counted. */
  codeBytes(account: string, region: string): number {
    let bytes = 0;
    for (const name of this.names(account, region)) {
      const held = this.#held.get(functionKey(account, region, name));
      bytes += held?.record.latest.settings.code.sizeBytes ?? 0;
      for (const { record } of held?.versions.values() ?? [])
        bytes += record.settings.code.sizeBytes;
    }
    return bytes;
  }

  get size(): number {
    return this.#held.size;
  }

  /**
   * Changes one function: `decide` gets what is there now and says what is to be, or undefined to delete it all; what it
   * throws changes nothing. Resolves when the change is on disk. Changes of one function run one after another.
   */
  change<T>(
    account: string,
    region: string,
    name: string,
    decide: (current: FunctionRecord | undefined) => Decision<T>,
  ): Promise<T> {
    const key = functionKey(account, region, name);
    const before = this.#changes.get(key) ?? Promise.resolve();
    const change = before.then(
      () => this.#apply(key, decide),
      () => this.#apply(key, decide),
    );
    this.#changes.set(key, change);
    const forget = () => {
      if (this.#changes.get(key) === change) this.#changes.delete(key);
    };
    change.then(forget, forget);
    return change;
  }

  async #apply<T>(
    key: string,
    decide: (current: FunctionRecord | undefined) => Decision<T>,
  ): Promise<T> {
    const held = this.#held.get(key);
    const { change, result } = decide(held?.record);
    if (change === undefined) {
      if (held !== undefined) await this.#remove(held);
      return result;
    }
    if (change.record === held?.record && change.versions === undefined) return result;
    await this.#store(key, held, change);
    return result;
  }

  async #store(key: string, held: Held | undefined, change: FunctionChange): Promise<void> {
    const changes: RegistryChange[] = [
      { kind: FUNCTION_KIND, key, expected: held?.revision, value: change.record },
    ];
    for (const record of change.versions ?? [])
      changes.push({
        kind: VERSION_KIND,
        key: versionKey(key, record.version),
        expected: held?.versions.get(record.version)?.revision,
        value: record,
      });
    for (const version of change.deletedVersions ?? []) {
      const revision = held?.versions.get(version)?.revision;
      if (revision !== undefined) changes.push(deletion(versionKey(key, version), revision));
    }
    const stored = await this.#registry.put(changes);
    const versions = new Map(held?.versions);
    for (const { kind, revision, value } of stored) {
      if (kind !== VERSION_KIND) continue;
      const record = value as VersionRecord; // what we have just stored
      versions.set(record.version, { revision, record });
    }
    for (const version of change.deletedVersions ?? []) versions.delete(version);
    const revision = stored[0]?.revision ?? 0;
    const now: Held = { key, revision, record: change.record, versions };
    this.#held.set(key, now);
    if (held === undefined) this.#names.clear();
    this.#tellSuperseded(held, now);
  }

  async #remove(held: Held): Promise<void> {
    const changes: RegistryChange[] = [
      { kind: FUNCTION_KIND, key: held.key, expected: held.revision, value: undefined },
    ];
    for (const [version, { revision }] of held.versions)
      changes.push(deletion(versionKey(held.key, version), revision));
    await this.#registry.put(changes);
    this.#held.delete(held.key);
    this.#names.clear();
    this.#tellSuperseded(held, undefined);
  }

  #tellSuperseded(before: Held | undefined, after: Held | undefined): void {
    const kept = new Set(after === undefined ? [] : environmentKeys(after));
    for (const key of before === undefined ? [] : environmentKeys(before))
      if (!kept.has(key)) for (const listener of this.#listeners) listener.onSuperseded(key);
  }
}

function deletion(key: string, expected: number): RegistryChange {
  return { kind: VERSION_KIND, key, expected, value: undefined };
}

/** Environments are made for one configuration of one version; this names it on the whole host. */
export function environmentKey(functionRecordKey: string, version: VersionRecord): string {
  return `${functionRecordKey}/${version.version}/${version.configurationId}`;
}

function environmentKeys({ key, record, versions }: Held): string[] {
  const latest = [record.latest, record.serving].filter((each) => each !== undefined);
  const published = [...versions.values()].map((each) => each.record);
  return [...latest, ...published].map((version) => environmentKey(key, version));
}
