// From the text of a whole policy to a document that this host can hold requests against. What it cannot judge is refused here,
// so that no policy is kept that means less, or more, than it says.
import { ServiceError } from '../service-error.ts';
import { knownConditionKeys } from './condition-keys.ts';
import { isKnownOperator } from './conditions.ts';
import { fitsResource } from './evaluate.ts';
import type { PolicyDocument } from './policy.ts';
import {
  isIdentityArn,
  isServiceName,
  listOf,
  type OneOrMore,
  type PolicyStatement,
} from './statement.ts';

type Members = Readonly<Record<string, unknown>>;

const VERSIONS: readonly unknown[] = ['2012-10-17', '2008-10-17'];

/**
 * The policy of the resource with that ARN. A lone statement becomes a list of one; nothing else is changed. Throws
 * InvalidParameterValueException, which names the first fault.
 */
export function parsePolicy(text: string, resource: string): PolicyDocument {
  const members = objectOf(parseJson(text), 'the document');
  refuseUnknown(members, ['Version', 'Id', 'Statement'], 'the document');
  const { Version, Id, Statement } = members;
  if (Version !== undefined && !VERSIONS.includes(Version))
    throw malformed('Version must be 2012-10-17 or 2008-10-17');
  if (Id !== undefined && typeof Id !== 'string') throw malformed('Id must be a string');
  const statements = Array.isArray(Statement) ? (Statement as readonly unknown[]) : [Statement]; // as: any list
  if (Statement === undefined || statements.length === 0)
    throw malformed('Statement must hold at least one statement');
  const checked = statements.map((each, index) =>
    checkStatement(each, `Statement ${index + 1}`, resource),
  );
  refuseDoubleSids(checked);
  return { ...members, Statement: checked };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed('it is not JSON', error);
  }
}

function checkStatement(value: unknown, where: string, resource: string): PolicyStatement {
  const members = objectOf(value, where);
  refuseUnknown(members, ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition'], where);
  const { Sid, Effect, Principal, Action, Resource, Condition } = members;
  if (Sid !== undefined && !(typeof Sid === 'string' && /^[a-zA-Z0-9-_.]{1,100}$/.test(Sid)))
    throw malformed(`Sid of ${where} must be 1 to 100 letters, digits, -, _ or .`);
  if (Effect !== 'Allow' && Effect !== 'Deny')
    throw malformed(`Effect of ${where} must be Allow or Deny`);
  checkPrincipal(Principal, where);
  for (const action of textsOf(Action, `Action of ${where}`))
    if (!/^(?:\*|lambda:[a-zA-Z*?]+)$/i.test(action))
      throw malformed(`${action} in Action of ${where} is not an action of Lambda`);
  for (const pattern of textsOf(Resource, `Resource of ${where}`))
    if (!fitsResource(resource, pattern))
      throw malformed(`${pattern} in Resource of ${where} does not mean ${resource}`);
  if (Condition !== undefined) checkConditions(Condition, where);
  return members as unknown as PolicyStatement; // as: every member has just been looked at
}

function checkPrincipal(value: unknown, where: string): void {
  if (value === '*') return;
  const members = objectOf(value, `Principal of ${where}`);
  refuseUnknown(members, ['AWS', 'Service'], `Principal of ${where}`);
  const { AWS: identities, Service: services } = members;
  if (identities === undefined && services === undefined)
    throw malformed(`Principal of ${where} names nobody`);
  const isIdentity = (text: string) => text === '*' || /^\d{12}$/.test(text) || isIdentityArn(text);
  checkEach(identities, `AWS in Principal of ${where}`, isIdentity);
  checkEach(services, `Service in Principal of ${where}`, isServiceName);
}

function checkEach(value: unknown, where: string, isFit: (text: string) => boolean): void {
  if (value === undefined) return;
  const unfit = textsOf(value, where).find((text) => !isFit(text));
  if (unfit !== undefined) throw malformed(`${unfit} in ${where} is no such principal`);
}

function checkConditions(value: unknown, where: string): void {
  for (const [operator, wanted] of Object.entries(objectOf(value, `Condition of ${where}`))) {
    if (!isKnownOperator(operator))
      throw malformed(`this host does not know ${operator} in Condition of ${where}`);
    for (const [key, values] of Object.entries(objectOf(wanted, `${operator} of ${where}`))) {
      if (!knownConditionKeys.has(key.toLowerCase()))
        throw malformed(`this host does not know ${key} in Condition of ${where}`);
      checkValues(values, `${key} in Condition of ${where}`);
    }
  }
}

function checkValues(value: unknown, where: string): void {
  const values = listOf(value as OneOrMore<string | number | boolean>); // as: looked at below
  const isScalar = (each: unknown) => ['string', 'number', 'boolean'].includes(typeof each);
  if (values.length === 0 || !values.every(isScalar))
    throw malformed(`${where} must have strings, numbers or booleans as its values`);
  if (values.some((each) => String(each).includes('${')))
    throw malformed(`this host does not replace policy variables, as in ${where}`);
}

function textsOf(value: unknown, where: string): readonly string[] {
  const texts = listOf(value as OneOrMore<string>); // as: looked at in the next line
  if (texts.length === 0 || !texts.every((each) => typeof each === 'string'))
    throw malformed(`${where} must be a string or a list of strings`);
  return texts;
}

function objectOf(value: unknown, where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${where} must be an object`);
  return value as Members; // as: an object by the line above
}

function refuseUnknown(members: Members, known: readonly string[], where: string): void {
  const unknown = Object.keys(members).find((name) => !known.includes(name));
  if (unknown !== undefined) throw malformed(`${where} must not have ${unknown}`);
}

function refuseDoubleSids(statements: readonly PolicyStatement[]): void {
  const sids = statements.map(({ Sid }) => Sid).filter((sid) => sid !== undefined);
  const twice = sids.find((sid, index) => sids.indexOf(sid) !== index);
  if (twice !== undefined) throw malformed(`Sid ${twice} stands twice`);
}

function malformed(reason: string, cause?: unknown): ServiceError {
  return new ServiceError(
    'InvalidParameterValueException',
    `The provided policy is invalid: ${reason}.`,
    { cause },
  );
}
