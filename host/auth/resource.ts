// Which resource a call is about, read from its members before anything has validated them: whose it is, and its ARN.
import type { OperationName } from '../api/model/types.ts';
import { functionArn, partitionOf, type Scope } from '../functions/names.ts';

/** An operation's input as bound, not yet validated. */
export type BoundInput = Readonly<Record<string, unknown>>;

/** Operations on a list, or on what does not exist yet: their resource is `*`. Source: control-plane document §3.3. */
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
    return functionName.includes(':')
      ? (partsOf(functionName).account ?? caller.account)
      : caller.account;
  }
  for (const member of arnMembers) {
    const value = textOf(input, member);
    const account = value?.startsWith('arn:') === true ? value.split(':')[4] : undefined;
    if (account !== undefined && account !== '') return account;
  }
  return caller.account;
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
  const parts = partsOf(functionName);
  const region = parts.region ?? caller.region;
  const account = parts.account ?? caller.account;
  const qualifier = parts.qualifier ?? textOf(input, 'Qualifier');
  return functionArn({ account, region }, parts.name, qualifier);
}

interface FunctionNameParts {
  readonly region: string | undefined;
  readonly account: string | undefined;
  readonly name: string;
  readonly qualifier: string | undefined;
}

/** Takes every form of a FunctionName apart, sound or not (control-plane document §5.1); the last part is always a name. */
function partsOf(functionName: string): FunctionNameParts {
  const parts = functionName.split(':');
  if (parts[0] === 'arn' && parts.length > 3) parts.splice(0, 3);
  const takeIf = (form: RegExp): string | undefined =>
    parts.length > 1 && form.test(parts[0] ?? '') ? parts.shift() : undefined;
  const region = takeIf(/^(?:[a-z]+-){2,}\d$/);
  const account = takeIf(/^\d{12}$/);
  takeIf(/^function$/);
  const [name = '', qualifier] = parts;
  return { region, account, name, qualifier };
}

function textOf(input: BoundInput, member: string): string | undefined {
  const value = input[member];
  return typeof value === 'string' ? value : undefined;
}
