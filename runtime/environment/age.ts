// How long an environment may still be given events. Looked at now and then: two clocks for every event would show on the hot path.
import type { Clock } from '../clock.ts';

/** An environment is replaced after this long, as on the service. */
const MAX_LIFE_MS = 4 * 60 * 60 * 1000;

/** An environment is not used when its credentials end within this time. */
const CREDENTIALS_MARGIN_MS = 5 * 60 * 1000;

export class Age {
  /** When its credentials end, epoch milliseconds. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #bornAtMs: number;
  #isStale = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bornAtMs = clock.monotonicMs();
  }

  /** Past its life, or its credentials are about to end; as of the last {@link look}. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** To be called every second or so. */
  look(): void {
    this.#isStale =
      this.#clock.monotonicMs() - this.#bornAtMs > MAX_LIFE_MS ||
      this.#clock.epochMs() > this.expiresAtMs - CREDENTIALS_MARGIN_MS;
  }
}
