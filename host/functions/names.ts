// Function names, ARNs and qualifiers: every form that the API accepts, taken apart once at the edge.
// What is not found is told in the service's words, which differ from form to form.
import { ServiceError } from '../service-error.ts';

/** Whose resources a request is about. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** A function as a caller named it, checked against the caller's scope. */
export interface FunctionReference {
  readonly name: string;
  /** As written, in the name or beside it; undefined when neither was. */
  readonly qualifier: string | undefined;
}

/** A function's name in any of its forms, taken apart; what it leaves to the caller's scope is undefined. */
export interface FunctionNameParts {
  readonly region: string | undefined;
  readonly account: string | undefined;
  readonly name: string;
  readonly qualifier: string | undefined;
}

const BARE_NAME = /^[a-zA-Z0-9-_.]+$/;

const FORM =
  /^(?:arn:(?<partition>aws[a-zA-Z-]*):lambda:)?(?:(?<region>(?:eusc-)?[a-z]{2}(?:(?:-gov)|(?:-iso(?:[a-z]?)))?-[a-z]+-\d):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_.]+)(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_$]+))?$/;

/** The one reading of names and ARNs: what is authorised is what is executed. Undefined for what is no form of a name. */
export function functionNameParts(functionName: string): FunctionNameParts | undefined {
  if (BARE_NAME.test(functionName))
    return { region: undefined, account: undefined, name: functionName, qualifier: undefined };
  const parts = FORM.exec(functionName)?.groups;
  const name = parts?.['name'];
  if (parts === undefined || name === undefined) return undefined;
  const { region, account, qualifier } = parts;
  return { region, account, name, qualifier };
}

/**
 * Throws ResourceNotFoundException when a FunctionName member names another region. The service says so before it looks at the
 * form of any member, so the value may be anything.
 */
export function requireRegion(scope: Scope, functionName: unknown): void {
  if (typeof functionName !== 'string' || !functionName.includes(':')) return;
  const region = functionNameParts(functionName)?.region;
  if (region === undefined || region === scope.region) return;
  throw new ServiceError(
    'ResourceNotFoundException',
    `Functions from '${region}' are not reachable in this region ('${scope.region}')`,
  );
}

/**
 * Resolves a FunctionName member and an optional Qualifier member, in the service's order of checks.
 * Errors: AccessDeniedException (another account), ResourceNotFoundException (another region),
 * InvalidParameterValueException (two different qualifiers).
 */
export function resolveReference(
  scope: Scope,
  functionName: string,
  qualifier: string | undefined,
): FunctionReference {
  const parts = functionNameParts(functionName);
  if (parts === undefined) return { name: functionName, qualifier };
  const { account, name, qualifier: inName } = parts;
  if (account !== undefined && account !== scope.account)
    throw new ServiceError('AccessDeniedException', '');
  requireRegion(scope, functionName);
  if (inName !== undefined && qualifier !== undefined && inName !== qualifier)
    throw new ServiceError(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  return { name, qualifier: inName ?? qualifier };
}

/** As {@link resolveReference} for operations on `$LATEST`: no other qualifier is taken. */
export function resolveUnqualified(scope: Scope, functionName: string): string {
  const reference = resolveReference(scope, functionName, undefined);
  return reference.qualifier === '$LATEST' ? reference.name : wholeFunction(reference);
}

/** As {@link resolveReference} for operations on a whole function: no qualifier is taken. */
export function resolveWholeFunction(scope: Scope, functionName: string): string {
  return wholeFunction(resolveReference(scope, functionName, undefined));
}

function wholeFunction({ name, qualifier }: FunctionReference): string {
  if (qualifier === undefined) return name;
  throw new ServiceError(
    'InvalidParameterValueException',
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  );
}

/** The partition that a region belongs to. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  if (region.startsWith('eusc-')) return 'aws-eusc';
  return 'aws';
}

/** The unqualified ARN, or the qualified one when a qualifier is given. */
export function functionArn(scope: Scope, name: string, qualifier?: string): string {
  const arn = `arn:${partitionOf(scope.region)}:lambda:${scope.region}:${scope.account}:function:${name}`;
  return qualifier === undefined ? arn : `${arn}:${qualifier}`;
}

export function isVersionNumber(qualifier: string): boolean {
  return /^\d+$/.test(qualifier);
}

export function aliasNotFound(scope: Scope, name: string, alias: string): ServiceError {
  return new ServiceError(
    'ResourceNotFoundException',
    `Cannot find alias arn: ${functionArn(scope, name, alias)}`,
  );
}

export function functionNotFound(scope: Scope, name: string, qualifier?: string): ServiceError {
  return new ServiceError(
    'ResourceNotFoundException',
    `Function not found: ${functionArn(scope, name, qualifier)}`,
  );
}
