// Environments on their way up: how many there are of each group, and how many more there may be.
import type { Group } from './group.ts';

export class Starts {
  readonly #most: number;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many more may begin. */
  get left(): number {
    return Math.max(0, this.#most - this.#count);
  }

  /** One begins; it is up, or has failed, when what is returned is called, as often as one likes. */
  begin(group: Group): () => void {
    this.#count += 1;
    group.starting += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#count -= 1;
      group.starting -= 1;
    };
  }
}
