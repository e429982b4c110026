// Records that belong to one account and region and are named by an ARN, of one sort. See aggregates.ts for how they are kept.
import type { ServiceError } from '../service-error.ts';
import { Aggregates } from './aggregates.ts';
import type { Registry } from './store.ts';

export interface ResourceScope {
  readonly account: string;
  readonly region: string;
}

export interface ScopedResourcesOptions<Root> {
  /** In the registry. */
  readonly kind: string;
  /** Ends in a colon and the id, which holds neither colon nor slash. */
  readonly arnOf: (record: Root) => string;
  /** What is said when there is no such resource. */
  readonly notFound: (arn: string) => ServiceError;
}

export class ScopedResources<Root extends ResourceScope> {
  readonly #held: Aggregates<Root>;
  readonly #options: ScopedResourcesOptions<Root>;

  private constructor(held: Aggregates<Root>, options: ScopedResourcesOptions<Root>) {
    this.#held = held;
    this.#options = options;
  }

  /** Reads all records into memory. */
  static async open<Root extends ResourceScope>(
    registry: Registry,
    options: ScopedResourcesOptions<Root>,
  ): Promise<ScopedResources<Root>> {
    const held = await Aggregates.open<Root>(registry, { root: options.kind, parts: [] });
    return new ScopedResources(held, options);
  }

  /** Of the scope's own only: an ARN of another region names nothing. */
  find(scope: ResourceScope, arn: string): Root | undefined {
    const record = this.#held.get(keyOf(scope, arn))?.root;
    return record !== undefined && this.#options.arnOf(record) === arn ? record : undefined;
  }

  /** As {@link find}; throws what is said when there is none. */
  require(scope: ResourceScope, arn: string): Root {
    return this.#present(this.find(scope, arn), arn);
  }

  /** Ordered by id. */
  *of({ account, region }: ResourceScope): Iterable<Root> {
    const scope = `${account}/${region}`;
    for (const id of this.#held.names(scope)) {
      const record = this.#held.get(`${scope}/${id}`)?.root;
      if (record !== undefined) yield record;
    }
  }

  /** Throws what `taken` makes when there is one of that ARN. */
  async create(record: Root, taken: (arn: string) => Error): Promise<void> {
    const arn = this.#options.arnOf(record);
    await this.#held.change(keyOf(record, arn), (current) => {
      if (current !== undefined) throw taken(arn);
      return { change: { root: record }, result: undefined };
    });
  }

  /** Resolves with the changed record when it is on disk. */
  async change(scope: ResourceScope, arn: string, decide: (current: Root) => Root): Promise<Root> {
    this.require(scope, arn);
    return await this.#held.change(keyOf(scope, arn), (current) => {
      const root = decide(this.#present(current?.root, arn));
      return { change: { root }, result: root };
    });
  }

  /** Resolves with what was removed. What `check` throws keeps it. */
  async remove(
    scope: ResourceScope,
    arn: string,
    check: (current: Root) => void = () => {},
  ): Promise<Root> {
    this.require(scope, arn);
    return await this.#held.change(keyOf(scope, arn), (current) => {
      const result = this.#present(current?.root, arn);
      check(result);
      return { change: undefined, result };
    });
  }

  #present(record: Root | undefined, arn: string): Root {
    if (record === undefined) throw this.#options.notFound(arn);
    return record;
  }
}

function keyOf({ account, region }: ResourceScope, arn: string): string {
  return `${account}/${region}/${arn.slice(arn.lastIndexOf(':') + 1)}`;
}
