// Environments of functions that keep their tenants apart: an environment serves one tenant for its whole life. To the warm pool each
// tenant is a configuration of its own, under a key of its own.
import { LRUCache } from 'lru-cache';
import type { EnvironmentSpec, Invocation, InvokeResult } from '../../runtime/invocation.ts';
import type { Environments } from './dispatcher.ts';

/** What is needed of the warm pool. */
export interface KeyedEnvironments extends Pick<Environments, 'invoke'> {
  hasRoom(spec: EnvironmentSpec): boolean;
  retire(environmentKey: string): void;
}

export interface TenantEnvironmentsOptions {
  readonly environments: KeyedEnvironments;
  /** Tenants of one version that have environments at a time; beyond, those of the tenant that has not called for longest end. */
  readonly maxTenants: number;
}

export class TenantEnvironments implements Environments {
  readonly #environments: KeyedEnvironments;
  readonly #maxTenants: number;
  /** By the key of the version, then by tenant. */
  readonly #specs = new Map<string, LRUCache<string, EnvironmentSpec>>();
  /** Keys are never used again, not even for the same tenant: what was retired under one may still be ending. */
  #lastNumber = 0;

  constructor({ environments, maxTenants }: TenantEnvironmentsOptions) {
    this.#environments = environments;
    this.#maxTenants = maxTenants;
  }

  invoke(spec: EnvironmentSpec, invocation: Invocation): Promise<InvokeResult> {
    return this.#environments.invoke(this.#ownSpec(spec, invocation.tenantId), invocation);
  }

  hasRoom(spec: EnvironmentSpec, tenantId: string): boolean {
    return this.#environments.hasRoom(this.#ownSpec(spec, tenantId));
  }

  /** The version has been superseded: its environments end, whosever they are. */
  retire(environmentKey: string): void {
    this.#environments.retire(environmentKey);
    const tenants = this.#specs.get(environmentKey);
    this.#specs.delete(environmentKey);
    for (const { key } of tenants?.values() ?? []) this.#environments.retire(key);
  }

  #ownSpec(spec: EnvironmentSpec, tenantId: string): EnvironmentSpec {
    return tenantId === '' ? spec : this.#specOf(spec, tenantId);
  }

  #specOf(spec: EnvironmentSpec, tenantId: string): EnvironmentSpec {
    const tenants = this.#tenantsOf(spec.key);
    const known = tenants.get(tenantId);
    if (known !== undefined) return known;
    this.#lastNumber += 1;
    const own = { ...spec, key: `${spec.key}/tenant-${this.#lastNumber}` };
    tenants.set(tenantId, own);
    return own;
  }

  #tenantsOf(environmentKey: string): LRUCache<string, EnvironmentSpec> {
    let tenants = this.#specs.get(environmentKey);
    if (tenants === undefined) {
      tenants = new LRUCache<string, EnvironmentSpec>({
        max: this.#maxTenants,
        dispose: ({ key }, _tenantId, reason) => {
          if (reason === 'evict') this.#environments.retire(key);
        },
      });
      this.#specs.set(environmentKey, tenants);
    }
    return tenants;
  }
}
