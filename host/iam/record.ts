// What is stored of an account's roles and policies. Nothing here grants anything: it is kept and shown.
import type { Tags } from '../tags/tags.ts';

/** The root of an account's identities. */
export interface IamAccountRecord {
  readonly account: string;
  readonly partition: string;
}

export interface RoleRecord {
  readonly name: string;
  /** `/` or `/a/b/`. */
  readonly path: string;
  /** `AROA…` */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** As it was given: JSON. */
  readonly trustPolicy: string;
  readonly description?: string | undefined;
  /** Seconds. */
  readonly maxSessionDuration: number;
  /** ARN of a policy. */
  readonly permissionsBoundary?: string | undefined;
  readonly tags: Tags;
  /** Documents by name. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
  /** ARNs. */
  readonly attachedPolicies: readonly string[];
}

export interface ManagedPolicyRecord {
  readonly name: string;
  /** `/` or `/a/b/`. */
  readonly path: string;
  /** `ANPA…` */
  readonly id: string;
  readonly description?: string | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: Tags;
  readonly defaultVersion: number;
  /** The number that the next version gets. Never falls. */
  readonly nextVersion: number;
  /** Ascending. */
  readonly versions: readonly PolicyVersionRecord[];
}

export interface PolicyVersionRecord {
  readonly version: number;
  readonly document: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** Both are named by their name in lower case: names are not told apart by case. */
export interface IamParts {
  'iam-role': RoleRecord;
  'iam-policy': ManagedPolicyRecord;
}

export const IAM_PART_KINDS = [
  'iam-role',
  'iam-policy',
] as const satisfies readonly (keyof IamParts)[];
