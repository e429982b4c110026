// Generic slots, booted ahead of demand, keyed by all that is fixed at spawn. Refills off the critical path, one at a time.
import type { Clock } from '../clock.ts';
import { HttpSlot } from '../runtime-api/http-slot.ts';
import { isCustomRuntime } from '../runtimes/runtime-family.ts';
import type { Sandboxes, SlotProgram, SlotShape } from '../sandbox/sandbox.ts';
import { UnderWay } from '../under-way.ts';
import { FrameSlot } from './frame-slot.ts';
import type { Slot } from './slot.ts';

/** Refilling waits this long after a slot was taken, so that it does not compete with the start that took it. */
const REFILL_DELAY_MS = 30;

/** Shapes that keep slots ready; the least recently used one beyond this loses its slots. */
const MAX_SHAPES = 8;

/** After a slot that did not boot, the next try for its shape waits this long, doubling. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

export interface SlotsOptions {
  readonly sandboxes: Sandboxes;
  readonly clock: Clock;
  readonly programFor: (shape: SlotShape) => SlotProgram;
  /** Slots kept ready per shape. */
  readonly perShape: number;
  /** A UUID. */
  readonly newId: () => string;
  /** A slot that waits to be taken has come up, or, with a reason, has not. */
  readonly onBoot?: ((runtime: string, failure: string | undefined) => void) | undefined;
  readonly onProblem: (text: string, cause: unknown) => void;
}

interface Shelf {
  readonly shape: SlotShape;
  readonly slots: Slot[];
  retryMs: number;
  /** On the monotonic clock. */
  retryAtMs: number;
}

export class Slots implements AsyncDisposable {
  readonly #options: SlotsOptions;
  /** In order of use, the most recent last. */
  readonly #shelves = new Map<string, Shelf>();
  readonly #ending = new UnderWay();
  #refill: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #booting = false;
  #disposed = false;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** Asks for slots of this shape to be kept ready. */
  prepare(shape: SlotShape): void {
    this.#shelf(shape);
    this.#refillLater(0);
  }

  /** A slot of this shape, ready or booting or spawned now. The caller owns it. */
  take(shape: SlotShape): Slot {
    if (this.#disposed) throw new Error('the slots have been closed');
    const { slots } = this.#shelf(shape);
    const slot = slots.shift() ?? this.#spawn(shape);
    this.#refillLater(REFILL_DELAY_MS);
    return slot;
  }

  /** Slots that wait to be taken. */
  get ready(): number {
    let count = 0;
    for (const shelf of this.#shelves.values()) count += shelf.slots.length;
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#refill);
    clearTimeout(this.#retry);
    for (const shelf of this.#shelves.values()) this.#clear(shelf);
    await this.#ending.ended();
  }

  #shelf(shape: SlotShape): Shelf {
    const key = shapeKey(shape);
    let shelf = this.#shelves.get(key);
    if (shelf === undefined) shelf = { shape, slots: [], retryMs: RETRY_MS, retryAtMs: 0 };
    else this.#shelves.delete(key);
    this.#shelves.set(key, shelf);
    if (this.#shelves.size > MAX_SHAPES) {
      const [oldestKey, oldest] = this.#shelves.entries().next().value ?? [];
      if (oldestKey !== undefined && oldest !== undefined) {
        this.#shelves.delete(oldestKey);
        this.#clear(oldest);
      }
    }
    return shelf;
  }

  #spawn(shape: SlotShape): Slot {
    const { sandboxes, programFor } = this.#options;
    const sandbox = sandboxes.spawn(shape, programFor(shape));
    return isCustomRuntime(shape.runtime)
      ? new HttpSlot(sandbox, shape, this.#options)
      : new FrameSlot(sandbox, shape, this.#options);
  }

  #clear(shelf: Shelf): void {
    for (const slot of shelf.slots.splice(0)) this.#end(slot);
  }

  #end(slot: Slot): void {
    this.#ending.add(
      slot[Symbol.asyncDispose]().catch((error: unknown) => {
        this.#options.onProblem('a slot could not be removed', error);
      }),
    );
  }

  #refillLater(ms: number): void {
    if (this.#refill !== undefined || this.#booting || this.#disposed) return;
    this.#refill = setTimeout(() => {
      this.#refill = undefined;
      void this.#refillOne();
    }, ms);
  }

  /** Boots one slot, then comes back for the next: never a herd. */
  async #refillOne(): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    const shelves = [...this.#shelves.values()].reverse();
    const shelf = shelves.find(
      (each) => each.slots.length < this.#options.perShape && each.retryAtMs <= now,
    );
    if (this.#disposed) return;
    if (shelf === undefined) {
      this.#retryLater(shelves, now);
      return;
    }
    this.#booting = true;
    await this.#bootInto(shelf);
    this.#booting = false;
    this.#refillLater(0);
  }

  async #bootInto(shelf: Shelf): Promise<void> {
    let slot: Slot | undefined;
    try {
      slot = this.#spawn(shelf.shape);
      shelf.slots.push(slot);
      await slot.booted;
      shelf.retryMs = RETRY_MS;
      this.#options.onBoot?.(shelf.shape.runtime, undefined);
      void this.#removeAfterExit(shelf, slot);
    } catch (error) {
      // When it is not ours any more, its failure is the business of whoever took it.
      if (slot !== undefined && !this.#remove(shelf, slot)) return;
      shelf.retryAtMs = this.#options.clock.monotonicMs() + shelf.retryMs;
      shelf.retryMs = Math.min(2 * shelf.retryMs, MAX_RETRY_MS);
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.onBoot?.(shelf.shape.runtime, reason);
      this.#options.onProblem('a slot did not boot', error);
    }
  }

  async #removeAfterExit(shelf: Shelf, slot: Slot): Promise<void> {
    await slot.sandbox.exit; // never rejects
    if (this.#remove(shelf, slot)) this.#refillLater(REFILL_DELAY_MS);
  }

  /** False when it has been taken or removed before. */
  #remove(shelf: Shelf, slot: Slot): boolean {
    const at = shelf.slots.indexOf(slot);
    if (at < 0) return false;
    shelf.slots.splice(at, 1);
    this.#end(slot);
    return true;
  }

  /** Comes back for the first of the shapes whose slots did not boot. */
  #retryLater(shelves: readonly Shelf[], now: number): void {
    const lacking = shelves.filter(({ slots }) => slots.length < this.#options.perShape);
    clearTimeout(this.#retry);
    if (lacking.length === 0) return;
    const waitMs = Math.min(...lacking.map(({ retryAtMs }) => retryAtMs)) - now;
    this.#retry = setTimeout(() => this.#refillLater(0), Math.max(0, waitMs) + 1).unref();
  }
}

function shapeKey(shape: SlotShape): string {
  const { runtime, memoryMib, ephemeralStorageMib, startsLate = false } = shape;
  return `${runtime}/${memoryMib}/${ephemeralStorageMib}/${startsLate}`;
}
