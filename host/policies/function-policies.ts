// Where the policies of functions are kept: each function, version and alias has its own. The function's own is also that of
// `$LATEST`, to which no policy can be added.
import type { HeldFunction } from '../functions/functions.ts';
import { aliasNotFound, functionArn, functionNotFound, type Scope } from '../functions/names.ts';
import { findTarget, qualifiedPart, type Target } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';
import type { PolicyRecord } from './policy.ts';

/** A function, version or alias as a policy belongs to it. */
export interface PolicyOwner {
  /** What the Resource of its statements is. */
  readonly arn: string;
  /** Of the function, version or alias itself. */
  readonly revisionId: string;
  readonly policy: PolicyRecord | undefined;
}

/** The ARN that a policy of this qualifier has as its resource. */
export function policyResource(scope: Scope, name: string, qualifier: string | undefined): string {
  return functionArn(scope, name, qualifier === '$LATEST' ? undefined : qualifier);
}

/** Undefined when the function has no such version or alias. */
export function policyOwner(
  held: HeldFunction,
  qualifier: string | undefined,
): PolicyOwner | undefined {
  const target = findTarget(held, qualifier);
  return (
    target && {
      arn: policyResource(held.root, held.root.name, qualifier),
      revisionId: revisionOf(target),
      policy: qualifiedPart(held, 'policy', qualifier),
    }
  );
}

/** As {@link policyOwner}; throws ResourceNotFoundException in the words of the operations on permissions. */
export function requirePolicyOwner(held: HeldFunction, qualifier: string | undefined): PolicyOwner {
  const owner = policyOwner(held, qualifier);
  if (owner !== undefined) return owner;
  const { root } = held;
  if (qualifier !== undefined && !/^\d+$|\$/.test(qualifier))
    throw aliasNotFound(root, root.name, qualifier);
  throw functionNotFound(root, root.name, qualifier);
}

/** Throws InvalidParameterValueException for `$LATEST`, which has no policy of its own to add to. */
export function requireNotLatest(qualifier: string | undefined): void {
  if (qualifier === '$LATEST')
    throw new ServiceError(
      'InvalidParameterValueException',
      'We currently do not support adding policies for $LATEST.',
    );
}

function revisionOf(target: Target): string {
  return target.kind === 'alias' ? target.alias.revisionId : target.version.revisionId;
}
