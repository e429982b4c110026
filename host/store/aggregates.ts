// What is kept under one name: a root record and parts that live and die with it, in memory and in the registry. Every change
// of one aggregate goes through here, one at a time, and is on disk before it is seen. Reads never touch the disk.
import type { Registry, RegistryChange } from './store.ts';

/** The registry's kinds: one for roots, one for each sort of part. */
export interface AggregateKinds<Parts> {
  readonly root: string;
  readonly parts: readonly (keyof Parts & string)[];
}

/** A part to be put in place or, with an undefined value, removed. A name holds no slash. */
export type PartChange<Parts> = {
  [Kind in keyof Parts & string]: {
    readonly kind: Kind;
    readonly name: string;
    readonly value: Parts[Kind] | undefined;
  };
}[keyof Parts & string];

/** What a change makes of an aggregate. Parts left out stay as they are. */
export interface AggregateChange<Root, Parts> {
  readonly root: Root;
  readonly parts?: readonly PartChange<Parts>[] | undefined;
}

/** What a change comes to: the change itself (undefined: delete it all) and what its caller gets. */
export interface AggregateDecision<Root, Parts, Result> {
  readonly change: AggregateChange<Root, Parts> | undefined;
  readonly result: Result;
}

/** Hears of each change once it is on disk. `before` is undefined for a creation, `after` for a deletion. */
export type AggregateListener<Root, Parts> = (
  before: Aggregate<Root, Parts> | undefined,
  after: Aggregate<Root, Parts> | undefined,
) => void;

interface StoredPart {
  readonly revision: number;
  readonly value: unknown;
}

type StoredParts = ReadonlyMap<string, ReadonlyMap<string, StoredPart>>;

/** One aggregate as it is at an instant. Never changes: a change makes another one. */
export class Aggregate<Root, Parts> {
  readonly key: string;
  readonly root: Root;
  /** Of the root, in the registry. */
  readonly revision: number;
  readonly stored: StoredParts;

  constructor(key: string, root: Root, revision: number, stored: StoredParts) {
    this.key = key;
    this.root = root;
    this.revision = revision;
    this.stored = stored;
  }

  part<Kind extends keyof Parts & string>(kind: Kind, name: string): Parts[Kind] | undefined {
    // as: parts are written under their kind only
    return this.stored.get(kind)?.get(name)?.value as Parts[Kind] | undefined;
  }

  /** Names with their parts, in no promised order. */
  *parts<Kind extends keyof Parts & string>(kind: Kind): Iterable<readonly [string, Parts[Kind]]> {
    for (const [name, { value }] of this.stored.get(kind) ?? []) yield [name, value as Parts[Kind]]; // as: parts are written under their kind only
  }
}

/** All aggregates of one sort. Keys are `scope/name`; a name holds no slash. */
export class Aggregates<Root, Parts = Record<never, never>> {
  readonly #registry: Registry;
  readonly #kinds: AggregateKinds<Parts>;
  readonly #held = new Map<string, Aggregate<Root, Parts>>();
  /** The tail of each aggregate's changes: the next one waits for it. */
  readonly #changes = new Map<string, Promise<unknown>>();
  readonly #listeners: AggregateListener<Root, Parts>[] = [];
  readonly #names = new SortedNames();

  private constructor(registry: Registry, kinds: AggregateKinds<Parts>) {
    this.#registry = registry;
    this.#kinds = kinds;
  }

  /** Reads all records of these kinds into memory. */
  static async open<Root, Parts = Record<never, never>>(
    registry: Registry,
    kinds: AggregateKinds<Parts>,
  ): Promise<Aggregates<Root, Parts>> {
    const aggregates = new Aggregates<Root, Parts>(registry, kinds);
    const parts = new Map<string, Map<string, Map<string, StoredPart>>>();
    for (const kind of kinds.parts)
      for (const { key, revision, value } of await registry.list(kind)) {
        const owner = scopeOf(key);
        const ofOwner = getOrMake(parts, owner, () => new Map<string, Map<string, StoredPart>>());
        const ofKind = getOrMake(ofOwner, kind, () => new Map<string, StoredPart>());
        ofKind.set(nameOf(key), { revision, value });
      }
    for (const { key, revision, value } of await registry.list(kinds.root)) {
      const root = value as Root; // written by us under this kind
      aggregates.#held.set(key, new Aggregate(key, root, revision, parts.get(key) ?? new Map()));
      aggregates.#names.add(key);
    }
    return aggregates;
  }

  listen(listener: AggregateListener<Root, Parts>): void {
    this.#listeners.push(listener);
  }

  get(key: string): Aggregate<Root, Parts> | undefined {
    return this.#held.get(key);
  }

  all(): Iterable<Aggregate<Root, Parts>> {
    return this.#held.values();
  }

  get size(): number {
    return this.#held.size;
  }

  /** Names of one scope, ascending. */
  names(scope: string): readonly string[] {
    return this.#names.of(scope);
  }

  /**
   * Changes one aggregate: `decide` gets what is there now and says what is to be; what it throws changes nothing. Resolves
   * when the change is on disk. Changes of one aggregate run one after another.
   */
  change<Result>(
    key: string,
    decide: (current: Aggregate<Root, Parts> | undefined) => AggregateDecision<Root, Parts, Result>,
  ): Promise<Result> {
    const before = this.#changes.get(key) ?? Promise.resolve();
    const apply = () => this.#apply(key, decide);
    const change = before.then(apply, apply);
    this.#changes.set(key, change);
    const forget = () => {
      if (this.#changes.get(key) === change) this.#changes.delete(key);
    };
    change.then(forget, forget);
    return change;
  }

  async #apply<Result>(
    key: string,
    decide: (current: Aggregate<Root, Parts> | undefined) => AggregateDecision<Root, Parts, Result>,
  ): Promise<Result> {
    const held = this.#held.get(key);
    const { change, result } = decide(held);
    if (change === undefined) {
      if (held !== undefined) await this.#remove(held);
      return result;
    }
    const parts = (change.parts ?? []).filter(
      ({ kind, name, value }) => value !== undefined || held?.part(kind, name) !== undefined,
    );
    if (change.root === held?.root && parts.length === 0) return result;
    await this.#store(key, held, change.root, parts);
    return result;
  }

  async #store(
    key: string,
    held: Aggregate<Root, Parts> | undefined,
    root: Root,
    parts: readonly PartChange<Parts>[],
  ): Promise<void> {
    const changes: RegistryChange[] = [
      { kind: this.#kinds.root, key, expected: held?.revision, value: root },
    ];
    for (const { kind, name, value } of parts) {
      const expected = held?.stored.get(kind)?.get(name)?.revision;
      changes.push({ kind, key: `${key}/${name}`, expected, value });
    }
    const revisions = new Map<string, number>();
    for (const record of await this.#registry.put(changes))
      revisions.set(`${record.kind} ${record.key}`, record.revision);
    const stored = new Map(held?.stored);
    for (const { kind, name, value } of parts) {
      const ofKind = new Map(stored.get(kind));
      const revision = revisions.get(`${kind} ${key}/${name}`);
      if (value === undefined || revision === undefined) ofKind.delete(name);
      else ofKind.set(name, { revision, value });
      stored.set(kind, ofKind);
    }
    const revision = revisions.get(`${this.#kinds.root} ${key}`);
    if (revision === undefined) throw new Error(`${this.#kinds.root} ${key} was not stored`);
    const after = new Aggregate<Root, Parts>(key, root, revision, stored);
    this.#held.set(key, after);
    if (held === undefined) this.#names.add(key);
    for (const listener of this.#listeners) listener(held, after);
  }

  async #remove(held: Aggregate<Root, Parts>): Promise<void> {
    const changes: RegistryChange[] = [
      { kind: this.#kinds.root, key: held.key, expected: held.revision, value: undefined },
    ];
    for (const [kind, parts] of held.stored)
      for (const [name, { revision }] of parts)
        changes.push({ kind, key: `${held.key}/${name}`, expected: revision, value: undefined });
    await this.#registry.put(changes);
    this.#held.delete(held.key);
    this.#names.delete(held.key);
    for (const listener of this.#listeners) listener(held, undefined);
  }
}

/** Names by scope, kept in order: a listing of a page does not look at the others. */
class SortedNames {
  readonly #byScope = new Map<string, string[]>();

  of(scope: string): readonly string[] {
    return this.#byScope.get(scope) ?? [];
  }

  add(key: string): void {
    const names = getOrMake(this.#byScope, scopeOf(key), () => []);
    const name = nameOf(key);
    names.splice(firstNotBelow(names, name), 0, name);
  }

  delete(key: string): void {
    const scope = scopeOf(key);
    const names = this.#byScope.get(scope);
    if (names === undefined) return;
    names.splice(firstNotBelow(names, nameOf(key)), 1);
    if (names.length === 0) this.#byScope.delete(scope);
  }
}

function firstNotBelow(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? '') < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function scopeOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
