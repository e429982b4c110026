// The form of `secrets/credentials.json`: a list of access keys, each with what it may do. Reads and writes text, no files.
import { isServiceName } from '../policies/statement.ts';
import { allRights, type Rights } from './caller.ts';

/** One entry, as it stands in the file. */
export interface CredentialEntry {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** 12 digits. */
  readonly account: string;
  /** ARN or service name. */
  readonly principal: string;
  readonly rights: Rights;
  /** Of an identity: `o-…`, what policies compare `aws:PrincipalOrgID` with. */
  readonly organization?: string | undefined;
  /** Of a service: ARN of what it acts for. */
  readonly sourceArn?: string | undefined;
  /** Of a service: the account of what it acts for, 12 digits; the entry's own when left out. */
  readonly sourceAccount?: string | undefined;
  /** The admin pair that the host made on its first start; steps back when the operator configures one. */
  readonly generated?: true | undefined;
}

const memberForms: Readonly<Record<string, { readonly form: RegExp; readonly wanted: string }>> = {
  accessKeyId: { form: /^[\w-]{3,128}$/, wanted: '3 to 128 letters, digits, _ or -' },
  secretAccessKey: { form: /^[!-~]{1,128}$/, wanted: '1 to 128 printable characters, no spaces' },
  sessionToken: { form: /^[!-~]{1,4096}$/, wanted: 'printable characters, no spaces' },
  account: { form: /^\d{12}$/, wanted: '12 digits' },
  principal: { form: /^[!-~]{1,2048}$/, wanted: 'an ARN or a service name' },
  rights: { form: new RegExp(`^(?:${allRights.join('|')})$`), wanted: allRights.join(', ') },
  organization: { form: /^o-[a-z0-9]{10,32}$/, wanted: 'o- and 10 to 32 letters and digits' },
  sourceArn: { form: /^arn:[!-~]{1,2044}$/, wanted: 'an ARN' },
  sourceAccount: { form: /^\d{12}$/, wanted: '12 digits' },
};
const optionalMembers = new Set(['sessionToken', 'organization', 'sourceArn', 'sourceAccount']);

/** Members that only services have, and one that only identities have. */
const serviceMembers = ['sourceArn', 'sourceAccount'];
const identityMembers = ['organization'];

/** Checks the whole list. Throws an Error that names every problem and quotes no value. */
export function checkCredentials(value: unknown): readonly CredentialEntry[] {
  if (!Array.isArray(value)) throw new Error('must be a list of access keys');
  const entries: readonly unknown[] = value;
  const problems = entries.flatMap((entry, index) =>
    entryProblems(entry).map((problem) => `entry ${index + 1}: ${problem}`),
  );
  if (problems.length > 0) throw new Error(problems.join('; '));
  const checked = value as readonly CredentialEntry[]; // entryProblems has looked at every member
  const ids = checked.map((entry) => entry.accessKeyId);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`accessKeyId ${twice} stands twice`);
  return checked;
}

/** The text of the file. */
export function formatCredentials(entries: readonly CredentialEntry[]): string {
  return `${JSON.stringify(entries, undefined, 2)}\n`;
}

function entryProblems(entry: unknown): readonly string[] {
  if (typeof entry !== 'object' || entry === null) return ['must be an object'];
  const members = new Map<string, unknown>(Object.entries(entry));
  const problems: string[] = [];
  for (const [name, { form, wanted }] of Object.entries(memberForms)) {
    const value = members.get(name);
    if (value === undefined && optionalMembers.has(name)) continue;
    if (typeof value !== 'string' || !form.test(value)) problems.push(`${name} must be ${wanted}`);
  }
  for (const [name, value] of members) {
    if (name === 'generated' && value === true) continue;
    if (!Object.hasOwn(memberForms, name)) problems.push(`${name} is not a member`);
  }
  const isService = isServiceName(String(members.get('principal')));
  for (const name of isService ? identityMembers : serviceMembers)
    if (members.has(name))
      problems.push(`${name} does not belong to ${isService ? 'a service' : 'an identity'}`);
  return problems;
}
