// The last bytes of what was written, for X-Amz-Log-Result.

/** `X-Amz-Log-Result` carries the last 4 KB, cut by bytes. */
const LOG_TAIL_BYTES = 4096;

/** Room to append in before what is no longer needed is moved out of the way. */
const CAPACITY = 4 * LOG_TAIL_BYTES;

export class LogTail {
  readonly #bytes = Buffer.allocUnsafeSlow(CAPACITY);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  /** Copies what it needs. */
  add(message: string | Uint8Array): void {
    const bytes = typeof message === 'string' ? Buffer.from(message) : message;
    const kept =
      bytes.length <= LOG_TAIL_BYTES ? bytes : bytes.subarray(bytes.length - LOG_TAIL_BYTES);
    if (this.#length + kept.length > CAPACITY) {
      this.#bytes.copyWithin(0, this.#length - LOG_TAIL_BYTES, this.#length);
      this.#length = LOG_TAIL_BYTES;
    }
    this.#bytes.set(kept, this.#length);
    this.#length += kept.length;
  }

  /** At most the last {@link LOG_TAIL_BYTES} since {@link clear}; a copy. */
  take(): Buffer {
    return Buffer.from(
      this.#bytes.subarray(Math.max(0, this.#length - LOG_TAIL_BYTES), this.#length),
    );
  }
}
