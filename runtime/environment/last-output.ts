// What a process last printed past its bootstrap: V8's last words with their stack trace, child processes, native code.

const KEPT_CHARS = 16_384;

export class LastOutput {
  #text = '';

  /** One character for each byte. */
  get text(): string {
    return this.#text;
  }

  add(chunk: Buffer): void {
    const from = Math.max(0, chunk.length - KEPT_CHARS);
    this.#text = (this.#text + chunk.toString('latin1', from)).slice(-KEPT_CHARS);
  }
}
