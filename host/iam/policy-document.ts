// Whether the text of a policy is one: what IAM looks at before it keeps a document. Texts are IAM's. What a policy means is not
// asked, since nothing here is decided by it.
import { malformedPolicy } from './errors.ts';

type Members = Readonly<Record<string, unknown>>;

const VERSIONS: readonly unknown[] = ['2012-10-17', '2008-10-17'];
const ACTION = /^(?:\*|[\w-]+:[\w*?]+)$/;
const STATEMENT_MEMBERS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

/** Throws MalformedPolicyDocument. */
export function checkTrustPolicy(text: string): void {
  for (const statement of statementsOf(text)) {
    const { Principal, NotPrincipal, Resource, NotResource } = statement;
    if (Resource !== undefined || NotResource !== undefined)
      throw malformedPolicy('Has prohibited field Resource');
    if (Principal === undefined && NotPrincipal === undefined)
      throw malformedPolicy('Missing required field Principal');
    for (const action of actionsOf(statement))
      if (!action.toLowerCase().startsWith('sts:'))
        throw malformedPolicy('AssumeRole policy may only specify STS AssumeRole actions.');
    checkPrincipal(Principal ?? NotPrincipal);
  }
}

/** The same for a policy that an identity has: its principal is whoever has it. */
export function checkIdentityPolicy(text: string): void {
  for (const statement of statementsOf(text)) {
    const { Principal, NotPrincipal, Resource, NotResource } = statement;
    if (Principal !== undefined || NotPrincipal !== undefined)
      throw malformedPolicy('Policy document should not specify a principal.');
    actionsOf(statement);
    const resources = textsOf(Resource ?? NotResource);
    if (resources.length === 0) throw malformedPolicy('Policy statement must contain resources.');
    for (const resource of resources)
      if (!/^(?:\*|arn:.+)/.test(resource))
        throw malformedPolicy(`Resource ${resource} must be in ARN format or "*".`);
  }
}

function statementsOf(text: string): readonly Members[] {
  const policy = objectOf(parseJson(text));
  const { Version, Statement } = policy;
  if (Version !== undefined && !VERSIONS.includes(Version)) throw syntaxErrors();
  if (Object.keys(policy).some((name) => !['Version', 'Id', 'Statement'].includes(name)))
    throw syntaxErrors();
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  if (Statement === undefined || statements.length === 0) throw syntaxErrors();
  const checked = statements.map(checkStatement);
  const sids = checked.map(({ Sid }) => Sid).filter((sid) => sid !== undefined && sid !== '');
  if (new Set(sids).size < sids.length)
    throw malformedPolicy('Statement IDs (SID) in a single policy must be unique.');
  return checked;
}

function checkStatement(value: unknown): Members {
  const statement = objectOf(value);
  const { Effect, Sid, Condition } = statement;
  if (Effect !== 'Allow' && Effect !== 'Deny') throw syntaxErrors();
  if (Object.keys(statement).some((name) => !STATEMENT_MEMBERS.has(name))) throw syntaxErrors();
  if (Sid !== undefined && !(typeof Sid === 'string' && /^[0-9A-Za-z]*$/.test(Sid)))
    throw malformedPolicy(
      `Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*`,
    );
  for (const [one, other] of [
    ['Action', 'NotAction'],
    ['Resource', 'NotResource'],
    ['Principal', 'NotPrincipal'],
  ] as const)
    if (statement[one] !== undefined && statement[other] !== undefined) throw syntaxErrors();
  if (Condition !== undefined) objectOf(Condition);
  return statement;
}

function actionsOf({ Action, NotAction }: Members): readonly string[] {
  const actions = textsOf(Action ?? NotAction);
  if (actions.length === 0) throw malformedPolicy('Policy statement must contain actions.');
  if (!actions.every((action) => ACTION.test(action)))
    throw malformedPolicy(
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    );
  return actions;
}

function checkPrincipal(principal: unknown): void {
  if (principal === '*') return;
  const kinds = Object.entries(objectOf(principal));
  if (kinds.length === 0) throw syntaxErrors();
  for (const [kind, values] of kinds) {
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(kind)) throw syntaxErrors();
    if (textsOf(values).length === 0) throw syntaxErrors();
  }
}

/** One text or a list of them; none for what is missing. */
function textsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.map((each) => {
    if (typeof each !== 'string') throw syntaxErrors();
    return each;
  });
}

function objectOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw syntaxErrors();
  return value as Members; // as: an object whose members are looked at one by one
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformedPolicy('This policy contains invalid Json', error);
  }
}

function syntaxErrors() {
  return malformedPolicy('Syntax errors in policy.');
}

/** As IAM counts it: without white space. */
export function policySize(text: string): number {
  return text.replaceAll(/\s/g, '').length;
}

/** As IAM answers it: percent-encoded by RFC 3986. */
export function encodedDocument(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
