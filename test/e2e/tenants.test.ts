// Functions that keep their tenants apart: who must be named, who must not, and that no environment ever sees two of them.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { createRequest } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { published } from '../support/versions.ts';
import { invalid, refusalOf } from '../support/wire.ts';

const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' } as const;

const MISSING = invalid(
  'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
);
const UNWANTED = invalid(
  'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
);

/** Says whose event it was given, and whom the environment has served before. */
const remembering = {
  'index.mjs': `
    import { randomUUID } from 'node:crypto';
    const environment = randomUUID();
    const seen = new Set();
    export const handler = async (event, context) => {
      seen.add(context.tenantId);
      console.log('for', context.tenantId);
      if (event.hang) await new Promise((resolve) => setTimeout(resolve, event.hang));
      return { tenant: context.tenantId, environment, seen: [...seen] };
    };`,
};

interface Answer {
  readonly tenant?: string;
  readonly environment: string;
  readonly seen: readonly string[];
}

async function call(t: TestHost, TenantId: string | undefined, event = {}): Promise<Answer> {
  const { payload } = await t.invoke('f', event, { TenantId });
  return payload as Answer; // as: what the handler returns
}

suite('Tenants', () => {
  test('have environments of their own, which serve them again', async () => {
    await using t = await startTestHost();
    await t.deploy('f', remembering, { TenancyConfig });
    const environments = new Map<string, string>();
    for (const tenant of ['blue', 'a b/c:1=+@', 'Blue']) {
      const { environment, ...rest } = await call(t, tenant);
      assert.deepEqual(rest, { tenant, seen: [tenant] });
      environments.set(tenant, environment);
    }
    assert.equal(new Set(environments.values()).size, 3);
    for (const [tenant, before] of environments) {
      const { environment, seen } = await call(t, tenant);
      assert.equal(environment, before);
      assert.deepEqual(seen, [tenant]);
    }
  });

  test('stay apart when many call at once', async () => {
    await using t = await startTestHost();
    await t.deploy('f', remembering, { TenancyConfig });
    const calls = Array.from({ length: 40 }, (_, index) => `tenant-${index % 4}`);
    const answers = await Promise.all(calls.map((tenant) => call(t, tenant, { hang: 1 })));
    for (const [index, { tenant, seen }] of answers.entries()) {
      assert.equal(tenant, calls[index]);
      assert.deepEqual(seen, [tenant]);
    }
  });

  test('must be named, by a valid id, where a function has them, and must not elsewhere; a dry run says so too', async () => {
    await using t = await startTestHost();
    await t.deploy('f', remembering, { TenancyConfig });
    await t.deploy('plain', remembering);
    for (const InvocationType of ['RequestResponse', 'DryRun'] as const) {
      const invoke = (FunctionName: string, TenantId: string | undefined) =>
        t.client.send(new InvokeCommand({ FunctionName, TenantId, InvocationType }));
      assert.deepEqual(await refusalOf(invoke('f', undefined)), MISSING);
      assert.deepEqual(await refusalOf(invoke('plain', 'blue')), UNWANTED);
      assert.equal((await refusalOf(invoke('none', 'blue'))).status, 404);
      for (const wrong of ['a*', 'x'.repeat(257)])
        assert.match((await refusalOf(invoke('f', wrong))).message, /'tenantId' failed to satisfy/);
    }
  });

  test('are shown with the configuration, in versions too, and stay through updates', async () => {
    await using t = await startTestHost();
    await t.deploy('f', remembering, { TenancyConfig });
    const { client } = t;
    const shown = async (Qualifier?: string) => {
      const command = new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier });
      return (await client.send(command)).TenancyConfig;
    };
    assert.deepEqual(await shown(), TenancyConfig);
    const { Functions = [] } = await client.send(new ListFunctionsCommand({}));
    assert.deepEqual(Functions[0]?.TenancyConfig, TenancyConfig);
    await published(client, 'f');
    const update = { FunctionName: 'f', Description: 'new' };
    await client.send(new UpdateFunctionConfigurationCommand(update));
    await waitUntilFunctionUpdatedV2(
      { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
      { FunctionName: 'f' },
    );
    assert.deepEqual([await shown(), await shown('1')], [TenancyConfig, TenancyConfig]);
    assert.equal((await call(t, 'blue')).tenant, 'blue');
    const { payload } = await t.invoke('f', {}, { TenantId: 'blue', Qualifier: '1' });
    assert.deepEqual((payload as Answer).seen, ['blue']); // as: what the handler returns
  });

  test('get new environments with new configuration', async () => {
    await using t = await startTestHost();
    await t.deploy('f', remembering, { TenancyConfig });
    const before = await Promise.all(['a', 'b'].map(async (tenant) => await call(t, tenant)));
    const update = { FunctionName: 'f', Timeout: 4 };
    await t.client.send(new UpdateFunctionConfigurationCommand(update));
    await waitUntilFunctionUpdatedV2(
      { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
      { FunctionName: 'f' },
    );
    const after = await Promise.all(['a', 'b'].map(async (tenant) => await call(t, tenant)));
    const all = [...before, ...after].map(({ environment }) => environment);
    assert.equal(new Set(all).size, 4);
  });

  test('are not for functions with snapshots or URLs', async () => {
    await using t = await startTestHost();
    const request = await createRequest('g', {
      Runtime: 'python3.13',
      Handler: 'index.handler',
      SnapStart: { ApplyOn: 'PublishedVersions' },
      TenancyConfig,
    });
    assert.deepEqual(
      await refusalOf(t.client.send(new CreateFunctionCommand(request))),
      invalid(
        'SnapStart is not supported for functions that are enabled with tenancy configuration.',
      ),
    );
    await t.deploy('f', remembering, { TenancyConfig });
    const url = { FunctionName: 'f', AuthType: 'NONE' } as const;
    assert.deepEqual(
      await refusalOf(t.client.send(new CreateFunctionUrlConfigCommand(url))),
      invalid(
        'Function URLs are not supported for functions that are enabled with tenancy configuration.',
      ),
    );
  });
});
