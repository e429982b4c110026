// Who may use a layer version: the account that it belongs to, and whom its policy lets in.
import type { Caller } from '../auth/caller.ts';
import { type AccessRequest, evaluate, type RequestPrincipal } from '../policies/evaluate.ts';
import { isServiceName } from '../policies/statement.ts';
import { ServiceError } from '../service-error.ts';
import type { Layers } from './layers.ts';
import { type LayerReference, layerVersionArn } from './names.ts';

const ACTION = 'lambda:GetLayerVersion';

export interface AccessScope {
  readonly layers: Layers;
  readonly caller: Caller;
  readonly region: string;
}

/**
 * Throws AccessDeniedException for a layer version of another account whose policy does not let the caller in; a version that does not
 * exist or is in another region has no policy.
 */
export function requireAccess(scope: AccessScope, layer: LayerReference, version: number): void {
  const { caller, layers, region } = scope;
  if (layer.account === caller.account) return;
  const arn = layerVersionArn(layer, version);
  const policy =
    layer.region === region
      ? layers.held(layer)?.part('layer-policy', `${version}`)?.document
      : undefined;
  const decision = policy === undefined ? 'silent' : evaluate(policy, request(caller, arn));
  if (decision === 'allowed' || decision === 'delegated') return;
  const reason =
    decision === 'denied'
      ? 'with an explicit deny in a resource-based policy'
      : `because no resource-based policy allows the ${ACTION} action`;
  throw new ServiceError(
    'AccessDeniedException',
    `User: ${caller.principal} is not authorized to perform: ${ACTION} on resource: ${arn} ${reason}`,
  );
}

function request(caller: Caller, resource: string): AccessRequest {
  const keys = new Map([
    ['aws:principalaccount', caller.account],
    ['aws:principalarn', caller.principal],
  ]);
  return { principal: principalOf(caller), action: ACTION, resource, keys };
}

function principalOf({ principal, account }: Caller): RequestPrincipal {
  if (isServiceName(principal)) return { kind: 'service', name: principal };
  return { kind: 'identity', arn: principal, account };
}
