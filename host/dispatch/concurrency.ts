// Concurrency of an account in a region: how many invocations may run at an instant. Refuses at once, never waits.
import { ServiceError } from '../service-error.ts';

export class Concurrency {
  readonly #limit: number;
  readonly #running = new Map<string, number>();

  /** @param limit `dispatch.accountConcurrency` */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts one invocation in; whoever entered leaves exactly once. Throws TooManyRequestsException at the limit. */
  enter(account: string, region: string): void {
    const key = `${account}/${region}`;
    const running = this.#running.get(key) ?? 0;
    if (running >= this.#limit) throw rateExceeded();
    this.#running.set(key, running + 1);
  }

  leave(account: string, region: string): void {
    const key = `${account}/${region}`;
    const running = this.#running.get(key) ?? 0;
    if (running <= 1) this.#running.delete(key);
    else this.#running.set(key, running - 1);
  }

  running(account: string, region: string): number {
    return this.#running.get(`${account}/${region}`) ?? 0;
  }
}

/** The service's words for "no capacity", whether of the account or of the machine. */
export function rateExceeded(options?: ErrorOptions): ServiceError {
  return new ServiceError('TooManyRequestsException', 'Rate Exceeded.', {
    Reason: 'ConcurrentInvocationLimitExceeded',
    retryAfterSeconds: 1,
    ...options,
  });
}
