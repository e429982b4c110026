// All code signing configs of the host. A config cannot be deleted while functions use it, nor while one is about to.
import type { Scope } from '../functions/names.ts';
import { functionScope } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import { Aggregates } from '../store/aggregates.ts';
import type { Registry } from '../store/store.ts';
import { type CodeSigningConfigRecord, codeSigningConfigArn } from './record.ts';

export class CodeSigningConfigs {
  readonly #held: Aggregates<CodeSigningConfigRecord>;
  /** How many functions are being attached to each config, by key. */
  readonly #attaching = new Map<string, number>();
  /** Keys of configs whose deletion is on its way to the disk. */
  readonly #ending = new Set<string>();

  private constructor(held: Aggregates<CodeSigningConfigRecord>) {
    this.#held = held;
  }

  /** Reads all records into memory. */
  static async open(registry: Registry): Promise<CodeSigningConfigs> {
    return new CodeSigningConfigs(
      await Aggregates.open(registry, { root: 'code-signing-config', parts: [] }),
    );
  }

  /** Of the scope's own configs only: an ARN of another region names nothing. */
  find(scope: Scope, arn: string): CodeSigningConfigRecord | undefined {
    const record = this.#held.get(keyOf(scope, idOf(arn)))?.root;
    return record !== undefined && codeSigningConfigArn(scope, record.id) === arn
      ? record
      : undefined;
  }

  /** Ordered by id. */
  *of({ account, region }: Scope): Iterable<CodeSigningConfigRecord> {
    for (const id of this.#held.names(functionScope(account, region))) {
      const record = this.#held.get(keyOf({ account, region }, id))?.root;
      if (record !== undefined) yield record;
    }
  }

  async create(record: CodeSigningConfigRecord): Promise<void> {
    await this.#held.change(keyOf(record, record.id), (current) => {
      if (current !== undefined) throw new Error(`there is a config ${record.id} already`);
      return { change: { root: record }, result: undefined };
    });
  }

  /** Resolves with the changed record when it is on disk. Throws ResourceNotFoundException. */
  async change(
    scope: Scope,
    arn: string,
    decide: (current: CodeSigningConfigRecord) => CodeSigningConfigRecord,
  ): Promise<CodeSigningConfigRecord> {
    requireKnown(this.find(scope, arn), arn);
    return await this.#held.change(keyOf(scope, idOf(arn)), (current) => {
      const root = decide(requireKnown(current?.root, arn));
      return { change: { root }, result: root };
    });
  }

  /** Throws ResourceNotFoundException, and ResourceConflictException for a config that functions use. */
  async remove(scope: Scope, arn: string, isUsed: () => boolean): Promise<void> {
    requireKnown(this.find(scope, arn), arn);
    const key = keyOf(scope, idOf(arn));
    try {
      await this.#held.change(key, (current) => {
        requireKnown(current?.root, arn);
        if (this.#attaching.has(key) || isUsed())
          throw new ServiceError(
            'ResourceConflictException',
            'The code signing configuration is in use by functions',
          );
        this.#ending.add(key);
        return { change: undefined, result: undefined };
      });
    } finally {
      this.#ending.delete(key);
    }
  }

  /** Throws CodeSigningConfigNotFoundException when a function cannot be attached to it. */
  requireAttachable(scope: Scope, arn: string): void {
    const isThere = this.find(scope, arn) !== undefined;
    if (!isThere || this.#ending.has(keyOf(scope, idOf(arn))))
      throw new ServiceError(
        'CodeSigningConfigNotFoundException',
        `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
      );
  }

  /** Runs what attaches a function; the config stays meanwhile. Throws as {@link requireAttachable}. */
  async during<T>(scope: Scope, arn: string | undefined, attach: () => Promise<T>): Promise<T> {
    if (arn === undefined) return await attach();
    this.requireAttachable(scope, arn);
    const key = keyOf(scope, idOf(arn));
    this.#attaching.set(key, (this.#attaching.get(key) ?? 0) + 1);
    try {
      return await attach();
    } finally {
      const left = (this.#attaching.get(key) ?? 1) - 1;
      if (left === 0) this.#attaching.delete(key);
      else this.#attaching.set(key, left);
    }
  }
}

/** What is said of configs that operations on configs do not find; those on functions have words of their own. */
export function requireKnown(
  record: CodeSigningConfigRecord | undefined,
  arn: string,
): CodeSigningConfigRecord {
  if (record === undefined)
    throw new ServiceError(
      'ResourceNotFoundException',
      `The Lambda code signing configuration ${arn} can not be found.`,
    );
  return record;
}

function keyOf({ account, region }: Scope, id: string): string {
  return `${functionScope(account, region)}/${id}`;
}

function idOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1);
}
