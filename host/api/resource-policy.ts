// Whole policies: read, replaced and removed at once. They are the same policies that permissions are added to.
import type { HeldFunction } from '../functions/functions.ts';
import {
  functionArn,
  functionNameParts,
  functionNotFound,
  requireRegion,
} from '../functions/names.ts';
import { withQualifiedPart } from '../functions/target.ts';
import {
  policyOwner,
  requireNotLatest,
  requirePolicyOwner,
} from '../policies/function-policies.ts';
import { parsePolicy } from '../policies/parse-policy.ts';
import {
  type PolicyRecord,
  policyText,
  requirePolicy,
  requirePolicyRevision,
  requireSize,
} from '../policies/policy.ts';
import { noSuchResource, ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';
import { operation } from './operation.ts';

export const GetResourcePolicy = operation('GetResourcePolicy', async (input, context) => {
  const { account, region, functions } = context;
  const { name, qualifier } = resolveArn(context, input.ResourceArn);
  const held = functions.held(account, region, name);
  const policy = held && policyOwner(held, qualifier)?.policy;
  if (policy === undefined) throw noSuchResource();
  return shown(policy);
});

export const PutResourcePolicy = operation('PutResourcePolicy', async (input, context) => {
  const { account, region, functions } = context;
  const { name, qualifier } = resolveArn(context, input.ResourceArn);
  requireNotLatest(qualifier);
  const put = await functions.change(account, region, name, (current) => {
    const held = requireHeld(context, current, name);
    const owner = requirePolicyOwner(held, qualifier);
    requireRevision(owner.policy, input.RevisionId);
    const document = parsePolicy(input.Policy, owner.arn);
    requireSize(document);
    const policy = { document, revisionId: context.stamp().newId() };
    return { change: withQualifiedPart(held, 'policy', qualifier, policy), result: policy };
  });
  return shown(put);
});

export const DeleteResourcePolicy = operation('DeleteResourcePolicy', async (input, context) => {
  const { account, region, functions } = context;
  const { name, qualifier } = resolveArn(context, input.ResourceArn);
  await functions.change(account, region, name, (current) => {
    const held = requireHeld(context, current, name);
    const policy = requirePolicy(requirePolicyOwner(held, qualifier).policy);
    requireRevision(policy, input.RevisionId);
    return { change: withQualifiedPart(held, 'policy', qualifier, undefined), result: undefined };
  });
});

function shown({ document, revisionId }: PolicyRecord) {
  return { Policy: policyText(document), RevisionId: revisionId };
}

/**
 * The function, version or alias of a complete ARN. Throws InvalidParameterValueException for names, wildcards and ARNs of
 * anything else, ResourceNotFoundException for another region.
 */
function resolveArn(context: OperationContext, arn: string) {
  const parts = arn.split(':')[5] === 'function' ? functionNameParts(arn) : undefined;
  if (parts === undefined)
    throw new ServiceError(
      'InvalidParameterValueException',
      `The provided resource ARN is invalid: ${arn}. It must be the complete ARN of a function, a version or an alias.`,
    );
  requireRegion(context, arn);
  const { name, qualifier } = parts;
  if (functionArn(context, name, qualifier) !== arn)
    throw functionNotFound(context, name, qualifier);
  return { name, qualifier };
}

function requireHeld(
  context: OperationContext,
  held: HeldFunction | undefined,
  name: string,
): HeldFunction {
  if (held === undefined) throw functionNotFound(context, name);
  return held;
}

/** Only the policy's own revision counts. */
function requireRevision(policy: PolicyRecord | undefined, given: string | undefined): void {
  requirePolicyRevision(given, [policy?.revisionId], 'GetResourcePolicy');
}
