// Sees to it that what is provisioned is kept: environments for each version, also after a restart, when an alias moves, and until
// the config goes. Says how far that has come.
import type { EnvironmentSpec } from '../../runtime/invocation.ts';
import type { ProvisionedConcurrencyStatusEnum } from '../api/model/types.ts';
import { environmentKey, type Functions, type HeldFunction } from '../functions/functions.ts';
import type { FunctionRecord, VersionRecord } from '../functions/record.ts';
import { isOptimized } from '../functions/snap-start.ts';
import { qualifiedParts } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import { NOT_WITH_SNAP_START, PROVISIONED } from './provisioned.ts';
import type { ProvisionedConcurrencyRecord } from './record.ts';
import { versionShares } from './shares.ts';

/** What provisioning needs of the warm pool. */
export interface KeptEnvironments {
  keep(spec: EnvironmentSpec, count: number, anew: boolean): void;
  kept(key: string): {
    readonly available: number;
    readonly failure:
      | { readonly kind: 'init' }
      | { readonly kind: 'memory' | 'host'; readonly text: string }
      | undefined;
  };
}

export interface ProvisioningOptions {
  readonly functions: Functions;
  readonly environments: KeptEnvironments;
  /** Throws ServiceError for a version that cannot run on this host. */
  readonly specOf: (record: FunctionRecord, version: VersionRecord) => EnvironmentSpec;
}

export interface ProvisionedState {
  readonly available: number;
  readonly status: ProvisionedConcurrencyStatusEnum;
  /** Only of what has failed. */
  readonly reason: string | undefined;
}

/** Either environments are made of it, or the reason why not; neither while it is on its way. */
interface Provisionable {
  readonly spec?: EnvironmentSpec;
  readonly reason?: string;
}

export class Provisioning {
  readonly #options: ProvisioningOptions;
  /** What is kept now, by function and by environment key. */
  readonly #kept = new Map<string, ReadonlyMap<string, EnvironmentSpec>>();

  constructor(options: ProvisioningOptions) {
    this.#options = options;
  }

  /** Begins to keep what is stored, and follows every change. Once. */
  begin(): void {
    const { functions } = this.#options;
    for (const held of functions.allHeld()) this.#follow(held, false);
    functions.watch((before, after) => {
      const configs = (held: HeldFunction | undefined) => held?.stored.get(PROVISIONED);
      if (after !== undefined) this.#follow(after, configs(before) !== configs(after));
      else if (before !== undefined) this.#replace(before.key, new Map());
    });
  }

  /** How far one config has come. */
  stateOf(
    held: HeldFunction,
    qualifier: string,
    { requested }: ProvisionedConcurrencyRecord,
  ): ProvisionedState {
    let available = 0;
    let reason: string | undefined;
    for (const [version, count] of versionShares(held, qualifier, requested)) {
      const state = this.#stateOfVersion(held, version);
      available += Math.min(count, state.available);
      reason ??= state.reason;
    }
    if (available >= requested) return { available, status: 'READY', reason: undefined };
    return { available, status: reason === undefined ? 'IN_PROGRESS' : 'FAILED', reason };
  }

  #stateOfVersion(
    held: HeldFunction,
    version: string,
  ): { readonly available: number; readonly reason: string | undefined } {
    const { spec, reason } = this.#provisionable(held, version);
    if (spec === undefined) return { available: 0, reason };
    const { available, failure } = this.#options.environments.kept(spec.key);
    if (failure === undefined) return { available, reason: undefined };
    return {
      available,
      reason: failure.kind === 'init' ? 'FUNCTION_ERROR_INIT_FAILURE' : failure.text,
    };
  }

  #follow(held: HeldFunction, anew: boolean): void {
    const counts = new Map<EnvironmentSpec, number>();
    for (const [qualifier, { requested }] of qualifiedParts(held, PROVISIONED))
      for (const [version, count] of versionShares(held, qualifier, requested)) {
        const { spec } = this.#provisionable(held, version);
        if (spec !== undefined) counts.set(spec, (counts.get(spec) ?? 0) + count);
      }
    this.#replace(held.key, new Map([...counts.keys()].map((spec) => [spec.key, spec])));
    for (const [spec, count] of counts) this.#options.environments.keep(spec, count, anew);
  }

  /** What is kept of a function no more makes room first. */
  #replace(functionKey: string, specs: ReadonlyMap<string, EnvironmentSpec>): void {
    for (const [key, spec] of this.#kept.get(functionKey) ?? [])
      if (!specs.has(key)) this.#options.environments.keep(spec, 0, false);
    if (specs.size > 0) this.#kept.set(functionKey, specs);
    else this.#kept.delete(functionKey);
  }

  #provisionable(held: HeldFunction, number: string): Provisionable {
    const version = held.part('version', number);
    if (version === undefined) return { reason: `There is no published version ${number}.` };
    // A provisioned alias can be moved to one.
    if (isOptimized(version)) return { reason: NOT_WITH_SNAP_START };
    if (version.state === 'Failed') return { reason: version.stateReason?.text ?? 'Failed' };
    if (version.state !== 'Active') return {};
    const kept = this.#kept.get(held.key)?.get(environmentKey(held.key, version));
    if (kept !== undefined) return { spec: kept };
    try {
      return { spec: this.#options.specOf(held.root, version) };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { reason: error.message };
    }
  }
}
