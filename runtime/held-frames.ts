// Lets an answer wait for the end of a turn of the event loop. What child processes and native code print comes on another
// descriptor than the answer: when both are readable in one turn, either may be read first, and a log should be in order.
import type { OnFrame } from './frames.ts';

type Frame = Parameters<OnFrame>;

export class HeldFrames {
  readonly #deliver: OnFrame;
  #held: Frame[] | undefined;

  constructor(deliver: OnFrame) {
    this.#deliver = deliver;
  }

  /** Delivers now; or, if this frame is to wait or one before it does, when the turn ends. */
  take(frame: Frame, mustWait: boolean): void {
    if (this.#held !== undefined) this.#held.push(frame);
    else if (!mustWait) this.#deliver(...frame);
    else {
      this.#held = [frame];
      setImmediate(() => this.flush());
    }
  }

  /** Delivers at once what waits. */
  flush(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const frame of held) this.#deliver(...frame);
  }
}
