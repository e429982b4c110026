// Whether a caller may call an operation on a resource. Runs after routing and before validation; names and texts are the
// service's.
import model from '../api/model/lambda-model.json' with { type: 'json' };
import type { OperationName } from '../api/model/types.ts';
import type { Scope } from '../functions/names.ts';
import { evaluate, type PolicyDecision } from '../policies/evaluate.ts';
import type { PolicyDocument } from '../policies/policy.ts';
import { ServiceError } from '../service-error.ts';
import { accessRequest, isService } from './access-request.ts';
import type { Caller, Rights } from './caller.ts';
import {
  type AddressedResource,
  accountOf,
  addressedResource,
  type BoundInput,
  policyArn,
  resourceArn,
} from './resource.ts';

/** What `rights: invoke` and a function's own identity stand for. */
const invokeOperations: ReadonlySet<OperationName> = new Set<OperationName>([
  'Invoke',
  'InvokeAsync',
  'InvokeWithResponseStream',
]);

const readOperations: ReadonlySet<string> = new Set(
  Object.entries(model.operations)
    .filter(([, operation]) => 'readonly' in operation)
    .map(([name]) => name),
);

/** What a policy may ask about every invocation that does not come through a function URL. */
const notByUrl = [['lambda:invokedviafunctionurl', 'false']] as const;

/** Operations whose IAM action has another name. */
const actionNames: Readonly<Partial<Record<OperationName, string>>> = {
  Invoke: 'InvokeFunction',
  InvokeWithResponseStream: 'InvokeFunction',
  GetLayerVersionByArn: 'GetLayerVersion',
};

/** Operations that a resource policy can open to other accounts. */
const crossAccountOperations: ReadonlySet<OperationName> = new Set<OperationName>([
  'AddPermission',
  'CreateAlias',
  'DeleteAlias',
  'DeleteFunction',
  'DeleteFunctionConcurrency',
  'DeleteFunctionEventInvokeConfig',
  'DeleteProvisionedConcurrencyConfig',
  'GetAlias',
  'GetFunction',
  'GetFunctionConfiguration',
  'GetFunctionEventInvokeConfig',
  'GetLayerVersion',
  'GetLayerVersionByArn',
  'GetPolicy',
  'Invoke',
  'InvokeWithResponseStream',
  'ListAliases',
  'ListFunctionEventInvokeConfigs',
  'ListProvisionedConcurrencyConfigs',
  'ListTags',
  'ListVersionsByFunction',
  'PublishVersion',
  'PutFunctionConcurrency',
  'PutFunctionEventInvokeConfig',
  'PutProvisionedConcurrencyConfig',
  'RemovePermission',
  'TagResource',
  'UntagResource',
  'UpdateAlias',
  'UpdateFunctionCode',
  'UpdateFunctionConfiguration',
  'UpdateFunctionEventInvokeConfig',
]);

/** A policy must not shut out those who can mend it, as S3 leaves a bucket's policy to the root of its account. */
const mendingOperations: ReadonlySet<OperationName> = new Set<OperationName>([
  'DeleteResourcePolicy',
  'GetPolicy',
  'GetResourcePolicy',
  'PutResourcePolicy',
  'RemovePermission',
]);

/** Where resource policies are found. Every call asks, so it must neither wait nor copy. */
export interface PolicySource {
  /** False while no policy denies anything: then rights in the own account suffice, and nothing is looked up. */
  readonly mayDeny: boolean;
  /** Undefined when there is no policy, or no such resource. */
  find(resource: AddressedResource): PolicyDocument | undefined;
}

/**
 * The scope that the call runs in, the account being that of the resource. Throws AccessDeniedException; its message is empty
 * (null on the wire) where the operation cannot be opened to other accounts at all.
 */
export function authorize(
  caller: Caller,
  operation: OperationName,
  input: BoundInput,
  policies: PolicySource,
): Scope {
  const account = accountOf(input, caller);
  const refusal = refusalFor(account, caller, operation, input, policies);
  if (refusal !== undefined) throw refusal;
  return account === caller.account ? caller : { account, region: caller.region };
}

/** What {@link authorize} would throw. */
export function refusalOf(
  caller: Caller,
  operation: OperationName,
  input: BoundInput,
  policies: PolicySource,
): ServiceError | undefined {
  return refusalFor(accountOf(input, caller), caller, operation, input, policies);
}

/**
 * Of the own account, rights or a policy suffice; of another one both must allow; a service needs a policy everywhere. What a policy
 * denies is denied to everybody whom it means, administrators of the own account included.
 */
function refusalFor(
  account: string,
  caller: Caller,
  operation: OperationName,
  input: BoundInput,
  policies: PolicySource,
): ServiceError | undefined {
  const isOwn = account === caller.account;
  if (!isOwn && !crossAccountOperations.has(operation))
    return new ServiceError('AccessDeniedException', '');
  const byRights = hasRight(caller.rights, operation);
  const needsPolicy = !isOwn || isService(caller);
  if (byRights && !needsPolicy && !policies.mayDeny) return undefined;
  const decision = decisionOn(caller, operation, input, policies);
  const isMending = isOwn && caller.rights === 'admin' && mendingOperations.has(operation);
  if (decision === 'denied' && !isMending)
    return denied(caller, operation, input, 'with an explicit deny in a resource-based policy');
  const suffices = needsPolicy ? byRights : byRights || decision === 'allowed';
  if (!suffices) return notAllowed(caller, operation, input, 'identity-based');
  if (!needsPolicy || decision === 'allowed' || decision === 'delegated') return undefined;
  return notAllowed(caller, operation, input, 'resource-based');
}

function decisionOn(
  caller: Caller,
  operation: OperationName,
  input: BoundInput,
  policies: PolicySource,
): PolicyDecision {
  const resource = addressedResource(operation, input, caller);
  const policy = resource && policies.find(resource);
  if (resource === undefined || policy === undefined) return 'silent';
  const more = invokeOperations.has(operation) ? notByUrl : [];
  return evaluate(policy, accessRequest(caller, actionOf(operation), policyArn(resource), more));
}

/** What a caller's own rights allow, whosever the resource is. */
function hasRight(rights: Rights, operation: OperationName): boolean {
  switch (rights) {
    case 'admin':
      return true;
    case 'invoke':
      return invokeOperations.has(operation);
    case 'read':
      return readOperations.has(operation);
    default:
      return rights satisfies never;
  }
}

function notAllowed(
  caller: Caller,
  operation: OperationName,
  input: BoundInput,
  policy: 'identity-based' | 'resource-based',
): ServiceError {
  const reason = `because no ${policy} policy allows the ${actionOf(operation)} action`;
  return denied(caller, operation, input, reason);
}

function denied(
  caller: Caller,
  operation: OperationName,
  input: BoundInput,
  reason: string,
): ServiceError {
  const resource = resourceArn(operation, input, caller);
  return new ServiceError(
    'AccessDeniedException',
    `User: ${caller.principal} is not authorized to perform: ${actionOf(operation)} on resource: ${resource} ${reason}`,
  );
}

function actionOf(operation: OperationName): string {
  return `lambda:${actionNames[operation] ?? operation}`;
}
