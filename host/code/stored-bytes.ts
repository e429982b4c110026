// Bytes of packages that records refer to, as a running sum for each account and region.

/**
 * What a change adds counts from the moment it is decided, before it is on disk: changes under way together cannot pass a limit
 * that each of them keeps. What a change takes away counts until that is on disk.
 */
export class StoredBytes {
  readonly #byScope = new Map<string, number>();

  of(scope: string): number {
    return this.#byScope.get(scope) ?? 0;
  }

  /** @param bytes may be negative */
  add(scope: string, bytes: number): void {
    this.#byScope.set(scope, this.of(scope) + bytes);
  }

  /**
   * Counts one change: `run` calls `decided` with the bytes it will add, in the same turn of the event loop in which it has
   * looked whether there is room, and settles when the change is on disk or has failed. Settles as `run` does.
   */
  async during<T>(
    scope: string,
    run: (decided: (addedBytes: number) => void) => Promise<T>,
  ): Promise<T> {
    let grown = 0;
    let shrunk = 0;
    try {
      const result = await run((addedBytes) => {
        if (addedBytes < 0) shrunk = addedBytes;
        else grown = addedBytes;
        this.add(scope, grown);
      });
      this.add(scope, shrunk);
      return result;
    } catch (error) {
      this.add(scope, -grown);
      throw error;
    }
  }
}
