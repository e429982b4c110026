// Which resource a call is about, read from its members before anything has validated them: whose it is, its ARN, and what may
// have a policy.
import type { OperationName } from '../api/model/types.ts';
import { functionArn, functionNameParts, partitionOf, type Scope } from '../functions/names.ts';
import { layerVersionArn } from '../layers/names.ts';

/** An operation's input as bound, not yet validated. */
export type BoundInput = Readonly<Record<string, unknown>>;

/** Operations on a list, or on what does not exist yet: their resource is `*`. */
const listOperations: ReadonlySet<OperationName> = new Set<OperationName>([
  'CreateEventSourceMapping',
  'ListEventSourceMappings',
  'ListLayerVersions',
]);

/** Members that hold a complete ARN or an ARN in place of a name. */
const arnMembers = [
  'LayerName',
  'CapacityProviderName',
  'CodeSigningConfigArn',
  'Resource',
  'ResourceArn',
  'DurableExecutionArn',
  'Arn',
] as const;

/** The account that a call's resource belongs to: the caller's own unless an ARN says otherwise. */
export function accountOf(input: BoundInput, caller: Scope): string {
  const functionName = input['FunctionName'];
  if (typeof functionName === 'string') {
    const parts = functionNameParts(functionName);
    // What is no form of a name is refused later; whose it would have been is told before.
    const account = parts === undefined ? accountInArn(functionName) : parts.account;
    return account ?? caller.account;
  }
  for (const member of arnMembers) {
    const account = accountInArn(textOf(input, member) ?? '');
    if (account !== undefined) return account;
  }
  return caller.account;
}

function accountInArn(text: string): string | undefined {
  return (text.startsWith('arn:') && text.split(':')[4]) || undefined;
}

/** What can have a policy, of any account, whether or not it exists. */
export type AddressedResource =
  | (Scope & {
      readonly kind: 'function';
      readonly name: string;
      readonly qualifier: string | undefined;
    })
  | (Scope & { readonly kind: 'layer-version'; readonly name: string; readonly version: number });

/** Undefined for operations on lists, and on what has no policy. */
export function addressedResource(
  operation: OperationName,
  input: BoundInput,
  caller: Scope,
): AddressedResource | undefined {
  if (listOperations.has(operation) || input['UUID'] !== undefined) return undefined;
  const functionName = textOf(input, 'FunctionName') ?? functionArnIn(input);
  if (functionName !== undefined) {
    return { kind: 'function', ...addressedFunction(functionName, input, caller) };
  }
  return addressedLayerVersion(input, caller);
}

/** The ARN as the statements of its policy name it: a function's own policy is also that of `$LATEST`. */
export function policyArn(resource: AddressedResource): string {
  if (resource.kind === 'layer-version') return layerVersionArn(resource, resource.version);
  const { name, qualifier } = resource;
  return functionArn(resource, name, qualifier === '$LATEST' ? undefined : qualifier);
}

function functionArnIn(input: BoundInput): string | undefined {
  const arn = textOf(input, 'Resource') ?? textOf(input, 'ResourceArn');
  return arn?.split(':')[5] === 'function' ? arn : undefined;
}

function addressedLayerVersion(input: BoundInput, caller: Scope): AddressedResource | undefined {
  const version = Number(input['VersionNumber']);
  const layerName = textOf(input, 'LayerName');
  const arn = layerName?.startsWith('arn:') === true ? layerName : textOf(input, 'Arn');
  const kind = 'layer-version';
  if (arn === undefined) {
    if (layerName === undefined || Number.isNaN(version)) return undefined;
    return { kind, account: caller.account, region: caller.region, name: layerName, version };
  }
  const [, , , region = '', account = '', type, name = '', ofArn] = arn.split(':');
  const number = ofArn === undefined ? version : Number(ofArn);
  if (type !== 'layer' || Number.isNaN(number)) return undefined;
  return { kind, account, region, name, version: number };
}

/** The ARN that a refusal names, `*` for operations on a list. */
export function resourceArn(operation: OperationName, input: BoundInput, caller: Scope): string {
  if (listOperations.has(operation)) return '*';
  const prefix = `arn:${partitionOf(caller.region)}:lambda:${caller.region}:${caller.account}`;
  const mapping = textOf(input, 'UUID');
  if (mapping !== undefined) return `${prefix}:event-source-mapping:${mapping}`;
  const functionName = textOf(input, 'FunctionName');
  if (functionName !== undefined) return arnOfFunction(functionName, input, caller);
  const member = arnMembers.find((name) => textOf(input, name) !== undefined);
  if (member === undefined) return '*';
  const value = textOf(input, member) ?? '';
  const version = input['VersionNumber'];
  const isNumber = typeof version === 'number' || typeof version === 'string';
  const suffix = isNumber ? `:${version}` : '';
  if (value.startsWith('arn:')) return `${value}${suffix}`;
  const kind = member === 'CapacityProviderName' ? 'capacity-provider' : 'layer';
  return `${prefix}:${kind}:${value}${suffix}`;
}

function arnOfFunction(functionName: string, input: BoundInput, caller: Scope): string {
  const addressed = addressedFunction(functionName, input, caller);
  return functionArn(addressed, addressed.name, addressed.qualifier);
}

/** What is no form of a name is named as it is; its validation is still to come. */
function addressedFunction(functionName: string, input: BoundInput, caller: Scope) {
  const parts = functionNameParts(functionName);
  return {
    account: parts?.account ?? caller.account,
    region: parts?.region ?? caller.region,
    name: parts?.name ?? functionName,
    qualifier: parts?.qualifier ?? textOf(input, 'Qualifier'),
  };
}

function textOf(input: BoundInput, member: string): string | undefined {
  const value = input[member];
  return typeof value === 'string' ? value : undefined;
}
