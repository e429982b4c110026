// A limit of so many per second, with a burst of one second's worth. Constant time, no timer.

export class TokenBucket {
  #tokens: number;
  #filledAtMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#tokens = perSecond;
    this.#filledAtMs = nowMs;
  }

  /**
   * Whether one more is within the limit; only then it counts.
   * @param perSecond the limit as it is now
   * @param nowMs on a clock that never goes back
   */
  take(perSecond: number, nowMs: number): boolean {
    const filled = this.#tokens + ((nowMs - this.#filledAtMs) / 1000) * perSecond;
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(perSecond, filled);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
