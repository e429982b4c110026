// Permissions: the statements of a resource policy, added and removed one by one, and the policy they make.
import type { HeldFunction } from '../functions/functions.ts';
import { functionNotFound, resolveReference } from '../functions/names.ts';
import { withQualifiedPart } from '../functions/target.ts';
import {
  type PolicyOwner,
  policyOwner,
  policyResource,
  requireNotLatest,
  requirePolicyOwner,
} from '../policies/function-policies.ts';
import {
  policyText,
  requireNewSid,
  requirePolicy,
  requirePolicyRevision,
  requireSid,
  withoutStatement,
  withStatement,
} from '../policies/policy.ts';
import {
  type PolicyStatement,
  permissionStatement,
  statementPrincipal,
} from '../policies/statement.ts';
import { noSuchResource, ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import type { AddPermissionRequest } from './model/types.ts';
import { operation } from './operation.ts';
import type { DecodedStructure } from './validation.ts';

export const AddPermission = operation(
  'AddPermission',
  async (input, context) => {
    const { account, region, functions } = context;
    const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
    const statement = await functions.change(account, region, name, (current) => {
      const owner = addressedOwner(context, current, name, qualifier, input.RevisionId);
      requireNewSid(owner.policy, input.StatementId);
      const added = statementOf(input, owner, context.partition);
      const policy = withStatement(owner.policy, added, context.stamp().newId());
      return { change: withQualifiedPart(owner.held, 'policy', qualifier, policy), result: added };
    });
    return { Statement: JSON.stringify(statement) };
  },
  { lookFirst: lookForOwner },
);

export const GetPolicy = operation('GetPolicy', async (input, context) => {
  const { account, region, functions } = context;
  const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
  const held = functions.held(account, region, name);
  const policy = held && policyOwner(held, qualifier)?.policy;
  if (policy === undefined) throw noSuchResource();
  return { Policy: policyText(policy.document), RevisionId: policy.revisionId };
});

export const RemovePermission = operation('RemovePermission', async (input, context) => {
  const { account, region, functions } = context;
  const { name, qualifier } = resolveReference(context, input.FunctionName, input.Qualifier);
  await functions.change(account, region, name, (current) => {
    if (current === undefined)
      throw new ServiceError(
        'ResourceNotFoundException',
        `No policy found for: ${policyResource(context, name, undefined)}`,
      );
    const owner = requirePolicyOwner(current, qualifier);
    const policy = requirePolicy(owner.policy);
    requireSid(policy, input.StatementId);
    requireRevision(owner, input.RevisionId);
    const rest = withoutStatement(policy, input.StatementId, context.stamp().newId());
    return { change: withQualifiedPart(current, 'policy', qualifier, rest), result: undefined };
  });
});

/**
 * Recorded answers to AddPermission tell of the function before they tell of the form of what is added to it: the qualifier, the
 * look-up and the revision come before the constraints on the other members.
 */
function lookForOwner(
  input: DecodedStructure,
  context: OperationContext,
  requireValid: (...members: readonly string[]) => void,
): void {
  const { FunctionName: functionName, Qualifier: given, RevisionId: revisionId } = input;
  const named = typeof functionName === 'string' ? functionName : '';
  const beside = typeof given === 'string' ? given : undefined;
  const { name, qualifier } = resolveReference(context, named, beside);
  requireValid('FunctionName', 'Qualifier');
  const held = context.functions.held(context.account, context.region, name);
  const revision = typeof revisionId === 'string' ? revisionId : undefined;
  addressedOwner(context, held, name, qualifier, revision);
}

/** What a permission is added to, and the function it belongs to. Throws what AddPermission answers before it looks at the rest. */
function addressedOwner(
  context: OperationContext,
  held: HeldFunction | undefined,
  name: string,
  qualifier: string | undefined,
  revisionId: string | undefined,
): PolicyOwner & { readonly held: HeldFunction } {
  requireNotLatest(qualifier);
  if (held === undefined) throw functionNotFound(context, name);
  const owner = requirePolicyOwner(held, qualifier);
  requireRevision(owner, revisionId);
  return { ...owner, held };
}

/** The revision of what the policy belongs to counts as well: the policy once shared it, and clients still send it. */
function requireRevision({ policy, revisionId }: PolicyOwner, given: string | undefined): void {
  requirePolicyRevision(given, [policy?.revisionId, revisionId], 'GetPolicy');
}

function statementOf(
  input: AddPermissionRequest,
  { arn }: PolicyOwner,
  partition: string,
): PolicyStatement {
  const principal = statementPrincipal(input.Principal, partition);
  if (input.FunctionUrlAuthType !== undefined && input.Action !== 'lambda:InvokeFunctionUrl')
    throw new ServiceError(
      'InvalidParameterValueException',
      'FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action',
    );
  return permissionStatement({
    sid: input.StatementId,
    principal,
    action: input.Action,
    resource: arn,
    conditions: {
      sourceAccount: input.SourceAccount,
      functionUrlAuthType: input.FunctionUrlAuthType,
      principalOrgId: input.PrincipalOrgID,
      eventSourceToken: input.EventSourceToken,
      sourceArn: input.SourceArn,
      invokedViaFunctionUrl: input.InvokedViaFunctionUrl,
    },
  });
}
