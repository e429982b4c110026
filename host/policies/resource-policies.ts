// The policy that decides about a request: that of the function, version, alias or layer version which it addresses. Reads memory
// only, since every call asks.
import type { AddressedResource } from '../auth/resource.ts';
import type { Functions, HeldFunction } from '../functions/functions.ts';
import { qualifiedPart } from '../functions/target.ts';
import type { Layers } from '../layers/layers.ts';
import { denies, type PolicyDocument } from './policy.ts';

export class ResourcePolicies {
  readonly #functions: Functions;
  readonly #layers: Layers;
  /** Keys of the functions that have a policy which denies something. Policies of layer versions only allow. */
  readonly #denying = new Set<string>();

  constructor(functions: Functions, layers: Layers) {
    this.#functions = functions;
    this.#layers = layers;
    for (const { account, region, name } of functions.all())
      this.#note(functions.held(account, region, name));
    functions.watch((before, after) => {
      if (before !== undefined) this.#denying.delete(before.key);
      this.#note(after);
    });
  }

  /** False while no policy denies anything. */
  get mayDeny(): boolean {
    return this.#denying.size > 0;
  }

  /** Undefined when there is no policy, or no such resource. */
  find(resource: AddressedResource): PolicyDocument | undefined {
    if (resource.kind === 'layer-version')
      return this.#layers.held(resource)?.part('layer-policy', `${resource.version}`)?.document;
    const { account, region, name, qualifier } = resource;
    const held = this.#functions.held(account, region, name);
    return held && qualifiedPart(held, 'policy', qualifier)?.document;
  }

  #note(held: HeldFunction | undefined): void {
    for (const [, { document }] of held?.parts('policy') ?? [])
      if (held !== undefined && denies(document)) this.#denying.add(held.key);
  }
}
