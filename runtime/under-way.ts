// Work in the background whose owner waits for it before it ends.

export class UnderWay {
  readonly #all = new Set<Promise<void>>();

  /** It must not reject: who has begun it sees to its failure. */
  add(work: Promise<void>): void {
    this.#all.add(work);
    void work.then(() => this.#all.delete(work));
  }

  /** Resolves when nothing is left, what has come meanwhile included. */
  async ended(): Promise<void> {
    while (this.#all.size > 0) await Promise.all(this.#all);
  }
}
