// All code signing configs of the host. A config cannot be deleted while functions use it, nor while one is about to.
import type { Scope } from '../functions/names.ts';
import { ServiceError } from '../service-error.ts';
import { ScopedResources } from '../store/scoped-resources.ts';
import type { Registry } from '../store/store.ts';
import { type CodeSigningConfigRecord, codeSigningConfigArn } from './record.ts';

export class CodeSigningConfigs {
  readonly all: ScopedResources<CodeSigningConfigRecord>;
  /** How many functions are being attached to each config, by ARN. */
  readonly #attaching = new Map<string, number>();
  /** ARNs of configs whose deletion is on its way to the disk. */
  readonly #ending = new Set<string>();

  private constructor(all: ScopedResources<CodeSigningConfigRecord>) {
    this.all = all;
  }

  /** Reads all records into memory. */
  static async open(registry: Registry): Promise<CodeSigningConfigs> {
    const all = await ScopedResources.open<CodeSigningConfigRecord>(registry, {
      kind: 'code-signing-config',
      arnOf: (record) => codeSigningConfigArn(record, record.id),
      notFound: (arn) =>
        new ServiceError(
          'ResourceNotFoundException',
          `The Lambda code signing configuration ${arn} can not be found.`,
        ),
    });
    return new CodeSigningConfigs(all);
  }

  /** Throws ResourceNotFoundException, and ResourceConflictException for a config that functions use. */
  async remove(scope: Scope, arn: string, isUsed: () => boolean): Promise<void> {
    try {
      await this.all.remove(scope, arn, () => {
        if (this.#attaching.has(arn) || isUsed())
          throw new ServiceError(
            'ResourceConflictException',
            'The code signing configuration is in use by functions',
          );
        this.#ending.add(arn);
      });
    } finally {
      this.#ending.delete(arn);
    }
  }

  /** Throws CodeSigningConfigNotFoundException when a function cannot be attached to it. */
  requireAttachable(scope: Scope, arn: string): void {
    if (this.all.find(scope, arn) === undefined || this.#ending.has(arn))
      throw new ServiceError(
        'CodeSigningConfigNotFoundException',
        `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
      );
  }

  /** Runs what attaches a function; the config stays meanwhile. Throws as {@link requireAttachable}. */
  async during<T>(scope: Scope, arn: string | undefined, attach: () => Promise<T>): Promise<T> {
    if (arn === undefined) return await attach();
    this.requireAttachable(scope, arn);
    this.#attaching.set(arn, (this.#attaching.get(arn) ?? 0) + 1);
    try {
      return await attach();
    } finally {
      const left = (this.#attaching.get(arn) ?? 1) - 1;
      if (left === 0) this.#attaching.delete(arn);
      else this.#attaching.set(arn, left);
    }
  }
}
