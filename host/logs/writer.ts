// Decides when groups are written and keeps few files open. One group at a time, one pass at a time.

/** What a group is to the writer. */
export interface WritableGroup {
  /** Writes what is pending; never rejects. */
  writePending(): Promise<void>;
  /** Lets go of the group's file, synced; never rejects. */
  closeFile(): Promise<void>;
}

const MAX_OPEN_FILES = 64;

export class Writer implements AsyncDisposable {
  readonly #flushMs: number;
  #waiting = new Set<WritableGroup>();
  /** Groups with an open file, the longest unused first. */
  readonly #recent = new Set<WritableGroup>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #isDisposed = false;

  constructor(flushMs: number) {
    this.#flushMs = flushMs;
  }

  /** The group is written within `flushMs`. */
  add(group: WritableGroup): void {
    this.#waiting.add(group);
    if (!this.#isDisposed && this.#running === undefined) this.#schedule();
  }

  /** Resolves when everything that was pending at the time of the call is on file, or accounted for as lost. */
  flush(): Promise<void> {
    this.#following ??= this.#runAfter(this.#running);
    return this.#following;
  }

  /** Flushes, and syncs every file to the disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.flush();
    // What the first pass could not keep has left notices.
    if (this.#waiting.size > 0) await this.flush();
    clearTimeout(this.#timer);
    for (const group of this.#recent) await group.closeFile();
    this.#recent.clear();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.flush(), this.#flushMs); // a pass never rejects
  }

  async #runAfter(earlier: Promise<void> | undefined): Promise<void> {
    await earlier;
    this.#following = undefined;
    this.#running = this.#pass();
    await this.#running;
  }

  async #pass(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const groups = this.#waiting;
    this.#waiting = new Set();
    for (const group of groups) {
      await group.writePending();
      await this.#touch(group);
    }
    this.#running = undefined;
    if (this.#waiting.size > 0 && !this.#isDisposed) this.#schedule();
  }

  async #touch(group: WritableGroup): Promise<void> {
    this.#recent.delete(group);
    this.#recent.add(group);
    const [oldest] = this.#recent;
    if (this.#recent.size <= MAX_OPEN_FILES || oldest === undefined) return;
    this.#recent.delete(oldest);
    await oldest.closeFile();
  }
}
