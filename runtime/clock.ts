// Time as an argument: tests move it, production reads the machine's.

export interface Clock {
  /** Milliseconds with fractions since some fixed instant; never steps back. */
  monotonicMs(): number;
  /** Milliseconds since 1970, whole or fractional. */
  epochMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
};
