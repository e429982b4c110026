// Which function a URL id means: an index over all functions of the host, kept up to date as they change.
import type { Functions, HeldFunction } from '../functions/functions.ts';

const KIND = 'function-url';

/** What a request to a URL invokes. */
export interface FunctionUrlOwner {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** An alias, or `$LATEST` for the URL of the unqualified function. */
  readonly qualifier: string;
}

export class FunctionUrls {
  readonly #owners = new Map<string, FunctionUrlOwner>();

  constructor(functions: Pick<Functions, 'allHeld' | 'watch'>) {
    for (const held of functions.allHeld()) this.#add(held);
    functions.watch((before, after) => {
      if (before?.stored.get(KIND) === after?.stored.get(KIND)) return;
      if (before !== undefined) this.#remove(before);
      if (after !== undefined) this.#add(after);
    });
  }

  /** Undefined when no URL has this id. */
  find(id: string): FunctionUrlOwner | undefined {
    return this.#owners.get(id);
  }

  #add(held: HeldFunction): void {
    const { account, region, name } = held.root;
    for (const [qualifier, { id }] of held.parts(KIND))
      this.#owners.set(id, { account, region, name, qualifier });
  }

  #remove(held: HeldFunction): void {
    for (const [, { id }] of held.parts(KIND)) this.#owners.delete(id);
  }
}

/** An id that no URL has. */
export function newUrlId(urls: Pick<FunctionUrls, 'find'>, newId: () => string): string {
  let id: string;
  do id = newId().replaceAll('-', '');
  while (urls.find(id) !== undefined);
  return id;
}
