// Time that passes only when a test says so: a clock and the timers that hang on it.
import type { Timers } from '../../host/queue/timers.ts';

export interface Timeline extends Timers {
  readonly epochMs: () => number;
  /** Lets so much time pass: timers go off at their times, in order, and what they start is worked off in between. */
  pass(ms: number): Promise<void>;
  /** Lets everything go on that waits for no timer. */
  settle(): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

export function createTimeline(startMs = Date.UTC(2026, 0, 1)): Timeline {
  let nowMs = startMs;
  const timers = new Set<Timer>();
  const settle = async () => {
    // Work of these tests is promises only; whatever chain of them there is has ended after so many turns of the event loop.
    for (let turn = 0; turn < 8; turn += 1) await new Promise(setImmediate);
  };
  return {
    epochMs: () => nowMs,
    after(ms, run) {
      const timer = { atMs: nowMs + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    settle,
    async pass(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (;;) {
        const [next] = [...timers].toSorted((a, b) => a.atMs - b.atMs);
        if (next === undefined || next.atMs > endMs) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
        await settle();
      }
      nowMs = endMs;
      await settle();
    },
  };
}
