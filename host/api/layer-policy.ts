// Permissions on layer versions: who else may use them.
import type { HeldLayer } from '../layers/layers.ts';
import { type LayerReference, layerVersionArn, resolveLayerName } from '../layers/names.ts';
import {
  type PolicyRecord,
  policyText,
  requireNewSid,
  requirePolicy,
  requirePolicyRevision,
  requireSid,
  withoutStatement,
  withStatement,
} from '../policies/policy.ts';
import { permissionStatement, statementPrincipal } from '../policies/statement.ts';
import { ServiceError } from '../service-error.ts';
import { operation } from './operation.ts';

export const AddLayerVersionPermission = operation(
  'AddLayerVersionPermission',
  async (input, context) => {
    const layer = resolveLayerName(context, input.LayerName);
    const { VersionNumber: number, OrganizationId: principalOrgId } = input;
    if (principalOrgId !== undefined && input.Principal !== '*')
      throw new ServiceError(
        'InvalidParameterValueException',
        'OrganizationId can only be given with the principal *',
      );
    const statement = permissionStatement({
      sid: input.StatementId,
      principal: statementPrincipal(input.Principal, context.partition),
      action: input.Action,
      resource: layerVersionArn(layer, number),
      conditions: { principalOrgId },
    });
    const RevisionId = await context.layers.change(layer, (current) => {
      const held = requireVersion(current, layer, number);
      const before = held.part('layer-policy', `${number}`);
      requireRevision(before, input.RevisionId);
      requireNewSid(before, input.StatementId);
      const policy = withStatement(before, statement, context.stamp().newId());
      return { change: policyChange(held, number, policy), result: policy.revisionId };
    });
    return { Statement: JSON.stringify(statement), RevisionId };
  },
);

export const GetLayerVersionPolicy = operation('GetLayerVersionPolicy', async (input, context) => {
  const layer = resolveLayerName(context, input.LayerName);
  const number = input.VersionNumber;
  const held = requireVersion(context.layers.held(layer), layer, number);
  const { document, revisionId } = requirePolicy(held.part('layer-policy', `${number}`));
  return { Policy: policyText(document), RevisionId: revisionId };
});

export const RemoveLayerVersionPermission = operation(
  'RemoveLayerVersionPermission',
  async (input, context) => {
    const layer = resolveLayerName(context, input.LayerName);
    const number = input.VersionNumber;
    await context.layers.change(layer, (current) => {
      const held = requireVersion(current, layer, number);
      const before = requirePolicy(held.part('layer-policy', `${number}`));
      requireSid(before, input.StatementId);
      requireRevision(before, input.RevisionId);
      const rest = withoutStatement(before, input.StatementId, context.stamp().newId());
      return { change: policyChange(held, number, rest), result: undefined };
    });
  },
);

/** Throws ResourceNotFoundException. */
function requireVersion(
  held: HeldLayer | undefined,
  layer: LayerReference,
  number: number,
): HeldLayer {
  if (held?.part('layer-version', `${number}`) !== undefined) return held;
  throw new ServiceError(
    'ResourceNotFoundException',
    `Layer version ${layerVersionArn(layer, number)} does not exist.`,
  );
}

function requireRevision(policy: PolicyRecord | undefined, given: string | undefined): void {
  requirePolicyRevision(given, [policy?.revisionId], 'GetLayerPolicy');
}

function policyChange(held: HeldLayer, number: number, policy: PolicyRecord | undefined) {
  const part = { kind: 'layer-policy', name: `${number}`, value: policy } as const;
  return { root: held.root, parts: [part] };
}
