// From an authenticated caller to what a resource policy is asked: who it is, and what conditions may ask about it.
import type { AccessRequest, RequestPrincipal } from '../policies/evaluate.ts';
import { isServiceName } from '../policies/statement.ts';
import type { Caller } from './caller.ts';

/** Services have no rights by themselves: what they may do is said by the policies of resources alone. */
export function isService({ principal }: Caller): boolean {
  return !principal.startsWith('arn:') && isServiceName(principal);
}

/**
 * `action` with its prefix (`lambda:InvokeFunction`), `resource` an ARN. `more` has what only the kind of the request tells, by
 * condition key in lower case.
 */
export function accessRequest(
  caller: Caller,
  action: string,
  resource: string,
  more: Iterable<readonly [string, string]> = [],
): AccessRequest {
  const principal = requestPrincipal(caller);
  const keys = new Map(conditionKeys(caller, principal));
  for (const [key, value] of more) keys.set(key, value);
  return { principal, action, resource, keys };
}

function requestPrincipal(caller: Caller): RequestPrincipal {
  return isService(caller)
    ? { kind: 'service', name: caller.principal }
    : { kind: 'identity', arn: caller.principal, account: caller.account };
}

function* conditionKeys(
  { account, region, principal: arn, attributes = {} }: Caller,
  { kind }: RequestPrincipal,
): Iterable<readonly [string, string]> {
  yield ['aws:requestedregion', region];
  yield ['aws:principalisawsservice', String(kind === 'service')];
  const { organization, sourceArn, sourceAccount } = attributes;
  if (kind === 'service') {
    yield ['aws:principalservicename', arn];
    if (sourceArn !== undefined) yield ['aws:sourcearn', sourceArn];
    if (sourceAccount !== undefined) yield ['aws:sourceaccount', sourceAccount];
    return;
  }
  yield ['aws:principalaccount', account];
  yield ['aws:principalarn', attributes.role ?? identityOf(arn)];
  yield ['aws:principaltype', principalType(arn)];
  if (organization !== undefined) yield ['aws:principalorgid', organization];
}

/** The identity behind a session: its role, whose path the session does not show. */
function identityOf(arn: string): string {
  const session = /^(arn:[^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  return session === null ? arn : `${session[1]}:iam::${session[2]}:role/${session[3]}`;
}

function principalType(arn: string): string {
  const [, , , , , resource = ''] = arn.split(':');
  if (resource === 'root') return 'Account';
  if (resource.startsWith('assumed-role/')) return 'AssumedRole';
  return resource.startsWith('federated-user/') ? 'FederatedUser' : 'User';
}
