// When an event or a delivery is tried again, and when it is given up. Pure; times are epoch milliseconds.

/** Back-off after a throttle or a fault of the host, and between attempts to deliver: the service's figures. */
const LEAST_BACK_OFF_MS = 1_000;
const MOST_BACK_OFF_MS = 300_000;

export interface RetryTerms {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  /** `async.retryBaseSeconds` in milliseconds: the first retry comes after it, the second after twice of it. */
  readonly retryBaseMs: number;
}

export type RetryDecision =
  | { readonly kind: 'again'; readonly dueAtMs: number }
  | { readonly kind: 'giveUp'; readonly condition: 'RetriesExhausted' | 'EventAgeExceeded' };

/** The event is too old for another attempt. */
export function isTooOld(acceptedAtMs: number, nowMs: number, terms: RetryTerms): boolean {
  return nowMs - acceptedAtMs > terms.maximumEventAgeSeconds * 1000;
}

/** After an error of the function. @param attempts that got to it, this one included */
export function afterFunctionError(
  attempts: number,
  acceptedAtMs: number,
  nowMs: number,
  terms: RetryTerms,
): RetryDecision {
  if (attempts > terms.maximumRetryAttempts)
    return { kind: 'giveUp', condition: 'RetriesExhausted' };
  const dueAtMs = Math.ceil(nowMs + terms.retryBaseMs * 2 ** (attempts - 1));
  if (isTooOld(acceptedAtMs, dueAtMs, terms))
    return { kind: 'giveUp', condition: 'EventAgeExceeded' };
  return { kind: 'again', dueAtMs };
}

/**
 * After an attempt that did not get to the function. The wait never leads beyond the age, so that the event is tried once more at
 * its very end.
 * @param refusals in a row, this one included
 */
export function afterRefusal(
  refusals: number,
  acceptedAtMs: number,
  nowMs: number,
  terms: RetryTerms,
  random: () => number,
): RetryDecision {
  const endMs = Math.floor(acceptedAtMs + terms.maximumEventAgeSeconds * 1000);
  if (endMs < nowMs + LEAST_BACK_OFF_MS) return { kind: 'giveUp', condition: 'EventAgeExceeded' };
  return {
    kind: 'again',
    dueAtMs: Math.min(endMs, Math.ceil(nowMs + backOffMs(refusals, random))),
  };
}

/** Doubles from one second to five minutes; up to half of it is left to chance, so that what failed together does not return so. */
export function backOffMs(failures: number, random: () => number): number {
  const wholeMs = Math.min(MOST_BACK_OFF_MS, LEAST_BACK_OFF_MS * 2 ** Math.min(failures, 20));
  return Math.max(LEAST_BACK_OFF_MS, wholeMs * (0.5 + random() / 2));
}
