// Looks at something every few milliseconds, for as long as there is anything to look at.

export class Ticker implements Disposable {
  readonly #everyMs: number;
  readonly #look: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  /** `look` says whether there is more to look at. */
  constructor(everyMs: number, look: () => boolean) {
    this.#everyMs = everyMs;
    this.#look = look;
  }

  /** There is something to look at. */
  start(): void {
    if (this.#timer !== undefined || this.#isDisposed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#look()) this.start();
    }, this.#everyMs);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }
}
