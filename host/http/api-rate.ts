// How many requests per second the control plane takes from one account in one region. Off by default; invocations and what belongs
// to them are not counted.
import type { OperationName } from '../api/model/types.ts';
import { TokenBucket } from '../concurrency/token-bucket.ts';
import type { Scope } from '../functions/names.ts';
import { functionScope } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';

/** Requests per second; undefined: no limit. */
export interface ApiRates {
  /** `limits.getFunctionRate` */
  readonly getFunction: number | undefined;
  /** `limits.getPolicyRate` */
  readonly getPolicy: number | undefined;
  /** `limits.apiRate`: all other operations together. */
  readonly others: number | undefined;
}

/** They have limits of their own, or belong to an execution that goes on. */
const DATA_PLANE: ReadonlySet<OperationName> = new Set([
  'Invoke',
  'InvokeAsync',
  'InvokeWithResponseStream',
  'CheckpointDurableExecution',
  'GetDurableExecutionState',
  'SendDurableExecutionCallbackFailure',
  'SendDurableExecutionCallbackHeartbeat',
  'SendDurableExecutionCallbackSuccess',
]);

export class ApiRate {
  readonly #rates: ApiRates;
  readonly #monotonicMs: () => number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rates: ApiRates, monotonicMs: () => number) {
    this.#rates = rates;
    this.#monotonicMs = monotonicMs;
  }

  /** Counts one request of a caller. Throws TooManyRequestsException when there are too many per second. */
  count({ account, region }: Scope, operation: OperationName): void {
    if (DATA_PLANE.has(operation)) return;
    const counted = countedWith(operation);
    const perSecond = this.#rates[counted];
    if (perSecond === undefined) return;
    const key = `${functionScope(account, region)}/${counted}`;
    const now = this.#monotonicMs();
    const bucket = this.#buckets.get(key) ?? new TokenBucket(perSecond, now);
    this.#buckets.set(key, bucket);
    if (!bucket.take(perSecond, now))
      throw new ServiceError('TooManyRequestsException', 'Rate exceeded', {
        Reason: 'CallerRateLimitExceeded',
      });
  }
}

function countedWith(operation: OperationName): keyof ApiRates {
  if (operation === 'GetFunction') return 'getFunction';
  return operation === 'GetPolicy' ? 'getPolicy' : 'others';
}
