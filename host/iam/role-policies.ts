// What policies a role has: inline ones, which are its own, and managed ones, which are attached.
import { choice } from '../query/fields.ts';
import { limitExceeded, noSuchEntity, noSuchPolicy } from './errors.ts';
import { putRole } from './identities.ts';
import { pageOf } from './listing.ts';
import {
  document,
  isServicePolicy,
  paging,
  pathPrefix,
  policyArnField,
  policyName,
  roleName,
} from './names.ts';
import { changing, reading } from './operation.ts';
import { checkIdentityPolicy, encodedDocument, policySize } from './policy-document.ts';

const MAX_INLINE_POLICIES = 10_240;
const MAX_ATTACHED_POLICIES = 10;

export const PutRolePolicy = changing(
  'PutRolePolicy',
  { RoleName: roleName, PolicyName: policyName, PolicyDocument: document },
  ({ RoleName, PolicyName, PolicyDocument }, account) => {
    const role = account.role(RoleName);
    checkIdentityPolicy(PolicyDocument);
    const inlinePolicies = { ...role.inlinePolicies, [PolicyName]: PolicyDocument };
    const size = Object.values(inlinePolicies).reduce((sum, each) => sum + policySize(each), 0);
    if (size > MAX_INLINE_POLICIES)
      throw limitExceeded(
        `Maximum policy size of ${MAX_INLINE_POLICIES} bytes exceeded for role ${role.name}`,
      );
    return { changes: [putRole({ ...role, inlinePolicies })] };
  },
);

export const GetRolePolicy = reading(
  'GetRolePolicy',
  { RoleName: roleName, PolicyName: policyName },
  ({ RoleName, PolicyName }, account) => {
    const role = account.role(RoleName);
    const PolicyDocument = encodedDocument(inlinePolicy(role.inlinePolicies, PolicyName));
    return { RoleName: role.name, PolicyName, PolicyDocument };
  },
);

export const DeleteRolePolicy = changing(
  'DeleteRolePolicy',
  { RoleName: roleName, PolicyName: policyName },
  ({ RoleName, PolicyName }, account) => {
    const role = account.role(RoleName);
    inlinePolicy(role.inlinePolicies, PolicyName);
    const { [PolicyName]: _removed, ...inlinePolicies } = role.inlinePolicies;
    return { changes: [putRole({ ...role, inlinePolicies })] };
  },
);

export const ListRolePolicies = reading(
  'ListRolePolicies',
  { RoleName: roleName, ...paging },
  (input, account) =>
    pageOf(
      'PolicyNames',
      Object.keys(account.role(input.RoleName).inlinePolicies).toSorted(),
      (name) => name,
      (name) => name,
      input,
    ),
);

/** Attaching what is attached changes nothing. */
export const AttachRolePolicy = changing(
  'AttachRolePolicy',
  { RoleName: roleName, PolicyArn: policyArnField },
  ({ RoleName, PolicyArn }, account) => {
    const role = account.role(RoleName);
    account.requireAttachable(PolicyArn);
    if (role.attachedPolicies.includes(PolicyArn)) return { changes: [] };
    if (role.attachedPolicies.length >= MAX_ATTACHED_POLICIES)
      throw limitExceeded(`Cannot exceed quota for PoliciesPerRole: ${MAX_ATTACHED_POLICIES}`);
    const attachedPolicies = [...role.attachedPolicies, PolicyArn];
    return { changes: [putRole({ ...role, attachedPolicies })] };
  },
);

export const DetachRolePolicy = changing(
  'DetachRolePolicy',
  { RoleName: roleName, PolicyArn: policyArnField },
  ({ RoleName, PolicyArn }, account) => {
    const role = account.role(RoleName);
    if (!role.attachedPolicies.includes(PolicyArn)) throw noSuchPolicy(PolicyArn);
    const attachedPolicies = role.attachedPolicies.filter((arn) => arn !== PolicyArn);
    return { changes: [putRole({ ...role, attachedPolicies })] };
  },
);

export const ListAttachedRolePolicies = reading(
  'ListAttachedRolePolicies',
  { RoleName: roleName, PathPrefix: pathPrefix, ...paging },
  (input, account) =>
    pageOf(
      'AttachedPolicies',
      account
        .role(input.RoleName)
        .attachedPolicies.filter((arn) => pathOf(arn).startsWith(input.PathPrefix ?? '/'))
        .toSorted(),
      (arn) => arn,
      (PolicyArn) => ({ PolicyName: PolicyArn.slice(PolicyArn.lastIndexOf('/') + 1), PolicyArn }),
      input,
    ),
);

export const ListEntitiesForPolicy = reading(
  'ListEntitiesForPolicy',
  {
    PolicyArn: policyArnField,
    EntityFilter: choice('User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'),
    PathPrefix: pathPrefix,
    PolicyUsageFilter: choice('PermissionsPolicy', 'PermissionsBoundary'),
    ...paging,
  },
  (input, account) => {
    if (!isServicePolicy(account.scope, input.PolicyArn)) account.policy(input.PolicyArn);
    const wanted = input.EntityFilter ?? 'Role';
    const roles = account
      .roles()
      .filter(
        (role) =>
          wanted === 'Role' &&
          role.path.startsWith(input.PathPrefix ?? '/') &&
          ((input.PolicyUsageFilter !== 'PermissionsBoundary' &&
            role.attachedPolicies.includes(input.PolicyArn)) ||
            (input.PolicyUsageFilter !== 'PermissionsPolicy' &&
              role.permissionsBoundary === input.PolicyArn)),
      );
    const found = pageOf(
      'PolicyRoles',
      roles,
      ({ name }) => name.toLowerCase(),
      ({ name, id }) => ({ RoleName: name, RoleId: id }),
      input,
    );
    return { PolicyGroups: [], PolicyUsers: [], ...found };
  },
);

function inlinePolicy(policies: Readonly<Record<string, string>>, name: string): string {
  const found = Object.hasOwn(policies, name) ? policies[name] : undefined;
  if (found === undefined) throw noSuchEntity(`The role policy with name ${name} cannot be found.`);
  return found;
}

/** `/service-role/` of `arn:aws:iam::aws:policy/service-role/Name`. */
function pathOf(arn: string): string {
  return arn.slice(arn.indexOf('/'), arn.lastIndexOf('/') + 1);
}
