import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TenantEnvironments } from '../../host/dispatch/tenant-environments.ts';
import type { EnvironmentSpec, Invocation } from '../../runtime/invocation.ts';

/** Records what a warm pool is asked. */
function pool() {
  const invoked: string[] = [];
  const retired: string[] = [];
  return {
    invoked,
    retired,
    retire: (key: string) => void retired.push(key),
    hasRoom: ({ key }: EnvironmentSpec) => !key.endsWith('full'),
    invoke: async ({ key }: EnvironmentSpec) => {
      invoked.push(key);
      return {
        outcome: { kind: 'returned', payload: Buffer.from('1') },
        logTail: undefined,
      } as const;
    },
  };
}

function spec(key: string): EnvironmentSpec {
  return { key, functionName: 'f' } as EnvironmentSpec; // as: nothing else of it is looked at
}

function of(tenantId: string): Invocation {
  return { tenantId } as Invocation; // as: nothing else of it is looked at
}

test('each tenant of a version has a key of its own, and keeps it; without tenants there is one', async () => {
  const environments = pool();
  const tenants = new TenantEnvironments({ environments, maxTenants: 10 });
  for (const [version, tenant] of [
    ['v1', 'a'],
    ['v1', 'b'],
    ['v2', 'a'],
    ['v1', 'a'],
    ['v1', ''],
  ] as const)
    await tenants.invoke(spec(version), of(tenant));
  assert.deepEqual(environments.invoked, [
    'v1/tenant-1',
    'v1/tenant-2',
    'v2/tenant-3',
    'v1/tenant-1',
    'v1',
  ]);
  assert.deepEqual(environments.retired, []);
});

test('a version that is superseded ends for all its tenants, and no key comes back', async () => {
  const environments = pool();
  const tenants = new TenantEnvironments({ environments, maxTenants: 10 });
  for (const version of ['v1', 'v2'])
    for (const tenant of ['a', 'b']) await tenants.invoke(spec(version), of(tenant));
  tenants.retire('v1');
  assert.deepEqual(environments.retired.toSorted(), ['v1', 'v1/tenant-1', 'v1/tenant-2']);
  await tenants.invoke(spec('v1'), of('a'));
  await tenants.invoke(spec('v2'), of('a'));
  assert.deepEqual(environments.invoked.slice(4), ['v1/tenant-5', 'v2/tenant-3']);
});

test('beyond the limit the tenant that has not called for longest makes way', async () => {
  const environments = pool();
  const tenants = new TenantEnvironments({ environments, maxTenants: 2 });
  for (const tenant of ['a', 'b', 'a', 'c', 'a', 'b']) await tenants.invoke(spec('v'), of(tenant));
  assert.deepEqual(
    environments.invoked,
    [1, 2, 1, 3, 1, 4].map((n) => `v/tenant-${n}`),
  );
  assert.deepEqual(environments.retired, ['v/tenant-2', 'v/tenant-3']);
});
