// Runs the due items of one kind: claims them lane by lane, each lane in its turn, begins what there is room for, and has settled
// what became of each. What an item is, and what running it means, is the work's own matter.
import type { ClaimedItem, Due, DueItem, Settlement } from '../store/store.ts';
import { Lane } from './lane.ts';
import type { Settler } from './settler.ts';
import type { Timers } from './timers.ts';

/** How one attempt ended: whether the item waits for another one, and what begins to wait with its end. */
export type Verdict = Pick<Settlement, 'again' | 'followedBy'>;

export interface LaneWork {
  readonly kind: string;
  /**
   * Begins to run an item; undefined: there is no room for it now. Not to be awaited in between, since what there is room for
   * changes. What it rejects with is a fault of ours.
   */
  begin(item: ClaimedItem): Promise<Verdict> | undefined;
  /** After such a fault. */
  afterFault(item: ClaimedItem, error: unknown): Verdict;
}

export interface LaneEngineOptions {
  readonly due: Due;
  readonly settler: Settler;
  readonly work: LaneWork;
  readonly epochMs: () => number;
  readonly timers: Timers;
  /** Told of items that began to wait with a settlement, whatever their kind. */
  readonly onFollowed: (items: readonly DueItem[]) => void;
  readonly onProblem: (text: string, cause?: unknown) => void;
}

interface Want {
  readonly lane: Lane;
  readonly count: number;
}

/** Lanes of one claim, those that are looked at for it, and about so many bytes. */
const CLAIM_LANES = 64;
const LOOKS = 256;
const CLAIM_BYTES = 32 * 1024 * 1024;
/** A claim with more than this may have been cut short. */
const FULL_CLAIM_BYTES = CLAIM_BYTES / 2;

/** With more than this in memory only lanes are served that have nothing, with one item each. */
const HELD_BYTES = 128 * 1024 * 1024;

/** Items whose end is on its way to the store: with more, nothing is begun. */
const MOST_UNSETTLED = 2_048;

/** Lanes that are asked when an item has ended and there is room for one more; all of them are asked at every look. */
const TRIES = 8;

/** Between two looks at items in hand that found no room. */
const LOOK_MS = 10;

/** Clocks are set and machines sleep: no wait is longer. */
const LONGEST_WAIT_MS = 30_000;

/** After a claim that failed. */
const AFTER_FAILURE_MS = 1_000;

export class LaneEngine {
  readonly #options: LaneEngineOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with something in hand, in turn. */
  readonly #ready = new Set<Lane>();
  /** Lanes with something due in the store, in turn. */
  readonly #due = new Set<Lane>();
  #heldBytes = 0;
  #running = 0;
  #unsettled = 0;
  #claiming: Promise<void> | undefined;
  /** `closed`: nothing that ends is believed any more. */
  #phase: 'opened' | 'running' | 'stopped' | 'closed' = 'opened';
  #cancelLook: (() => void) | undefined;
  #wake: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #onQuiet: (() => void) | undefined;

  constructor(options: LaneEngineOptions) {
    this.#options = options;
  }

  /** Reads what waits, once, before anything else is stored. */
  async open(): Promise<void> {
    for (const { lane: name, count, nextDueAtMs } of await this.#options.due.lanes(this.kind)) {
      const lane = this.#lane(name);
      lane.waiting += count;
      lane.expect(nextDueAtMs);
    }
  }

  /** Begins what is due, from now on. */
  run(): void {
    if (this.#phase !== 'opened') return;
    this.#phase = 'running';
    this.#lookForDue();
  }

  get kind(): string {
    return this.#options.work.kind;
  }

  /** Items that have been begun and not settled. */
  get running(): number {
    return this.#running;
  }

  /** An item of this kind has been stored. */
  noteStored({ lane: name, dueAtMs }: Pick<DueItem, 'lane' | 'dueAtMs'>): void {
    const lane = this.#lane(name);
    lane.waiting += 1;
    this.#expect(lane, dueAtMs);
  }

  /** So many unclaimed items of a lane have been removed from the store by someone else. */
  noteRemoved(name: string, count: number): void {
    const lane = this.#lane(name);
    lane.waiting -= count;
    this.#forgetIfEmpty(lane);
  }

  /** Removes for good what has been claimed of a lane, or is about to be, and has not begun; how many it were. */
  async removeInHand(name: string): Promise<number> {
    await this.#claiming;
    const lane = this.#lanes.get(name);
    if (lane === undefined) return 0;
    const items = lane.inHand.splice(0);
    this.#ready.delete(lane);
    for (const { payload } of items) this.#heldBytes -= payload.length;
    this.#forgetIfEmpty(lane);
    const removed = await Promise.all(
      items.map(({ kind, id, fence }) =>
        this.#options.settler.settle({
          item: { kind, id, fence },
          again: undefined,
          followedBy: [],
        }),
      ),
    );
    return removed.filter(Boolean).length;
  }

  /** Begins nothing more. What runs is settled; resolves when all of it is, or when the signal aborts. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#phase = 'stopped';
    this.#cancelLook?.();
    this.#wake?.cancel();
    if (this.#running > 0 && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    // What ends from here on may end because the host does.
    this.#phase = 'closed';
  }

  get #isRunning(): boolean {
    return this.#phase === 'running';
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(name);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #forgetIfEmpty(lane: Lane): void {
    if (lane.isEmpty && !this.#due.has(lane)) this.#lanes.delete(lane.name);
  }

  #expect(lane: Lane, dueAtMs: number): void {
    lane.expect(dueAtMs);
    if (!this.#isRunning) return;
    if (dueAtMs > this.#options.epochMs()) {
      this.#wakeAt(dueAtMs);
      return;
    }
    this.#due.add(lane);
    this.#claim();
  }

  /** Sorts out which lanes have something due, and waits for the first of the others. */
  #lookForDue(): void {
    if (!this.#isRunning) return;
    const now = this.#options.epochMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      if (lane.nextDueAtMs <= now) this.#due.add(lane);
      else nextMs = Math.min(nextMs, lane.nextDueAtMs);
    }
    this.#wakeAt(nextMs);
    this.#claim();
  }

  #wakeAt(atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY || !this.#isRunning) return;
    if (this.#wake !== undefined && this.#wake.atMs <= atMs) return;
    this.#wake?.cancel();
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(1, atMs - this.#options.epochMs()));
    const cancel = this.#options.timers.after(waitMs, () => {
      this.#wake = undefined;
      this.#lookForDue();
    });
    this.#wake = { atMs, cancel };
  }

  #claim(): void {
    if (this.#claiming !== undefined || !this.#isRunning) return;
    const wants = this.#wants();
    if (wants.length === 0) return;
    this.#claiming = this.#claimSome(wants).finally(() => {
      this.#claiming = undefined;
      this.#beginAll();
      this.#claim();
    });
  }

  /** What to claim now. Lanes that have been looked at go to the end of the line. */
  #wants(): Want[] {
    const now = this.#options.epochMs();
    const isFull = this.#heldBytes > HELD_BYTES;
    const wants: Want[] = [];
    for (let left = Math.min(LOOKS, this.#due.size); left > 0 && wants.length < CLAIM_LANES; ) {
      const [lane] = this.#due;
      if (lane === undefined) break;
      left -= 1;
      this.#due.delete(lane);
      if (lane.nextDueAtMs > now) {
        this.#wakeAt(lane.nextDueAtMs);
        continue;
      }
      this.#due.add(lane);
      const count = isFull ? Number(lane.inHand.length === 0) : lane.wantedAt(now);
      if (count > 0) wants.push({ lane, count });
    }
    return wants;
  }

  async #claimSome(wants: readonly Want[]): Promise<void> {
    const { due, epochMs, onProblem } = this.#options;
    const askedNextMs = new Map(wants.map(({ lane }) => [lane, lane.nextDueAtMs]));
    // What becomes due while the store is asked is noted on top of this.
    for (const { lane } of wants) lane.nextDueAtMs = Number.POSITIVE_INFINITY;
    try {
      const asked = wants.map(({ lane, count }) => ({ kind: this.kind, lane: lane.name, count }));
      const items = await due.claim(asked, Math.floor(epochMs()), CLAIM_BYTES);
      const got = Map.groupBy(items, ({ lane }) => lane);
      let bytes = 0;
      for (const item of items) bytes += item.payload.length;
      this.#heldBytes += bytes;
      for (const { lane } of wants) this.#takeIn(lane, got.get(lane.name) ?? []);
      // A lane that got all it asked for, or may have been cut short, has more that is due as far as is known.
      const isDry = ({ lane, count }: Want) =>
        (got.get(lane.name)?.length ?? 0) < count && bytes <= FULL_CLAIM_BYTES;
      for (const want of wants) if (!isDry(want)) want.lane.expect(askedNextMs.get(want.lane) ?? 0);
      await this.#askForNext(wants.filter(isDry).map(({ lane }) => lane));
    } catch (error) {
      onProblem('waiting events could not be fetched for now', error);
      for (const { lane } of wants) lane.expect(epochMs() + AFTER_FAILURE_MS);
    }
  }

  #takeIn(lane: Lane, items: readonly ClaimedItem[]): void {
    lane.takeIn(items);
    if (lane.inHand.length > 0) this.#ready.add(lane);
  }

  /** Of lanes that have nothing more that is due. */
  async #askForNext(lanes: readonly Lane[]): Promise<void> {
    const later = lanes.filter(({ waiting }) => waiting > 0);
    if (later.length > 0) {
      const next = await this.#options.due.nextDue(
        later.map(({ name }) => ({ kind: this.kind, lane: name })),
      );
      later.forEach((lane, at) => lane.expect(next[at] ?? Number.POSITIVE_INFINITY));
    }
    for (const lane of lanes) {
      if (lane.nextDueAtMs > this.#options.epochMs()) this.#due.delete(lane);
      this.#wakeAt(lane.nextDueAtMs);
      this.#forgetIfEmpty(lane);
    }
  }

  /** Begins all that there is room for, one of each lane in turn. */
  #beginAll(): void {
    while (this.#beginOne(this.#ready.size));
    if (this.#ready.size > 0) this.#lookAgain();
  }

  /**
   * Begins one item, of the first lane in line that has room. Lanes that were asked go to the end of the line: nobody is passed
   * over who was not asked.
   */
  #beginOne(tries: number): boolean {
    if (this.#unsettled >= MOST_UNSETTLED || this.#options.settler.isStuck) return false;
    for (let left = Math.min(tries, this.#ready.size); left > 0 && this.#isRunning; left -= 1) {
      const [lane] = this.#ready;
      if (lane === undefined) break;
      this.#ready.delete(lane);
      const hasBegun = this.#beginFirst(lane);
      if (lane.inHand.length > 0) this.#ready.add(lane);
      if (hasBegun) return true;
    }
    return false;
  }

  #beginFirst(lane: Lane): boolean {
    const [item] = lane.inHand;
    if (item === undefined) return false;
    const attempt = this.#attempt(item);
    if (attempt === undefined) return false;
    lane.noteBegun();
    this.#running += 1;
    void this.#finish(lane, item, attempt);
    return true;
  }

  #attempt(item: ClaimedItem): Promise<Verdict> | undefined {
    try {
      return this.#options.work.begin(item);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #finish(lane: Lane, item: ClaimedItem, attempt: Promise<Verdict>): Promise<void> {
    let verdict: Verdict;
    try {
      verdict = await attempt;
    } catch (error) {
      verdict = this.#options.work.afterFault(item, error);
    }
    if (this.#phase === 'closed') return;
    this.#unsettled += 1;
    // While the store works another one can run.
    const settled = this.#settle(lane, item, verdict);
    this.#beginOne(TRIES);
    if (this.#ready.size > 0) this.#lookAgain();
    this.#claim();
    await settled;
    this.#unsettled -= 1;
    this.#running -= 1;
    lane.running -= 1;
    this.#heldBytes -= item.payload.length;
    this.#forgetIfEmpty(lane);
    if (this.#running === 0) this.#onQuiet?.();
  }

  async #settle(lane: Lane, item: ClaimedItem, verdict: Verdict): Promise<void> {
    const { kind, id, fence } = item;
    const { again, followedBy } = verdict;
    const isStored = await this.#options.settler.settle({ item: { kind, id, fence }, ...verdict });
    if (!isStored) return;
    if (again !== undefined) {
      lane.waiting += 1;
      this.#expect(lane, again.dueAtMs);
    }
    if (followedBy.length > 0) this.#options.onFollowed(followedBy);
  }

  #lookAgain(): void {
    if (this.#cancelLook !== undefined || !this.#isRunning) return;
    this.#cancelLook = this.#options.timers.after(LOOK_MS, () => {
      this.#cancelLook = undefined;
      this.#beginAll();
      this.#claim();
    });
  }
}
