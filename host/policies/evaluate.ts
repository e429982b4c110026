// What a resource policy says of a request. Pure: knows neither where policies are kept nor who is authenticated how.
import { type ConditionKeys, conditionsHold } from './conditions.ts';
import { matchesArn, matchesPattern } from './pattern.ts';
import type { PolicyDocument } from './policy.ts';
import { listOf, type PolicyStatement, type StatementPrincipal } from './statement.ts';

/** Who asks. `anonymous`: a request without a signature, which only `*` means. */
export type RequestPrincipal =
  | { readonly kind: 'identity'; readonly arn: string; readonly account: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'anonymous' };

export interface AccessRequest {
  readonly principal: RequestPrincipal;
  /** `lambda:InvokeFunction`. */
  readonly action: string;
  /** ARN of what the policy belongs to, as addressed. */
  readonly resource: string;
  readonly keys: ConditionKeys;
}

/**
 * - `denied`: a statement denies it, which nothing can outweigh.
 * - `allowed`: a statement allows it to this very principal, or to everybody.
 * - `delegated`: a statement allows it to the principal's account; what the principal itself may do is the account's to say.
 * - `silent`: no statement is about it.
 */
export type PolicyDecision = 'denied' | 'allowed' | 'delegated' | 'silent';

export function evaluate(policy: PolicyDocument, request: AccessRequest): PolicyDecision {
  let decision: PolicyDecision = 'silent';
  for (const statement of policy.Statement) {
    const match = principalMatch(statement.Principal, request.principal);
    if (match === 'none' || !concerns(statement, request)) continue;
    if (statement.Effect === 'Deny') return 'denied';
    if (match === 'self') decision = 'allowed';
    else if (decision === 'silent') decision = 'delegated';
  }
  return decision;
}

function concerns(statement: PolicyStatement, { action, resource, keys }: AccessRequest): boolean {
  const wanted = action.toLowerCase();
  if (!listOf(statement.Action).some((each) => matchesPattern(wanted, each.toLowerCase())))
    return false;
  if (!listOf(statement.Resource).some((each) => fitsResource(resource, each))) return false;
  const isDeny = statement.Effect === 'Deny';
  return statement.Condition === undefined || conditionsHold(statement.Condition, keys, isDeny);
}

/** Whether a Resource element means that ARN. */
export function fitsResource(arn: string, pattern: string): boolean {
  return pattern === '*' || matchesArn(arn, pattern);
}

function principalMatch(
  stated: StatementPrincipal,
  principal: RequestPrincipal,
): 'self' | 'account' | 'none' {
  if (stated === '*') return 'self';
  const identities = stated.AWS === undefined ? [] : listOf(stated.AWS);
  if (identities.includes('*')) return 'self';
  switch (principal.kind) {
    case 'anonymous':
      return 'none';
    case 'service': {
      const services = stated.Service === undefined ? [] : listOf(stated.Service);
      return services.some((each) => each.toLowerCase() === principal.name.toLowerCase())
        ? 'self'
        : 'none';
    }
    case 'identity':
      if (identities.some((each) => namesIdentity(each, principal.arn))) return 'self';
      return identities.some((each) => namesAccount(each, principal.account)) ? 'account' : 'none';
    default:
      throw new Error(`unknown principal ${String(principal satisfies never)}`);
  }
}

/** A session is also meant by its role. Of a role's path a session's ARN shows nothing; its name is unique in the account. */
function namesIdentity(stated: string, arn: string): boolean {
  if (namesAccount(stated, undefined)) return false;
  if (stated === arn) return true;
  const role = /^arn:[^:]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(stated);
  const session = /^arn:[^:]+:sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  return role !== null && session !== null && role[1] === session[1] && role[2] === session[2];
}

/** An account is named by its id or by the ARN of its root. Of any account when none is given. */
function namesAccount(stated: string, account: string | undefined): boolean {
  const named = /^(?:arn:[^:]+:iam::(\d{12}):root|(\d{12}))$/.exec(stated);
  return named !== null && (account === undefined || (named[1] ?? named[2]) === account);
}
