// Holds MemorySize on the memory of processes where the kernel's limit is wider (or there is none): one interval for all.

/** What one look at a sandbox tells. */
export interface MemoryReading {
  readonly processBytes: number;
  /** Kernel kills for want of memory so far; 0 where nobody counts them. */
  readonly oomKills: number;
}

/** A sandbox under watch. */
export interface MemorySubject {
  readonly limitBytes: number;
  measure(): MemoryReading;
  /** Called at each look that found it alive. */
  measured(processBytes: number): void;
  /** Called once; the subject ends the sandbox. */
  exceeded(): void;
}

interface Watched {
  readonly subject: MemorySubject;
  active: boolean;
  /** Became active after the last tick: the next one passes it over, so a short invocation costs nothing. */
  fresh: boolean;
  /** Looks in a row that found too much. */
  over: number;
  measuredAtMs: number;
}

/** Lambda has no figure for this; 25 ms let a loop of 4 MB buffers reach about 90 MB over its limit. */
const tickMs = 25;
/** So many readings over the limit in a row end a sandbox. */
const readingsToKill = 2;
/** However short its invocations are, a sandbox that is in use is looked at this often. */
const measureAtLeastEveryMs = 1_000;

/** The one interval; unref'd, and stopped while nobody is watched. */
export class MemoryPoll implements Disposable {
  readonly #watched = new Map<MemorySubject, Watched>();
  readonly #inUse = new Set<Watched>();
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether the interval is running. */
  get isTicking(): boolean {
    return this.#timer !== undefined;
  }

  add(subject: MemorySubject): void {
    const measuredAtMs = this.#nowMs();
    this.#watched.set(subject, { subject, active: false, fresh: false, over: 0, measuredAtMs });
  }

  remove(subject: MemorySubject): void {
    const watched = this.#watched.get(subject);
    if (watched === undefined) return;
    this.#watched.delete(subject);
    this.#inUse.delete(watched);
    if (this.#inUse.size === 0) this.#stop();
  }

  setActive(subject: MemorySubject, active: boolean): void {
    const watched = this.#watched.get(subject);
    if (watched === undefined || watched.active === active) return;
    watched.active = active;
    if (!active) return; // the next tick decides whether a last look is due
    watched.fresh = true;
    this.#inUse.add(watched);
    this.#timer ??= setInterval(() => this.tick(), tickMs).unref();
  }

  /** One round; the interval calls it. */
  tick(): void {
    const nowMs = this.#nowMs();
    for (const watched of this.#inUse) {
      const isOverdue = nowMs - watched.measuredAtMs >= measureAtLeastEveryMs;
      if ((watched.active && !watched.fresh) || isOverdue || watched.over > 0) {
        this.#measure(watched, nowMs);
      }
      watched.fresh = false;
      if (!watched.active && watched.over === 0) this.#inUse.delete(watched);
    }
    if (this.#inUse.size === 0) this.#stop();
  }

  [Symbol.dispose](): void {
    this.#watched.clear();
    this.#inUse.clear();
    this.#stop();
  }

  #measure(watched: Watched, nowMs: number): void {
    const { subject } = watched;
    const { processBytes, oomKills } = subject.measure();
    watched.measuredAtMs = nowMs;
    subject.measured(processBytes);
    watched.over = processBytes > subject.limitBytes ? watched.over + 1 : 0;
    if (oomKills === 0 && watched.over < readingsToKill) return;
    this.remove(subject);
    subject.exceeded();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
