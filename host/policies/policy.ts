// A resource policy as it is kept: the document with its revision. What may be added to it and taken from it, and its text.
// The same for functions, versions, aliases and layer versions.
import { ServiceError } from '../service-error.ts';
import type { PolicyStatement } from './statement.ts';

/** Bytes of a policy's text. */
const MAX_POLICY_BYTES = 20_480;

/** Spelled and ordered as in its text. */
export interface PolicyDocument {
  /** Undefined means 2008-10-17. */
  readonly Version?: string | undefined;
  readonly Id?: string | undefined;
  readonly Statement: readonly PolicyStatement[];
}

export interface PolicyRecord {
  readonly document: PolicyDocument;
  /** New with each change of the policy. */
  readonly revisionId: string;
}

const noStatements: PolicyDocument = { Version: '2012-10-17', Id: 'default', Statement: [] };

/** Whether some statement denies something. */
export function denies({ Statement }: PolicyDocument): boolean {
  return Statement.some(({ Effect }) => Effect === 'Deny');
}

/** JSON without spaces. */
export function policyText(document: PolicyDocument): string {
  return JSON.stringify(document);
}

/** The policy with one statement more. Throws PolicyLengthExceededException. */
export function withStatement(
  policy: PolicyRecord | undefined,
  statement: PolicyStatement,
  revisionId: string,
): PolicyRecord {
  const before = policy?.document ?? noStatements;
  const document = { ...before, Statement: [...before.Statement, statement] };
  requireSize(document);
  return { document, revisionId };
}

/** The policy without that statement; undefined when none is left. */
export function withoutStatement(
  { document }: PolicyRecord,
  sid: string,
  revisionId: string,
): PolicyRecord | undefined {
  const Statement = document.Statement.filter(({ Sid }) => Sid !== sid);
  return Statement.length === 0 ? undefined : { document: { ...document, Statement }, revisionId };
}

/** Throws PolicyLengthExceededException. */
export function requireSize(document: PolicyDocument): void {
  const bytes = Buffer.byteLength(policyText(document));
  if (bytes > MAX_POLICY_BYTES)
    throw new ServiceError(
      'PolicyLengthExceededException',
      `The final policy size (${bytes}) is bigger than the limit (${MAX_POLICY_BYTES}).`,
    );
}

/** Throws ResourceConflictException when the policy has a statement of that id. */
export function requireNewSid(policy: PolicyRecord | undefined, sid: string): void {
  if (policy !== undefined && hasSid(policy, sid))
    throw new ServiceError(
      'ResourceConflictException',
      `The statement id (${sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    );
}

/** Throws ResourceNotFoundException when there is no policy. */
export function requirePolicy(policy: PolicyRecord | undefined): PolicyRecord {
  if (policy !== undefined) return policy;
  throw new ServiceError(
    'ResourceNotFoundException',
    'No policy is associated with the given resource.',
  );
}

/** Throws ResourceNotFoundException when the policy has no statement of that id. */
export function requireSid(policy: PolicyRecord, sid: string): void {
  if (!hasSid(policy, sid))
    throw new ServiceError(
      'ResourceNotFoundException',
      `Statement ${sid} is not found in resource policy.`,
    );
}

/**
 * Throws PreconditionFailedException when a revision is given and is none of those that count. `api` names the operation that tells
 * the present one.
 */
export function requirePolicyRevision(
  given: string | undefined,
  present: readonly (string | undefined)[],
  api: 'GetPolicy' | 'GetResourcePolicy' | 'GetLayerPolicy',
): void {
  if (given === undefined || present.includes(given)) return;
  throw new ServiceError(
    'PreconditionFailedException',
    `The Revision Id provided does not match the latest Revision Id. Call the ${api} API to retrieve the latest Revision Id`,
  );
}

function hasSid({ document }: PolicyRecord, sid: string): boolean {
  return document.Statement.some(({ Sid }) => Sid === sid);
}
