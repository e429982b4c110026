// Who may use a layer version: the account that it belongs to, and whom its policy lets in.
import { accessRequest } from '../auth/access-request.ts';
import type { PolicySource } from '../auth/authorize.ts';
import type { Caller } from '../auth/caller.ts';
import { evaluate } from '../policies/evaluate.ts';
import { ServiceError } from '../service-error.ts';
import { type LayerReference, layerVersionArn } from './names.ts';

const ACTION = 'lambda:GetLayerVersion';

export interface AccessScope {
  readonly policies: PolicySource;
  readonly caller: Caller;
  readonly region: string;
}

/**
 * Throws AccessDeniedException for a layer version of another account whose policy does not let the caller in; a version that does not
 * exist or is in another region has no policy.
 */
export function requireAccess(scope: AccessScope, layer: LayerReference, version: number): void {
  const { caller, policies, region } = scope;
  if (layer.account === caller.account) return;
  const arn = layerVersionArn(layer, version);
  const policy =
    layer.region === region
      ? policies.find({ kind: 'layer-version', ...layer, version })
      : undefined;
  const decision =
    policy === undefined ? 'silent' : evaluate(policy, accessRequest(caller, ACTION, arn));
  if (decision === 'allowed' || decision === 'delegated') return;
  throw new ServiceError(
    'AccessDeniedException',
    `User: ${caller.principal} is not authorized to perform: ${ACTION} on resource: ${arn} because no resource-based policy allows the ${ACTION} action`,
  );
}
