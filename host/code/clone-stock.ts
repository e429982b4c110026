// Spare clones of one tree, made ahead of demand, so that a cold start finds its code ready to be renamed into a slot.
import type { Clock } from '../../runtime/clock.ts';

export interface CloneStockParts {
  /** Makes that many clones, or none and throws. */
  make(count: number): Promise<readonly string[]>;
  /** Takes back clones nobody will use. */
  discard(clones: readonly string[]): void;
  /** Hears of clones that could not be made while nobody was waiting for one. */
  onFault(error: unknown): void;
  readonly clock: Clock;
  /** Clones made by one call of `make`: few where a clone is large, since whoever waits waits for all of them. */
  readonly batch: number;
}

/** Spares kept of a tree in use; the next environment usually starts alone. */
const usualSpares = 2;
/** Spares kept after a burst has emptied the stock. */
const maxSpares = 16;
/** How long a burst is remembered. */
const burstMemoryMs = 60_000;

interface Waiter {
  resolve(clone: string): void;
  reject(error: unknown): void;
}

export class CloneStock {
  readonly #parts: CloneStockParts;
  readonly #spares: string[] = [];
  readonly #waiters: Waiter[] = [];
  #wanted = 0;
  #lastMissMs = Number.NEGATIVE_INFINITY;
  #filling: Promise<void> | undefined;
  #closed = false;

  constructor(parts: CloneStockParts) {
    this.#parts = parts;
  }

  /** The caller owns the clone. Undefined once the stock is closed. */
  take(): Promise<string> | undefined {
    if (this.#closed) return undefined;
    const spare = this.#spares.shift();
    if (spare !== undefined) {
      this.fill();
      return Promise.resolve(spare);
    }
    this.#lastMissMs = this.#parts.clock.monotonicMs();
    this.#wanted = Math.min(Math.max(usualSpares, this.#wanted * 2), maxSpares);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiters.push({ resolve, reject });
    this.fill();
    return promise;
  }

  /** Tops the stock up in the background. */
  fill(): void {
    if (this.#closed) return;
    const quietMs = this.#parts.clock.monotonicMs() - this.#lastMissMs;
    if (this.#wanted === 0 || quietMs > burstMemoryMs) this.#wanted = usualSpares;
    this.#startFilling();
  }

  /** Gives the spares back until the tree is used again. */
  trim(): void {
    this.#wanted = 0;
    this.#parts.discard(this.#spares.splice(0));
  }

  /** Serves whoever waits, then gives the spares back. The tree may be removed once it resolves. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#filling !== undefined) await this.#filling;
    this.trim();
  }

  #startFilling(): void {
    if (this.#filling !== undefined || this.#missing() <= 0) return;
    this.#filling = this.#fillUp().finally(() => {
      this.#filling = undefined;
      // Whoever came between the last look and now has found the filling still there.
      if (this.#waiters.length > 0) this.#startFilling();
    });
  }

  async #fillUp(): Promise<void> {
    try {
      for (let missing = this.#missing(); missing > 0; missing = this.#missing()) {
        const made = await this.#parts.make(Math.min(missing, this.#parts.batch));
        for (const clone of made) this.#handOver(clone);
      }
    } catch (error) {
      const waiters = this.#waiters.splice(0);
      for (const waiter of waiters) waiter.reject(error);
      if (waiters.length === 0) this.#parts.onFault(error);
    }
  }

  #handOver(clone: string): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#spares.push(clone);
    else waiter.resolve(clone);
  }

  #missing(): number {
    const ahead = this.#closed ? 0 : Math.max(0, this.#wanted - this.#spares.length);
    return this.#waiters.length + ahead;
  }
}
