// The deadline of whatever runs now. One timer, refreshed for each event: arming a new one each time would show on the hot path.

export class Deadline implements Disposable {
  readonly #onPassed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #ms = 0;

  /** @param onPassed also called for an event that has been answered, unless another was armed: its caller must look. */
  constructor(onPassed: () => void) {
    this.#onPassed = onPassed;
  }

  /** In place of the one before. */
  arm(ms: number): void {
    if (ms === this.#ms) {
      this.#timer?.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onPassed, ms);
    this.#ms = ms;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
