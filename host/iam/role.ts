// Operations on roles themselves and on their tags.
import { integer, required, text } from '../query/fields.ts';
import type { XmlValue } from '../query/xml.ts';
import { alreadyExists, deleteConflict, limitExceeded } from './errors.ts';
import { putRole, removeRole } from './identities.ts';
import { pageOf, shownTags, shownTagsIfAny, withoutTags, withTags } from './listing.ts';
import {
  description,
  document,
  type IamScope,
  makeId,
  paging,
  path,
  pathPrefix,
  policyArnField,
  roleArn,
  roleName,
  tagKeys,
  tags,
} from './names.ts';
import { changing, reading } from './operation.ts';
import { checkTrustPolicy, encodedDocument, policySize } from './policy-document.ts';
import type { RoleRecord } from './record.ts';

const MAX_TRUST_POLICY = 2048;
const DEFAULT_SESSION_SECONDS = 3600;
const sessionSeconds = integer(3600, 43_200);

export const CreateRole = changing(
  'CreateRole',
  {
    Path: path,
    RoleName: roleName,
    AssumeRolePolicyDocument: document,
    Description: description,
    MaxSessionDuration: sessionSeconds,
    PermissionsBoundary: text({ min: 20, max: 2048 }),
    Tags: tags,
  },
  (input, account, { now, random }) => {
    if (account.findRole(input.RoleName) !== undefined)
      throw alreadyExists(`Role with name ${input.RoleName} already exists.`);
    requireTrustPolicy(input.AssumeRolePolicyDocument);
    if (input.PermissionsBoundary !== undefined)
      account.requireAttachable(input.PermissionsBoundary);
    const role: RoleRecord = {
      name: input.RoleName,
      path: input.Path ?? '/',
      id: makeId('AROA', random),
      createdAt: now(),
      trustPolicy: input.AssumeRolePolicyDocument,
      description: input.Description,
      maxSessionDuration: input.MaxSessionDuration ?? DEFAULT_SESSION_SECONDS,
      permissionsBoundary: input.PermissionsBoundary,
      tags: withTags({}, input.Tags ?? []),
      inlinePolicies: {},
      attachedPolicies: [],
    };
    return { changes: [putRole(role)], result: { Role: shownRole(account.scope, role) } };
  },
);

export const GetRole = reading('GetRole', { RoleName: roleName }, ({ RoleName }, account) => ({
  Role: { ...shownRole(account.scope, account.role(RoleName)), RoleLastUsed: {} },
}));

export const ListRoles = reading(
  'ListRoles',
  { PathPrefix: pathPrefix, ...paging },
  (input, account) =>
    pageOf(
      'Roles',
      account.roles().filter((role) => role.path.startsWith(input.PathPrefix ?? '/')),
      ({ name }) => name.toLowerCase(),
      (role) => {
        // A listing shows neither tags nor boundaries.
        const {
          Tags: _tags,
          PermissionsBoundary: _boundary,
          ...shown
        } = shownRole(account.scope, role);
        return shown;
      },
      input,
    ),
);

export const UpdateAssumeRolePolicy = changing(
  'UpdateAssumeRolePolicy',
  { RoleName: roleName, PolicyDocument: document },
  ({ RoleName, PolicyDocument }, account) => {
    const role = account.role(RoleName);
    requireTrustPolicy(PolicyDocument);
    return { changes: [putRole({ ...role, trustPolicy: PolicyDocument })] };
  },
);

/** What is not given goes back to its default. */
export const UpdateRole = changing(
  'UpdateRole',
  { RoleName: roleName, Description: description, MaxSessionDuration: sessionSeconds },
  ({ RoleName, Description, MaxSessionDuration }, account) => {
    const changed: RoleRecord = {
      ...account.role(RoleName),
      description: Description,
      maxSessionDuration: MaxSessionDuration ?? DEFAULT_SESSION_SECONDS,
    };
    return { changes: [putRole(changed)], result: {} };
  },
);

export const UpdateRoleDescription = changing(
  'UpdateRoleDescription',
  { RoleName: roleName, Description: required(description) },
  ({ RoleName, Description }, account) => {
    const changed: RoleRecord = { ...account.role(RoleName), description: Description };
    return { changes: [putRole(changed)], result: { Role: shownRole(account.scope, changed) } };
  },
);

export const PutRolePermissionsBoundary = changing(
  'PutRolePermissionsBoundary',
  { RoleName: roleName, PermissionsBoundary: policyArnField },
  ({ RoleName, PermissionsBoundary }, account) => {
    const role = account.role(RoleName);
    account.requireAttachable(PermissionsBoundary);
    return { changes: [putRole({ ...role, permissionsBoundary: PermissionsBoundary })] };
  },
);

export const DeleteRolePermissionsBoundary = changing(
  'DeleteRolePermissionsBoundary',
  { RoleName: roleName },
  ({ RoleName }, account) => {
    const { permissionsBoundary: _removed, ...role } = account.role(RoleName);
    return { changes: [putRole(role)] };
  },
);

export const DeleteRole = changing(
  'DeleteRole',
  { RoleName: roleName },
  ({ RoleName }, account) => {
    const role = account.role(RoleName);
    if (Object.keys(role.inlinePolicies).length > 0)
      throw deleteConflict('Cannot delete entity, must delete policies first.');
    if (role.attachedPolicies.length > 0)
      throw deleteConflict('Cannot delete entity, must detach all policies first.');
    return { changes: [removeRole(role)] };
  },
);

export const TagRole = changing(
  'TagRole',
  { RoleName: roleName, Tags: required(tags) },
  ({ RoleName, Tags }, account) => {
    const role = account.role(RoleName);
    return { changes: [putRole({ ...role, tags: withTags(role.tags, Tags) })] };
  },
);

export const UntagRole = changing(
  'UntagRole',
  { RoleName: roleName, TagKeys: tagKeys },
  ({ RoleName, TagKeys }, account) => {
    const role = account.role(RoleName);
    return { changes: [putRole({ ...role, tags: withoutTags(role.tags, TagKeys) })] };
  },
);

export const ListRoleTags = reading(
  'ListRoleTags',
  { RoleName: roleName, ...paging },
  (input, account) =>
    pageOf(
      'Tags',
      shownTags(account.role(input.RoleName).tags),
      ({ Key }) => Key,
      ({ Key, Value }) => ({ Key, Value }),
      input,
    ),
);

/** There are no instances here, so no role is in a profile of theirs. Terraform asks before it deletes a role. */
export const ListInstanceProfilesForRole = reading(
  'ListInstanceProfilesForRole',
  { RoleName: roleName, ...paging },
  ({ RoleName }, account) => {
    account.role(RoleName);
    return { InstanceProfiles: [], IsTruncated: false };
  },
);

function requireTrustPolicy(text: string): void {
  checkTrustPolicy(text);
  if (policySize(text) > MAX_TRUST_POLICY)
    throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${MAX_TRUST_POLICY}`);
}

function shownRole(scope: IamScope, role: RoleRecord) {
  const { permissionsBoundary } = role;
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: roleArn(scope, role),
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodedDocument(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration,
    PermissionsBoundary:
      permissionsBoundary === undefined
        ? undefined
        : {
            PermissionsBoundaryType: 'Policy',
            PermissionsBoundaryArn: permissionsBoundary,
          },
    Tags: shownTagsIfAny(role.tags),
  } satisfies XmlValue;
}
