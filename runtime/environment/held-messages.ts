// Lets an answer wait for the end of a turn of the event loop. What child processes and native code print comes on another
// descriptor than the answer: when both are readable in one turn, either may be read first, and a log should be in order.
import type { Message } from '../slots/messages.ts';

export class HeldMessages {
  readonly #deliver: (message: Message) => void;
  #held: Message[] | undefined;

  constructor(deliver: (message: Message) => void) {
    this.#deliver = deliver;
  }

  /** Delivers now; or, if this message is to wait or one before it does, when the turn ends. */
  take(message: Message, mustWait: boolean): void {
    if (this.#held !== undefined) this.#held.push(message);
    else if (!mustWait) this.#deliver(message);
    else {
      this.#held = [message];
      setImmediate(() => this.flush());
    }
  }

  /** Delivers at once what waits. */
  flush(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#deliver(message);
  }
}
