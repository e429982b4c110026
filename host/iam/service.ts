// IAM, as much of it as deploying functions takes: roles and policies are kept and shown. They grant nothing here.
import type { Caller } from '../auth/caller.ts';
import type { FormNode } from '../query/form.ts';
import {
  createQueryService,
  type QueryServiceOptions,
  type SignedService,
} from '../query/service.ts';
import type { Identities } from './identities.ts';
import { policyArn, roleArn, scopeOf } from './names.ts';
import type { IamOperation } from './operation.ts';
import * as policies from './policy.ts';
import * as roles from './role.ts';
import * as rolePolicies from './role-policies.ts';

const operations: readonly IamOperation[] = [roles, rolePolicies, policies].flatMap((family) =>
  Object.values<IamOperation>(family),
);

export function createIam(
  identities: Identities,
  edge: Pick<QueryServiceOptions<Identities>, 'authenticator' | 'onFault'>,
): SignedService {
  return createQueryService({
    name: 'iam',
    version: '2010-05-08',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    operations,
    resourceOf,
    parts: identities,
    ...edge,
  });
}

function resourceOf(form: FormNode, caller: Caller): string {
  const scope = scopeOf(caller);
  const valueOf = (name: string) => form.children.get(name)?.value;
  const role = valueOf('RoleName');
  if (role !== undefined) return roleArn(scope, { path: '/', name: role });
  const policy = valueOf('PolicyName');
  if (policy !== undefined) return policyArn(scope, { path: '/', name: policy });
  return valueOf('PolicyArn') ?? '*';
}
