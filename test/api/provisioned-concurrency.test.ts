// Provisioned concurrency configs: kept for versions and aliases, held to what the function and the account have, shown with what has
// become of them.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import type { KeptEnvironments } from '../../host/concurrency/provisioning.ts';
import { startApiHost } from '../support/api-host.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { ARN, createRequest } from '../support/functions.ts';
import { createGate } from '../support/gate.ts';
import {
  provision,
  provisionedList,
  provisionedOf,
  unprovision,
  untilProvisioned,
} from '../support/provisioned.ts';
import { alias, created, published, updated, weights, withVersions } from '../support/versions.ts';
import { invalid, type Refusal, refusalOf, unfit } from '../support/wire.ts';

function missing(message: string): Refusal {
  return { status: 404, name: 'ResourceNotFoundException', message };
}

function conflict(message: string): Refusal {
  return { status: 409, name: 'ResourceConflictException', message };
}

const NONE: Refusal = {
  status: 404,
  name: 'ProvisionedConcurrencyConfigNotFoundException',
  message: 'No Provisioned Concurrency Config found for this function',
};

const OVER_RESERVED = invalid(
  'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
);

async function reserve(client: LambdaClient, FunctionName: string, n: number) {
  const input = { FunctionName, ReservedConcurrentExecutions: n };
  await client.send(new PutFunctionConcurrencyCommand(input));
}

async function unreserved(client: LambdaClient) {
  const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
  return AccountLimit?.UnreservedConcurrentExecutions;
}

/** Environments that are there as soon as they are wanted, and what was wanted last, by the end of the function's key. */
function atOnce(): KeptEnvironments & { readonly wanted: ReadonlyMap<string, number> } {
  const wanted = new Map<string, number>();
  const byKey = new Map<string, number>();
  return {
    wanted,
    keep: (spec, count) => {
      byKey.set(spec.key, count);
      const name = `${spec.functionName}:${spec.functionVersion}`;
      if (count === 0) wanted.delete(name);
      else wanted.set(name, count);
    },
    kept: (key) => ({ available: byKey.get(key) ?? 0, failure: undefined }),
  };
}

suite('A provisioned concurrency config', () => {
  test('is put, shown by Get and List, replaced and deleted', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await alias(client, 'f', 'live', '2');
    const { LastModified = '', ...put } = await provision(client, 'f', '1', 3);
    assert.match(LastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/);
    const shown = {
      RequestedProvisionedConcurrentExecutions: 3,
      AvailableProvisionedConcurrentExecutions: 0,
      AllocatedProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
    };
    assert.deepEqual(put, shown);
    assert.deepEqual(await provisionedOf(client, `${ARN}:f:1`, '1'), { ...shown, LastModified });
    const live = await provision(client, 'f', 'live', 4);
    assert.deepEqual(await provisionedList(client, 'f'), {
      ProvisionedConcurrencyConfigs: [
        { FunctionArn: `${ARN}:f:1`, ...shown, LastModified },
        { FunctionArn: `${ARN}:f:live`, ...live },
      ],
    });
    const replaced = await provision(client, 'f', '1', 1);
    assert.equal(replaced.RequestedProvisionedConcurrentExecutions, 1);
    assert.equal(await unreserved(client), 1_000 - 1 - 4);
    for (let i = 0; i < 2; i += 1)
      assert.equal((await unprovision(client, 'f', '1')).$metadata.httpStatusCode, 204);
    assert.deepEqual(await refusalOf(provisionedOf(client, 'f', '1')), NONE);
    assert.equal(await unreserved(client), 996);
  });

  test('is ready when as many are available, and not before', async () => {
    let available = 0;
    let failure: ReturnType<KeptEnvironments['kept']>['failure'];
    const kept: KeptEnvironments = { keep: () => {}, kept: () => ({ available, failure }) };
    await using host = await startApiHost({ kept });
    const { client } = host;
    await withVersions(client, 'f', 1);
    await provision(client, 'f', '1', 2);
    const state = async () => {
      const shown = await provisionedOf(client, 'f', '1');
      assert.equal(
        shown.AllocatedProvisionedConcurrentExecutions,
        shown.AvailableProvisionedConcurrentExecutions,
      );
      const { AvailableProvisionedConcurrentExecutions, Status, StatusReason } = shown;
      return [AvailableProvisionedConcurrentExecutions, Status, StatusReason];
    };
    assert.deepEqual(await state(), [0, 'IN_PROGRESS', undefined]);
    available = 1;
    assert.deepEqual(await state(), [1, 'IN_PROGRESS', undefined]);
    failure = { kind: 'init' };
    assert.deepEqual(await state(), [1, 'FAILED', 'FUNCTION_ERROR_INIT_FAILURE']);
    failure = { kind: 'memory', text: 'too large' };
    assert.deepEqual(await state(), [1, 'FAILED', 'too large']);
    [available, failure] = [2, undefined];
    assert.deepEqual(await state(), [2, 'READY', undefined]);
  });

  test('is listed in pages of at most fifty', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 5);
    for (const version of ['5', '3', '1', '2']) await provision(client, 'f', version, 1);
    const seen: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const page = await provisionedList(client, 'f', { Marker, MaxItems: 3 });
      const configs = page.ProvisionedConcurrencyConfigs ?? [];
      assert.ok(configs.length <= 3);
      seen.push(...configs.map(({ FunctionArn }) => FunctionArn));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    assert.deepEqual(
      seen,
      ['1', '2', '3', '5'].map((version) => `${ARN}:f:${version}`),
    );
    assert.deepEqual(
      await refusalOf(provisionedList(client, 'f', { MaxItems: 51 })),
      unfit(
        "Value '51' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 50",
      ),
    );
    assert.deepEqual(
      await refusalOf(provisionedList(client, 'f', { Marker: 'x' })),
      invalid('Invalid marker'),
    );
    assert.deepEqual(
      await refusalOf(provisionedList(client, 'none')),
      missing(`Function not found: ${ARN}:none`),
    );
  });

  test('is for published versions and aliases that there are', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    await alias(client, 'f', 'edge', '$LATEST');
    assert.deepEqual(
      await refusalOf(provision(client, 'f', '1', 0)),
      unfit(
        "Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1",
      ),
    );
    const unpublished = invalid(
      'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
    );
    for (const name of ['f', 'none'])
      assert.deepEqual(await refusalOf(provision(client, name, '$LATEST', 1)), unpublished);
    assert.deepEqual(await refusalOf(provision(client, 'f', 'edge', 1)), unpublished);
    const neither = invalid(
      'The function resource provided must be an alias or a published version.',
    );
    assert.deepEqual(await refusalOf(provisionedOf(client, 'f', '$LATEST')), neither);
    assert.deepEqual(await refusalOf(unprovision(client, 'f', '$LATEST')), neither);
    const differs = invalid(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
    assert.deepEqual(await refusalOf(provision(client, 'f:1', '2', 1)), differs);
    for (const [name, qualifier, message] of [
      ['f', '9', `Function not found: ${ARN}:f:9`],
      ['f', 'gone', `Cannot find alias arn: ${ARN}:f:gone`],
      ['none', '1', `Function not found: ${ARN}:none:1`],
      ['none', 'live', `Cannot find alias arn: ${ARN}:none:live`],
    ] as const) {
      assert.deepEqual(await refusalOf(provision(client, name, qualifier, 1)), missing(message));
      assert.deepEqual(await refusalOf(provisionedOf(client, name, qualifier)), missing(message));
      assert.deepEqual(await refusalOf(unprovision(client, name, qualifier)), missing(message));
    }
    assert.deepEqual(await refusalOf(provisionedOf(client, 'f', '1')), NONE);
    assert.equal((await unprovision(client, 'f', '1')).$metadata.httpStatusCode, 204);
    assert.deepEqual(await provisionedList(client, 'f'), { ProvisionedConcurrencyConfigs: [] });
  });

  test('takes no more than is reserved, over all qualifiers, and no less may be reserved', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 2);
    await reserve(client, 'f', 5);
    await provision(client, 'f', '1', 3);
    assert.deepEqual(await refusalOf(provision(client, 'f', '2', 3)), OVER_RESERVED);
    assert.deepEqual(await refusalOf(provisionedOf(client, 'f', '2')), NONE);
    await provision(client, 'f', '2', 2);
    assert.equal(await unreserved(client), 995, 'the reserve covers it');
    assert.deepEqual(
      await refusalOf(reserve(client, 'f', 4)),
      invalid(
        " ReservedConcurrentExecutions  4 should not be lower than function's total provisioned concurrency [5].",
      ),
    );
    await provision(client, 'f', '1', 1);
    await reserve(client, 'f', 3);
    await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'f' }));
    assert.equal(await unreserved(client), 997, 'without a reserve it counts by itself');
  });

  test('takes no more than the account has, and leaves a hundred to all others', async () => {
    await using host = await startApiHost();
    const { client } = host;
    for (const name of ['f', 'g']) await withVersions(client, name, 2);
    await reserve(client, 'g', 400);
    await provision(client, 'f', '2', 100);
    const over = invalid(
      "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [500].",
    );
    const below = invalid(
      "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    );
    assert.deepEqual(await refusalOf(provision(client, 'f', '1', 501)), over);
    assert.deepEqual(await refusalOf(provision(client, 'f', '1', 401)), below);
    assert.deepEqual(await refusalOf(provisionedOf(client, 'f', '1')), NONE);
    await provision(client, 'f', '1', 400);
    assert.equal(await unreserved(client), 100);
    assert.deepEqual(
      await refusalOf(reserve(client, 'g', 401)),
      invalid(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
      ),
    );
    await client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }));
    assert.equal(await unreserved(client), 500, 'it went with its version');
  });

  test('is never promised twice, whatever is asked for at the same time', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const names = Array.from({ length: 6 }, (_, i) => `f${i}`);
    for (const name of names) await withVersions(client, name, 1);
    const ended = await Promise.allSettled([
      ...names.map((name) => provision(client, name, '1', 200)),
      ...names.map((name) => reserve(client, name, 300)),
    ]);
    assert.ok(ended.some(({ status }) => status === 'rejected'));
    let left = 1_000;
    for (const FunctionName of names) {
      const reserved = await client.send(new GetFunctionConcurrencyCommand({ FunctionName }));
      const { ProvisionedConcurrencyConfigs: [config] = [] } = await provisionedList(
        client,
        FunctionName,
      );
      const provisioned = config?.RequestedProvisionedConcurrentExecutions ?? 0;
      left -= reserved.ReservedConcurrentExecutions ?? provisioned;
    }
    assert.ok(left >= 100, `${left} are left`);
    assert.equal(await unreserved(client), left);
  });

  test('belongs to a version once: by its number or through one alias', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 3);
    await alias(client, 'f', 'one', '1');
    await alias(client, 'f', 'uno', '1');
    await alias(client, 'f', 'both', '2', weights({ 1: 0.5 }));
    const pointed = conflict('Version is pointed by a Provisioned Concurrency alias');
    const taken = conflict(
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    );
    await provision(client, 'f', '1', 1);
    for (const name of ['one', 'both'])
      assert.deepEqual(await refusalOf(provision(client, 'f', name, 1)), taken);
    await unprovision(client, 'f', '1');
    await provision(client, 'f', 'one', 1);
    await provision(client, 'f', 'one', 2);
    assert.deepEqual(await refusalOf(provision(client, 'f', '1', 1)), pointed);
    for (const name of ['uno', 'both'])
      assert.deepEqual(await refusalOf(provision(client, 'f', name, 1)), taken);
    await client.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'one' }));
    await provision(client, 'f', 'both', 2);
    for (const version of ['1', '2'])
      assert.deepEqual(await refusalOf(provision(client, 'f', version, 1)), pointed);
    await provision(client, 'f', '3', 1);
    assert.equal(await unreserved(client), 997);
  });

  test('follows its alias, by weights, until the alias goes', async () => {
    const kept = atOnce();
    await using host = await startApiHost({ kept });
    const { client } = host;
    await withVersions(client, 'f', 2);
    await alias(client, 'f', 'live', '1');
    await provision(client, 'f', 'live', 5);
    assert.deepEqual([...kept.wanted], [['f:1', 5]]);
    assert.equal((await provisionedOf(client, 'f', 'live')).Status, 'READY');
    const move = { FunctionName: 'f', Name: 'live', FunctionVersion: '2' };
    await client.send(new UpdateAliasCommand(move));
    assert.deepEqual([...kept.wanted], [['f:2', 5]]);
    await client.send(new UpdateAliasCommand({ ...move, ...weights({ 1: 0.3 }) }));
    assert.deepEqual(Object.fromEntries(kept.wanted), { 'f:1': 2, 'f:2': 3 });
    assert.equal((await provisionedOf(client, 'f', 'live')).Status, 'READY');
    await client.send(new UpdateAliasCommand({ ...move, ...weights({ 1: 0.01 }) }));
    assert.deepEqual([...kept.wanted], [['f:2', 5]], 'less than one is none');
    const latest = { ...move, FunctionVersion: '$LATEST', ...weights({}) };
    await client.send(new UpdateAliasCommand(latest));
    assert.equal(kept.wanted.size, 0);
    const failed = await provisionedOf(client, 'f', 'live');
    assert.deepEqual(
      [failed.Status, failed.StatusReason],
      ['FAILED', 'There is no published version $LATEST.'],
    );
    await client.send(new UpdateAliasCommand(move));
    await client.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }));
    assert.equal(kept.wanted.size, 0);
    await alias(client, 'f', 'live', '1');
    assert.deepEqual(await refusalOf(provisionedOf(client, 'f', 'live')), NONE);
  });

  test('waits for its version to become active', async () => {
    const gate = createGate();
    const kept = atOnce();
    await using host = await startApiHost({ kept, makeReady: gate.makeReady });
    const { client } = host;
    gate.shut();
    try {
      const request = await createRequest('f', { Publish: true });
      await client.send(new CreateFunctionCommand(request));
      await provision(client, 'f', '1', 2);
      assert.equal((await provisionedOf(client, 'f', '1')).Status, 'IN_PROGRESS');
      assert.equal(kept.wanted.size, 0);
      gate.open();
      await untilProvisioned(client, 'f', '1');
      assert.deepEqual([...kept.wanted], [['f:1', 2]]);
    } finally {
      gate.open();
    }
  });

  test('of a version that cannot run here has failed, and says what is missing', async () => {
    await using host = await startApiHost({ kept: atOnce() });
    const { client } = host;
    await created(client, 'f', { Architectures: ['arm64'] });
    await published(client, 'f');
    await provision(client, 'f', '1', 1);
    const { Status, StatusReason } = await provisionedOf(client, 'f', '1');
    assert.equal(Status, 'FAILED');
    assert.match(StatusReason ?? '', /^This function is built for arm64/);
  });

  test('is not for functions that keep their tenants apart', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' } as const;
    await withVersions(client, 'f', 1, { TenancyConfig });
    assert.deepEqual(
      await refusalOf(provision(client, 'f', '1', 1)),
      invalid(
        'Provisioned concurrency is not supported for functions that are enabled with tenancy configuration.',
      ),
    );
    assert.deepEqual(await provisionedList(client, 'f'), { ProvisionedConcurrencyConfigs: [] });
  });

  test('is not for versions with SnapStart, by their number, by an alias, or by one that is moved to them', async () => {
    await using host = await startApiHost();
    const { client } = host;
    const refused = 'Provisioned concurrency is not supported for SnapStart enabled functions.';
    // Of a runtime that this machine need not have; version 1 is without SnapStart, 2 with it.
    await withVersions(client, 'f', 1, { Runtime: 'java21', Handler: 'a.B::c' });
    await updated(client, 'f', { SnapStart: { ApplyOn: 'PublishedVersions' } });
    await published(client, 'f');
    await alias(client, 'f', 'live', '2');
    await alias(client, 'f', 'mixed', '1', weights({ 2: 0.5 }));
    for (const qualifier of ['2', 'live', 'mixed'])
      assert.deepEqual(await refusalOf(provision(client, 'f', qualifier, 1)), invalid(refused));
    assert.deepEqual(await provisionedList(client, 'f'), { ProvisionedConcurrencyConfigs: [] });

    await alias(client, 'f', 'moves', '1');
    await provision(client, 'f', 'moves', 1);
    const move = { FunctionName: 'f', Name: 'moves', FunctionVersion: '2' };
    await client.send(new UpdateAliasCommand(move));
    const { Status, StatusReason } = await provisionedOf(client, 'f', 'moves');
    assert.deepEqual([Status, StatusReason], ['FAILED', refused]);
  });

  test('is there after a restart, and is kept again', async () => {
    await using dir = await dataDirectory();
    let before: unknown;
    {
      await using host = await startApiHost({ dataDir: dir.path });
      await withVersions(host.client, 'f', 2);
      await alias(host.client, 'f', 'live', '2');
      await provision(host.client, 'f', '1', 2);
      await provision(host.client, 'f', 'live', 3);
      before = await provisionedList(host.client, 'f');
    }
    {
      await using host = await startApiHost({ dataDir: dir.path });
      assert.deepEqual(await provisionedList(host.client, 'f'), before);
      assert.equal(await unreserved(host.client), 995);
    }
    const kept = atOnce();
    await using host = await startApiHost({ dataDir: dir.path, kept });
    assert.deepEqual(Object.fromEntries(kept.wanted), { 'f:1': 2, 'f:2': 3 });
    await host.client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    assert.equal(kept.wanted.size, 0);
    assert.equal(await unreserved(host.client), 1_000);
  });
});
