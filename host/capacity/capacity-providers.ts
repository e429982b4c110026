// All capacity providers of the host: kept and shown. No function can have one yet.
import type { Scope } from '../functions/names.ts';
import { functionScope } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import { Aggregates } from '../store/aggregates.ts';
import type { Registry } from '../store/store.ts';
import { type CapacityProviderRecord, capacityProviderArn } from './record.ts';

export class CapacityProviders {
  readonly #held: Aggregates<CapacityProviderRecord>;

  private constructor(held: Aggregates<CapacityProviderRecord>) {
    this.#held = held;
  }

  /** Reads all records into memory. */
  static async open(registry: Registry): Promise<CapacityProviders> {
    return new CapacityProviders(
      await Aggregates.open(registry, { root: 'capacity-provider', parts: [] }),
    );
  }

  /** Of the scope's own providers only: an ARN of another region names nothing. */
  find(scope: Scope, arn: string): CapacityProviderRecord | undefined {
    const record = this.#held.get(keyOf(scope, nameOf(arn)))?.root;
    return record !== undefined && capacityProviderArn(scope, record.name) === arn
      ? record
      : undefined;
  }

  /** Ordered by name. */
  *of({ account, region }: Scope): Iterable<CapacityProviderRecord> {
    for (const name of this.#held.names(functionScope(account, region))) {
      const record = this.#held.get(keyOf({ account, region }, name))?.root;
      if (record !== undefined) yield record;
    }
  }

  /** Throws ResourceConflictException when the name is taken. */
  async create(record: CapacityProviderRecord): Promise<void> {
    await this.#held.change(keyOf(record, record.name), (current) => {
      if (current !== undefined)
        throw new ServiceError(
          'ResourceConflictException',
          `Capacity provider already exists: ${capacityProviderArn(record, record.name)}`,
        );
      return { change: { root: record }, result: undefined };
    });
  }

  /** Resolves with the changed record when it is on disk. Throws ResourceNotFoundException. */
  async change(
    scope: Scope,
    arn: string,
    decide: (current: CapacityProviderRecord) => CapacityProviderRecord,
  ): Promise<CapacityProviderRecord> {
    requireProvider(this.find(scope, arn), arn);
    return await this.#held.change(keyOf(scope, nameOf(arn)), (current) => {
      const root = decide(requireProvider(current?.root, arn));
      return { change: { root }, result: root };
    });
  }

  /** Resolves with what was removed. Throws ResourceNotFoundException. */
  async remove(scope: Scope, arn: string): Promise<CapacityProviderRecord> {
    requireProvider(this.find(scope, arn), arn);
    return await this.#held.change(keyOf(scope, nameOf(arn)), (current) => ({
      change: undefined,
      result: requireProvider(current?.root, arn),
    }));
  }
}

/** Throws ResourceNotFoundException when there is no such provider. */
export function requireProvider(
  record: CapacityProviderRecord | undefined,
  arn: string,
): CapacityProviderRecord {
  if (record !== undefined) return record;
  throw new ServiceError('ResourceNotFoundException', `Capacity provider not found: ${arn}`);
}

function keyOf({ account, region }: Scope, name: string): string {
  return `${functionScope(account, region)}/${name}`;
}

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1);
}
