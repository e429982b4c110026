// Operations on managed policies, their versions and their tags.
import { choice, flag, required, text } from '../query/fields.ts';
import type { XmlValue } from '../query/xml.ts';
import { alreadyExists, deleteConflict, limitExceeded, noSuchEntity } from './errors.ts';
import { type IamAccount, putPolicy, removePolicy } from './identities.ts';
import { pageOf, shownTags, shownTagsIfAny, withoutTags, withTags } from './listing.ts';
import {
  description,
  document,
  makeId,
  paging,
  pathPrefix,
  policyArn,
  policyArnField,
  policyName,
  tagKeys,
  tags,
  versionId,
} from './names.ts';
import { changing, reading } from './operation.ts';
import { checkIdentityPolicy, encodedDocument, policySize } from './policy-document.ts';
import type { ManagedPolicyRecord, PolicyVersionRecord } from './record.ts';

const MAX_VERSIONS = 5;
const MAX_POLICY = 6144;

export const CreatePolicy = changing(
  'CreatePolicy',
  {
    PolicyName: policyName,
    Path: text({ min: 1, max: 512, pattern: '((/[A-Za-z0-9\\.,\\+@=_-]+)*)/' }),
    PolicyDocument: document,
    Description: description,
    Tags: tags,
  },
  (input, account, { now, random }) => {
    if (account.findPolicyByName(input.PolicyName) !== undefined)
      throw alreadyExists(
        `A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`,
      );
    requireDocument(input.PolicyDocument);
    const createdAt = now();
    const policy: ManagedPolicyRecord = {
      name: input.PolicyName,
      path: input.Path ?? '/',
      id: makeId('ANPA', random),
      description: input.Description,
      createdAt,
      updatedAt: createdAt,
      tags: withTags({}, input.Tags ?? []),
      defaultVersion: 1,
      nextVersion: 2,
      versions: [{ version: 1, document: input.PolicyDocument, createdAt }],
    };
    return { changes: [putPolicy(policy)], result: { Policy: shownPolicy(account, policy) } };
  },
);

export const GetPolicy = reading('GetPolicy', { PolicyArn: policyArnField }, (input, account) => {
  const policy = account.policy(input.PolicyArn);
  const { description: Description } = policy;
  return { Policy: { ...shownPolicy(account, policy), Description } };
});

/** Those of the account: of the policies that the service provides no list is kept. */
export const ListPolicies = reading(
  'ListPolicies',
  {
    Scope: choice('All', 'AWS', 'Local'),
    OnlyAttached: flag(),
    PathPrefix: pathPrefix,
    PolicyUsageFilter: choice('PermissionsPolicy', 'PermissionsBoundary'),
    ...paging,
  },
  (input, account) => {
    const usage = input.PolicyUsageFilter ?? (input.OnlyAttached === true ? 'any' : undefined);
    const policies = account
      .policies()
      .filter(
        (policy) =>
          input.Scope !== 'AWS' &&
          policy.path.startsWith(input.PathPrefix ?? '/') &&
          (usage === undefined || isUsed(account, policy, usage)),
      );
    return pageOf(
      'Policies',
      policies,
      ({ name }) => name.toLowerCase(),
      (policy) => {
        const { Tags: _tags, ...shown } = shownPolicy(account, policy);
        return shown;
      },
      input,
    );
  },
);

export const DeletePolicy = changing(
  'DeletePolicy',
  { PolicyArn: policyArnField },
  ({ PolicyArn }, account) => {
    const policy = account.policy(PolicyArn);
    const { AttachmentCount, PermissionsBoundaryUsageCount } = shownPolicy(account, policy);
    if (AttachmentCount + PermissionsBoundaryUsageCount > 0)
      throw deleteConflict('Cannot delete a policy attached to entities.');
    if (policy.versions.length > 1)
      throw deleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      );
    return { changes: [removePolicy(policy)] };
  },
);

export const CreatePolicyVersion = changing(
  'CreatePolicyVersion',
  { PolicyArn: policyArnField, PolicyDocument: document, SetAsDefault: flag() },
  ({ PolicyArn, PolicyDocument, SetAsDefault }, account, { now }) => {
    const policy = account.policy(PolicyArn);
    requireDocument(PolicyDocument);
    if (policy.versions.length >= MAX_VERSIONS)
      throw limitExceeded(
        `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
      );
    const version = {
      version: policy.nextVersion,
      document: PolicyDocument,
      createdAt: now(),
    };
    const changed: ManagedPolicyRecord = {
      ...policy,
      updatedAt: version.createdAt,
      defaultVersion: SetAsDefault === true ? version.version : policy.defaultVersion,
      nextVersion: version.version + 1,
      versions: [...policy.versions, version],
    };
    const result = { PolicyVersion: shownVersion(changed, version) };
    return { changes: [putPolicy(changed)], result };
  },
);

export const GetPolicyVersion = reading(
  'GetPolicyVersion',
  { PolicyArn: policyArnField, VersionId: versionId },
  ({ PolicyArn, VersionId }, account) => {
    const policy = account.policy(PolicyArn);
    const version = versionOf(policy, PolicyArn, VersionId);
    const Document = encodedDocument(version.document);
    return { PolicyVersion: { Document, ...shownVersion(policy, version) } };
  },
);

/** Newest first. */
export const ListPolicyVersions = reading(
  'ListPolicyVersions',
  { PolicyArn: policyArnField, ...paging },
  (input, account) => {
    const policy = account.policy(input.PolicyArn);
    return pageOf(
      'Versions',
      policy.versions.toReversed(),
      ({ version }) => -version,
      (version) => shownVersion(policy, version),
      input,
    );
  },
);

export const SetDefaultPolicyVersion = changing(
  'SetDefaultPolicyVersion',
  { PolicyArn: policyArnField, VersionId: versionId },
  ({ PolicyArn, VersionId }, account, { now }) => {
    const policy = account.policy(PolicyArn);
    const { version } = versionOf(policy, PolicyArn, VersionId);
    return { changes: [putPolicy({ ...policy, defaultVersion: version, updatedAt: now() })] };
  },
);

export const DeletePolicyVersion = changing(
  'DeletePolicyVersion',
  { PolicyArn: policyArnField, VersionId: versionId },
  ({ PolicyArn, VersionId }, account, { now }) => {
    const policy = account.policy(PolicyArn);
    const gone = versionOf(policy, PolicyArn, VersionId);
    if (gone.version === policy.defaultVersion)
      throw deleteConflict('Cannot delete the default version of a policy.');
    const versions = policy.versions.filter((each) => each !== gone);
    return { changes: [putPolicy({ ...policy, versions, updatedAt: now() })] };
  },
);

export const TagPolicy = changing(
  'TagPolicy',
  { PolicyArn: policyArnField, Tags: required(tags) },
  ({ PolicyArn, Tags }, account) => {
    const policy = account.policy(PolicyArn);
    return { changes: [putPolicy({ ...policy, tags: withTags(policy.tags, Tags) })] };
  },
);

export const UntagPolicy = changing(
  'UntagPolicy',
  { PolicyArn: policyArnField, TagKeys: tagKeys },
  ({ PolicyArn, TagKeys }, account) => {
    const policy = account.policy(PolicyArn);
    return { changes: [putPolicy({ ...policy, tags: withoutTags(policy.tags, TagKeys) })] };
  },
);

export const ListPolicyTags = reading(
  'ListPolicyTags',
  { PolicyArn: policyArnField, ...paging },
  (input, account) =>
    pageOf(
      'Tags',
      shownTags(account.policy(input.PolicyArn).tags),
      ({ Key }) => Key,
      ({ Key, Value }) => ({ Key, Value }),
      input,
    ),
);

function isUsed(
  account: IamAccount,
  policy: ManagedPolicyRecord,
  usage: 'PermissionsPolicy' | 'PermissionsBoundary' | 'any',
): boolean {
  const { AttachmentCount, PermissionsBoundaryUsageCount } = shownPolicy(account, policy);
  if (usage !== 'PermissionsBoundary' && AttachmentCount > 0) return true;
  return usage !== 'PermissionsPolicy' && PermissionsBoundaryUsageCount > 0;
}

function requireDocument(text: string): void {
  checkIdentityPolicy(text);
  if (policySize(text) > MAX_POLICY)
    throw limitExceeded(`Cannot exceed quota for PolicySize: ${MAX_POLICY}`);
}

function versionOf(policy: ManagedPolicyRecord, arn: string, id: string): PolicyVersionRecord {
  const found = policy.versions.find(({ version }) => `v${version}` === id);
  if (found !== undefined) return found;
  throw noSuchEntity(`Policy ${arn} version ${id} does not exist or is not attachable.`);
}

function shownVersion({ defaultVersion }: ManagedPolicyRecord, each: PolicyVersionRecord) {
  return {
    VersionId: `v${each.version}`,
    IsDefaultVersion: each.version === defaultVersion,
    CreateDate: new Date(each.createdAt),
  } satisfies XmlValue;
}

/** Listings and creations leave out the description, as IAM does. */
function shownPolicy(account: IamAccount, policy: ManagedPolicyRecord) {
  const arn = policyArn(account.scope, policy);
  const roles = account.roles();
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: arn,
    Path: policy.path,
    DefaultVersionId: `v${policy.defaultVersion}`,
    AttachmentCount: roles.filter((role) => role.attachedPolicies.includes(arn)).length,
    PermissionsBoundaryUsageCount: roles.filter((role) => role.permissionsBoundary === arn).length,
    IsAttachable: true,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
    Tags: shownTagsIfAny(policy.tags),
  } satisfies XmlValue;
}
