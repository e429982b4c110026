// Timers as an argument: tests let time pass, production waits.

export interface Timers {
  /** Calls once, after that many milliseconds; the function that is returned calls it off. */
  after(ms: number, run: () => void): () => void;
}

/** They do not keep the process alive: a host that only waits for a retry may end. */
export const systemTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
