// How many invocations may run at an instant. A version draws first on what is provisioned for it, then on what its function has
// reserved or, without a reserve, on what nobody of the account is promised. Refuses at once, never waits; constant time for each
// invocation. Takes effect at once when shares change: what runs goes on and counts.
import type { ThrottleReason } from '../api/model/types.ts';
import { allottedTo, type FunctionShares, NO_SHARES } from '../concurrency/shares.ts';
import { TokenBucket } from '../concurrency/token-bucket.ts';
import { ServiceError } from '../service-error.ts';

/** The service takes so many requests per second for each concurrent execution that there may be. */
const REQUESTS_PER_CONCURRENCY = 10;

export interface ConcurrencyOptions {
  /** `dispatch.accountConcurrency`: of one account in one region. */
  readonly limit: number;
  /** `dispatch.requestRate`: whether requests per second are limited too. */
  readonly limitsRate: boolean;
  readonly monotonicMs: () => number;
}

/**
 * Of what nobody is promised, one in so many is left to callers who wait for their answer: events from the queue, however many, do
 * not take the last.
 */
const LEFT_TO_CALLERS = 10;

/** One account in one region. */
interface ScopeUse {
  /** What its functions are promised together. */
  allotted: number;
  /** Invocations that run on what nobody is promised. */
  onDemand: number;
}

interface FunctionUse {
  readonly scope: ScopeUse;
  readonly versions: Map<string, VersionUse>;
  shares: FunctionShares;
  /** Invocations that run beyond what is provisioned for their version. */
  onDemand: number;
  /** Undefined until it is first needed. */
  requests: TokenBucket | undefined;
}

interface VersionUse {
  readonly owner: FunctionUse;
  provisioned: number;
  running: number;
}

/** One invocation that has been counted in; whoever entered leaves with it, exactly once. */
export type Admission = Readonly<VersionUse>;

export class Concurrency {
  readonly #options: ConcurrencyOptions;
  readonly #scopes = new Map<string, ScopeUse>();
  readonly #functions = new Map<string, FunctionUse>();

  constructor(options: ConcurrencyOptions) {
    this.#options = options;
  }

  /** `dispatch.accountConcurrency` */
  get limit(): number {
    return this.#options.limit;
  }

  /** What functions without a promise may use together. @param scope see functionScope */
  unreserved(scope: string): number {
    return Math.max(0, this.#options.limit - this.allotted(scope));
  }

  /** What the functions of an account in a region are promised together. @param scope see functionScope */
  allotted(scope: string): number {
    return this.#scopes.get(scope)?.allotted ?? 0;
  }

  /** A function is promised something else than before; undefined: it is gone. */
  setShares(functionKey: string, shares: FunctionShares | undefined): void {
    const use = this.#functions.get(functionKey);
    const isPromised = shares?.reserved !== undefined || (shares?.provisionedTotal ?? 0) > 0;
    if (use === undefined && !isPromised) return;
    this.#apply(use ?? this.#addFunction(functionKey), shares ?? NO_SHARES);
    if (shares === undefined) this.#functions.delete(functionKey);
  }

  /** Whether one more event from the queue may run now. An estimate of what {@link enter} will say, on the safe side. */
  hasRoom(functionKey: string, version: string): boolean {
    const owner = this.#functions.get(functionKey) ?? this.#addFunction(functionKey);
    const running = owner.versions.get(version)?.running ?? 0;
    if (running < (owner.shares.provisioned.get(version) ?? 0)) return true;
    const { reserved, provisionedTotal } = owner.shares;
    if (reserved !== undefined) return owner.onDemand < reserved - provisionedTotal;
    const unpromised = this.#options.limit - owner.scope.allotted;
    return owner.scope.onDemand < unpromised - Math.floor(unpromised / LEFT_TO_CALLERS);
  }

  /** Counts one invocation in. Throws TooManyRequestsException at a limit. */
  enter(functionKey: string, version: string): Admission {
    const owner = this.#functions.get(functionKey) ?? this.#addFunction(functionKey);
    const use = owner.versions.get(version) ?? addVersion(owner, version);
    if (use.running >= use.provisioned) this.#enterOnDemand(owner);
    use.running += 1;
    return use;
  }

  leave(admission: Admission): void {
    const use: VersionUse = admission;
    const { owner } = use;
    if (use.running > use.provisioned) {
      owner.onDemand -= 1;
      if (owner.shares.reserved === undefined) owner.scope.onDemand -= 1;
    }
    use.running -= 1;
  }

  /** Counts one synchronous request. Throws TooManyRequestsException when there are too many per second. */
  countRequest({ owner }: Admission): void {
    if (!this.#options.limitsRate) return;
    const { reserved } = owner.shares;
    const perSecond = REQUESTS_PER_CONCURRENCY * (reserved ?? this.#options.limit);
    const now = this.#options.monotonicMs();
    owner.requests ??= new TokenBucket(perSecond, now);
    if (owner.requests.take(perSecond, now)) return;
    throw rateExceeded(
      reserved === undefined
        ? 'FunctionInvocationRateLimitExceeded'
        : 'ReservedFunctionInvocationRateLimitExceeded',
    );
  }

  #enterOnDemand(owner: FunctionUse): void {
    const { reserved, provisionedTotal } = owner.shares;
    if (reserved === undefined) {
      const { scope } = owner;
      if (scope.onDemand >= this.#options.limit - scope.allotted)
        throw rateExceeded('ConcurrentInvocationLimitExceeded');
      scope.onDemand += 1;
    } else if (owner.onDemand >= reserved - provisionedTotal)
      throw rateExceeded('ReservedFunctionConcurrentInvocationLimitExceeded');
    owner.onDemand += 1;
  }

  #apply(use: FunctionUse, shares: FunctionShares): void {
    const { scope, versions } = use;
    if (use.shares.reserved === undefined) scope.onDemand -= use.onDemand;
    scope.allotted += allottedTo(shares) - allottedTo(use.shares);
    use.shares = shares;
    use.onDemand = 0;
    for (const [version, each] of versions) {
      each.provisioned = shares.provisioned.get(version) ?? 0;
      use.onDemand += Math.max(0, each.running - each.provisioned);
      if (each.running === 0) versions.delete(version);
    }
    if (shares.reserved === undefined) scope.onDemand += use.onDemand;
  }

  #addFunction(key: string): FunctionUse {
    const scopeKey = key.slice(0, key.lastIndexOf('/'));
    const scope = this.#scopes.get(scopeKey) ?? { allotted: 0, onDemand: 0 };
    this.#scopes.set(scopeKey, scope);
    const use: FunctionUse = {
      scope,
      versions: new Map(),
      shares: NO_SHARES,
      onDemand: 0,
      requests: undefined,
    };
    this.#functions.set(key, use);
    return use;
  }
}

function addVersion(owner: FunctionUse, version: string): VersionUse {
  const provisioned = owner.shares.provisioned.get(version) ?? 0;
  const use = { owner, provisioned, running: 0 };
  owner.versions.set(version, use);
  return use;
}

/** A call that could be served at another time. */
export function rateExceeded(reason: ThrottleReason, options?: ErrorOptions): ServiceError {
  return new ServiceError('TooManyRequestsException', 'Rate Exceeded.', {
    Reason: reason,
    retryAfterSeconds: 1,
    ...options,
  });
}
