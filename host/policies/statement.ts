// One statement of a resource policy, spelled as in the policy's JSON text; and how a permission becomes one.
import { ServiceError } from '../service-error.ts';

export type OneOrMore<T> = T | readonly T[];

/** Whom a statement is about. `*`: everybody. */
export type StatementPrincipal =
  | '*'
  | {
      readonly AWS?: OneOrMore<string> | undefined;
      readonly Service?: OneOrMore<string> | undefined;
    };

/** Values by condition key, by operator: `{StringEquals: {'AWS:SourceAccount': '111111111111'}}`. */
export type Conditions = Readonly<
  Record<string, Readonly<Record<string, OneOrMore<string | number | boolean>>>>
>;

/** The order of the members is the order of the text. */
export interface PolicyStatement {
  readonly Sid?: string | undefined;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: StatementPrincipal;
  readonly Action: OneOrMore<string>;
  readonly Resource: OneOrMore<string>;
  readonly Condition?: Conditions | undefined;
}

/** What narrows a permission; undefined members narrow nothing. */
export interface PermissionConditions {
  readonly sourceAccount?: string | undefined;
  readonly functionUrlAuthType?: string | undefined;
  readonly principalOrgId?: string | undefined;
  readonly eventSourceToken?: string | undefined;
  readonly sourceArn?: string | undefined;
  readonly invokedViaFunctionUrl?: boolean | undefined;
}

export interface Permission {
  readonly sid: string;
  readonly principal: StatementPrincipal;
  /** `lambda:InvokeFunction`, `lambda:*` or `*`. */
  readonly action: string;
  /** ARN, with the qualifier that the policy belongs to. */
  readonly resource: string;
  readonly conditions?: PermissionConditions | undefined;
}

const serviceForm =
  /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|amazon\.com|aws\.internal)$/i;

const identityForm =
  /^arn:aws[a-zA-Z0-9-]*:(?:iam::\d{12}:(?:root|user\/\S+|role\/\S+)|sts::\d{12}:(?:assumed-role|federated-user)\/\S+)$/;

/**
 * The statement of a permission. Every value is one text, never a list: Terraform reads them so. Its keys are in the order in
 * which the service writes them.
 */
export function permissionStatement(permission: Permission): PolicyStatement {
  const { sid, principal, action, resource, conditions } = permission;
  const condition = conditions && conditionsOf(conditions);
  const isNarrowed = condition !== undefined && Object.keys(condition).length > 0;
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: principal,
    Action: action,
    Resource: resource,
    ...(isNarrowed ? { Condition: condition } : {}),
  };
}

function conditionsOf(given: PermissionConditions): Conditions {
  const viaUrl = given.invokedViaFunctionUrl;
  return withoutEmpty({
    StringEquals: withoutUndefined({
      'AWS:SourceAccount': given.sourceAccount,
      'lambda:FunctionUrlAuthType': given.functionUrlAuthType,
      'aws:PrincipalOrgID': given.principalOrgId,
      'lambda:EventSourceToken': given.eventSourceToken,
    }),
    ArnLike: withoutUndefined({ 'AWS:SourceArn': given.sourceArn }),
    Bool: withoutUndefined({
      'lambda:InvokedViaFunctionUrl': viaUrl === undefined ? undefined : String(viaUrl),
    }),
  });
}

function withoutUndefined(
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const given = Object.entries(values).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(given);
}

function withoutEmpty(operators: Conditions): Conditions {
  return Object.fromEntries(
    Object.entries(operators).filter(([, values]) => Object.keys(values).length > 0),
  );
}

/**
 * The principal that a caller named: `*`, an account id, a service or the ARN of an identity. Throws
 * InvalidParameterValueException for anything else.
 */
export function statementPrincipal(named: string, partition: string): StatementPrincipal {
  if (named === '*') return '*';
  if (/^\d{12}$/.test(named)) return { AWS: `arn:${partition}:iam::${named}:root` };
  if (isIdentityArn(named)) return { AWS: named };
  if (isServiceName(named)) return { Service: named };
  throw new ServiceError(
    'InvalidParameterValueException',
    'The provided principal was invalid. Please check the principal and try again.',
  );
}

/** `s3.amazonaws.com` and its like. */
export function isServiceName(text: string): boolean {
  return serviceForm.test(text);
}

/** The ARN of a user, a role, a session of one, or a whole account. */
export function isIdentityArn(text: string): boolean {
  return identityForm.test(text);
}

export function listOf<T extends string | number | boolean>(value: OneOrMore<T>): readonly T[] {
  // as: Array.isArray does not narrow a readonly list away from the single value
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
