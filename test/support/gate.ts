// Holds functions between two states: code is ready when the test says so.

export interface Gate {
  /** Stands in for what makes code ready on a whole host. */
  readonly makeReady: () => Promise<void>;
  /** What begins from now on waits. */
  shut(): void;
  /** Lets everything go on that waits, and whatever comes later. */
  open(): void;
  /** Ends everything that waits with this reason. */
  fail(why: string): void;
}

/** Open at first. */
export function createGate(): Gate {
  let waiting: PromiseWithResolvers<void>[] = [];
  let isOpen = true;
  return {
    makeReady: async () => {
      if (isOpen) return;
      const next = Promise.withResolvers<void>();
      waiting.push(next);
      await next.promise;
    },
    shut: () => {
      isOpen = false;
    },
    open: () => {
      isOpen = true;
      for (const { resolve } of waiting) resolve();
      waiting = [];
    },
    fail: (why) => {
      for (const { reject } of waiting) reject(new Error(why));
      waiting = [];
    },
  };
}
