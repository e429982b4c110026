// The events that one environment has in hand, and which of them have certainly not begun. Pure: no process, no file, no clock.
//
// The first event runs; those behind it lie in the child's socket, each with a number that rises. The child writes the answer
// of one event, then reads the number W that the host last wrote, then begins the next event unless its number is at most W;
// that one it reports as not begun. So once W is written, and all that the child had written until then has been read:
// - what lies behind the first event has not begun, and will not: it is taken back;
// - the first event itself is undecided if it was sent behind another one and its number is at most W: that the one before is
//   answered does not say that it has begun. Its answer or its report decides.

/** Anything with the id that frames name it by. */
export interface Identified {
  readonly invocation: { readonly requestId: string };
}

/** What a report of an event as not begun means: the undecided first one, one that was taken back before, or a lie. */
export type NotBegun = 'first' | 'takenBack' | 'lie';

export class InHand<T extends Identified> {
  readonly #events: T[] = [];
  readonly #numbers: number[] = [];
  #lastNumber = 0;
  #withdrawnUpTo = 0;
  #isFirstPrefetched = false;
  /** Ids of events that were taken back, in order: their reports are still to come. */
  readonly #reportsDue: string[] = [];

  get length(): number {
    return this.#events.length;
  }

  /** The one that runs, or is about to. */
  get first(): T | undefined {
    return this.#events[0];
  }

  /** The first one was sent behind another: whether it has begun, only the child knows. */
  get isFirstPrefetched(): boolean {
    return this.#isFirstPrefetched;
  }

  /** Nothing has been sent after the first one. */
  get isFirstLastSent(): boolean {
    return this.#numbers[0] === this.#lastNumber;
  }

  /** Adds an event. The number to send it with, or 0 when it lies behind nothing and cannot be withdrawn. */
  push(event: T): number {
    this.#lastNumber += 1;
    this.#events.push(event);
    this.#numbers.push(this.#lastNumber);
    if (this.#events.length > 1) return this.#lastNumber;
    this.#isFirstPrefetched = false;
    return 0;
  }

  /** The first one is done with: answered, or not begun. */
  shift(): T | undefined {
    const event = this.#events.shift();
    this.#numbers.shift();
    this.#isFirstPrefetched = true;
    return event;
  }

  /** Chooses the number to write; undefined when nothing lies behind the first one that is not withdrawn yet. */
  withdraw(): number | undefined {
    if (this.#events.length < 2 || this.#withdrawnUpTo === this.#lastNumber) return undefined;
    this.#withdrawnUpTo = this.#lastNumber;
    return this.#lastNumber;
  }

  /** After `upTo` has been written and then all that the child said has been read: what has certainly not begun. */
  takeBack(upTo: number): readonly T[] {
    let end = 1;
    while ((this.#numbers[end] ?? Number.POSITIVE_INFINITY) <= upTo) end += 1;
    this.#numbers.splice(1, end - 1);
    const taken = this.#events.splice(1, end - 1);
    for (const { invocation } of taken) this.#reportsDue.push(invocation.requestId);
    return taken;
  }

  /** The child reports an event as not begun. The undecided first one stays until {@link shift}. */
  notBegun(requestId: string): NotBegun {
    if (this.#isFirstUndecided() && this.first?.invocation.requestId === requestId) return 'first';
    if (this.#reportsDue[0] !== requestId) return 'lie';
    this.#reportsDue.shift();
    return 'takenBack';
  }

  /** Empties the hand: the first one, and what lies behind it. */
  clear(): readonly T[] {
    this.#numbers.length = 0;
    return this.#events.splice(0);
  }

  #isFirstUndecided(): boolean {
    const number = this.#numbers[0];
    return this.#isFirstPrefetched && number !== undefined && number <= this.#withdrawnUpTo;
  }
}
