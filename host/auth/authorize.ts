// Whether a caller may call an operation on a resource. Runs after routing and before validation; names and texts are the
// service's.
import model from '../api/model/lambda-model.json' with { type: 'json' };
import type { OperationName } from '../api/model/types.ts';
import { ServiceError } from '../service-error.ts';
import type { Caller, Rights } from './caller.ts';
import { accountOf, type BoundInput, resourceArn } from './resource.ts';

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

/**
 * Returns when the call is allowed. Throws AccessDeniedException; its message is empty (null on the wire) where the
 * operation cannot be opened to other accounts at all.
 */
export function authorize(caller: Caller, operation: OperationName, input: BoundInput): void {
  const allowedByRights = hasRight(caller.rights, operation);
  const isOwn = accountOf(input, caller) === caller.account;
  if (isOwn && allowedByRights) return;
  if (!isOwn && !crossAccountOperations.has(operation)) {
    throw new ServiceError('AccessDeniedException', '');
  }
  if (!allowedByRights) throw denied(caller, operation, input, 'identity-based');
  // Another account's resource: both sides must allow it, and the resource policy of the other side is asked here.
  throw denied(caller, operation, input, 'resource-based');
}

/** What a caller's own rights allow, whosever the resource is. */
export function hasRight(rights: Rights, operation: OperationName): boolean {
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

function denied(
  caller: Caller,
  operation: OperationName,
  input: BoundInput,
  policy: 'identity-based' | 'resource-based',
): ServiceError {
  const action = `lambda:${actionNames[operation] ?? operation}`;
  const resource = resourceArn(operation, input, caller);
  return new ServiceError(
    'AccessDeniedException',
    `User: ${caller.principal} is not authorized to perform: ${action} on resource: ${resource} because no ${policy} policy allows the ${action} action`,
  );
}
