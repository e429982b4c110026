import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestHost } from '../support/test-host.ts';

test("a tenant stands in the JSON records of its invocation, the application's and the platform's", async () => {
  await using t = await startTestHost();
  await t.deploy(
    'f',
    {
      'index.mjs':
        "export const handler = async (event, { tenantId }) => console.log('for', tenantId);",
    },
    {
      TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
      LoggingConfig: { LogFormat: 'JSON' },
    },
  );
  const { log } = await t.invoke('f', {}, { TenantId: 'blue' });
  const records = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>); // as: a JSON object for each line
  const tenants = records.map((each) => {
    const record = each['record'] as Record<string, unknown> | undefined; // as: of the platform's records
    return [each['type'] ?? each['message'], each['tenantId'] ?? record?.['tenantId']];
  });
  assert.deepEqual(
    tenants.filter(([, tenant]) => tenant !== undefined),
    [
      ['platform.start', 'blue'],
      ['for blue', 'blue'],
      ['platform.report', 'blue'],
    ],
  );
});
