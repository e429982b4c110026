// The policy that decides about a request: that of the function, version, alias or layer version which it addresses. Reads memory
// only, since every call asks.
import type { AddressedResource } from '../auth/resource.ts';
import type { Functions } from '../functions/functions.ts';
import { qualifierPartName } from '../functions/target.ts';
import type { Layers } from '../layers/layers.ts';
import type { PolicyDocument } from './policy.ts';

export class ResourcePolicies {
  readonly #functions: Functions;
  readonly #layers: Layers;

  constructor(functions: Functions, layers: Layers) {
    this.#functions = functions;
    this.#layers = layers;
  }

  /** Undefined when there is no policy, or no such resource. */
  find(resource: AddressedResource): PolicyDocument | undefined {
    if (resource.kind === 'layer-version')
      return this.#layers.held(resource)?.part('layer-policy', `${resource.version}`)?.document;
    const { account, region, name, qualifier } = resource;
    const held = this.#functions.held(account, region, name);
    return held?.part('policy', qualifierPartName(qualifier))?.document;
  }
}
