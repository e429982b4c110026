// Two accounts in two regions on one host, side by side, with the same names for everything: nothing of one is seen, called, counted
// or changed by another.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateCodeSigningConfigCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetPolicyCommand,
  LambdaClient,
  ListAliasesCommand,
  ListCodeSigningConfigsCommand,
  ListFunctionEventInvokeConfigsCommand,
  ListFunctionsCommand,
  ListFunctionUrlConfigsCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { TRUST } from '../support/iam-documents.ts';
import { publishLayer } from '../support/layers.ts';
import { sidsOf } from '../support/policies.ts';
import { queryResult } from '../support/query-client.ts';
import {
  ACCESS_KEY_ID,
  deploy,
  invoke,
  SECRET_ACCESS_KEY,
  startTestHost,
  type TestHost,
} from '../support/test-host.ts';
import { published } from '../support/versions.ts';
import { waitFor } from '../support/wait-for.ts';
import { refusalOf, send } from '../support/wire.ts';

const OTHER = '111111111111';

const keys = {
  '000000000000': { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
  [OTHER]: { accessKeyId: 'AKIAOTHER', secretAccessKey: SECRET_ACCESS_KEY },
} as const;

interface Place {
  readonly account: keyof typeof keys;
  readonly region: string;
  readonly partition: string;
}

const places: readonly Place[] = [
  { account: '000000000000', region: 'us-east-1', partition: 'aws' },
  { account: '000000000000', region: 'cn-north-1', partition: 'aws-cn' },
  { account: OTHER, region: 'us-east-1', partition: 'aws' },
  { account: OTHER, region: 'cn-north-1', partition: 'aws-cn' },
];

function labelOf({ account, region }: Place): string {
  return `${account} in ${region}`;
}

function clientOf(t: TestHost, { account, region }: Place): LambdaClient {
  return new LambdaClient({
    endpoint: t.url,
    region,
    maxAttempts: 1,
    credentials: keys[account],
  });
}

/** A host that knows the other account's key. */
async function startWithBoth(options: { dataDir?: string } = {}): Promise<TestHost> {
  const t = await startTestHost(options);
  const entry = { ...keys[OTHER], account: OTHER, principal: `arn:aws:iam::${OTHER}:root` };
  await writeFile(
    path.join(t.dataDir, 'secrets', 'credentials.json'),
    JSON.stringify([{ ...entry, rights: 'admin' }]),
    { mode: 0o600 },
  );
  const listing = { path: '/2015-03-31/functions', key: keys[OTHER] };
  await waitFor(
    'the key of the other account is known',
    async () => (await send(t.url, listing)).status === 200,
  );
  return t;
}

/** One of everything, under the same names everywhere; only the contents say where they belong. */
async function populate(t: TestHost, place: Place, order: number): Promise<void> {
  using client = disposable(clientOf(t, place));
  const { partition, account, region } = place;
  const label = labelOf(place);
  const layer = await publishLayer(client, 'shared', { 'label.txt': `layer of ${label}` });
  await deploy(
    client,
    'f',
    {
      'index.mjs': `
        import { readFileSync } from 'node:fs';
        const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, LABEL } = process.env;
        export const handler = async (event, context) => {
          console.log('called in ${label}');
          return {
            code: '${label}', LABEL, AWS_REGION, AWS_DEFAULT_REGION,
            layer: readFileSync('/opt/label.txt', 'utf8'),
            arn: context.invokedFunctionArn,
            key: AWS_ACCESS_KEY_ID,
          };
        };`,
    },
    {
      Role: `arn:${partition}:iam::${account}:role/worker`,
      Layers: [layer],
      Environment: { Variables: { LABEL: label } },
      Description: label,
      Tags: { place: label },
    },
  );
  await published(client, 'f');
  const FunctionName = 'f';
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  await client.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: `of-${account}-${region}`,
      Action: 'lambda:InvokeFunction',
      Principal: 's3.amazonaws.com',
    }),
  );
  await client.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'AWS_IAM' }));
  await client.send(
    new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumEventAgeInSeconds: 60 + order }),
  );
  await client.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 10 + order }),
  );
  const AllowedPublishers = {
    SigningProfileVersionArns: [
      `arn:${partition}:signer:${region}:${account}:/signing-profiles/p/v${order}`,
    ],
  };
  await client.send(new CreateCodeSigningConfigCommand({ AllowedPublishers, Description: label }));
  const role = { RoleName: 'worker', AssumeRolePolicyDocument: TRUST, Description: label };
  await queryResult(t.url, 'CreateRole', role, { key: keys[account], region });
}

/** All that the API tells to a caller of one place. */
async function shown(t: TestHost, place: Place) {
  using client = disposable(clientOf(t, place));
  const { account, region } = place;
  const FunctionName = 'f';
  const Resource = `arn:${place.partition}:lambda:${region}:${account}:function:f`;
  const { Code: _link, ...got } = await client.send(new GetFunctionCommand({ FunctionName }));
  const answers = {
    got,
    functions: await client.send(new ListFunctionsCommand({ FunctionVersion: 'ALL' })),
    versions: await client.send(new ListVersionsByFunctionCommand({ FunctionName })),
    aliases: await client.send(new ListAliasesCommand({ FunctionName })),
    policy: await client.send(new GetPolicyCommand({ FunctionName })),
    urls: await client.send(new ListFunctionUrlConfigsCommand({ FunctionName })),
    events: await client.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName })),
    concurrency: await client.send(new GetFunctionConcurrencyCommand({ FunctionName })),
    tags: await client.send(new ListTagsCommand({ Resource })),
    layers: await client.send(new ListLayersCommand({})),
    layerVersions: await client.send(new ListLayerVersionsCommand({ LayerName: 'shared' })),
    signing: await client.send(new ListCodeSigningConfigsCommand({})),
    settings: await client.send(new GetAccountSettingsCommand({})),
  };
  const roles = await queryResult(t.url, 'ListRoles', {}, { key: keys[account], region });
  return comparable({ ...answers, roles }, new URL(t.url).port);
}

/** The same without what is new with each answer, and the port, which is new with each start. */
function comparable<Value>(value: Value, port: string): Value {
  const text = JSON.stringify(value, (name, each: unknown) =>
    name === '$metadata' ? undefined : each,
  );
  return JSON.parse(text.replaceAll(`:${port}/`, '/')) as Value; // as: members left out are of the SDK's own
}

type Shown = Awaited<ReturnType<typeof shown>>;

function countsOf(all: Shown) {
  return {
    functions: all.functions.Functions?.length,
    aliases: all.aliases.Aliases?.length,
    urls: all.urls.FunctionUrlConfigs?.length,
    events: all.events.FunctionEventInvokeConfigs?.length,
    layers: all.layers.Layers?.length,
    signing: all.signing.CodeSigningConfigs?.length,
    roles: [all.roles['Roles']].flat().length,
    unreserved: all.settings.AccountLimit?.UnreservedConcurrentExecutions,
  };
}

/** Every ARN in a text with its place; services' own and the runtimes' have none. */
function foreignArns(text: string, { partition, account, region }: Place): string[] {
  const runtime = `arn:${partition}:lambda:${region}::runtime:`;
  const own = [
    `arn:${partition}:lambda:${region}:${account}:`,
    `arn:${partition}:iam::${account}:`,
  ];
  const signer = `arn:${partition}:signer:${region}:${account}:`;
  return [...text.matchAll(/arn:[^"\\]+/g)]
    .map(([arn]) => arn)
    .filter((arn) => ![runtime, signer, ...own].some((prefix) => arn.startsWith(prefix)));
}

async function logOf(t: TestHost, { account, region }: Place): Promise<string> {
  const query = { group: '/aws/lambda/f' };
  const key = keys[account];
  return (await send(t.url, { path: '/_lambkin/logs', query, key, region })).body;
}

function disposable(client: LambdaClient): LambdaClient & Disposable {
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}

suite('Accounts and regions', () => {
  test('hold the same names side by side, and stay apart over changes and a restart', async () => {
    await using first = await startWithBoth();
    for (const [order, place] of places.entries()) await populate(first, place, order);

    const before = new Map<Place, Shown>();
    const accessKeys = new Set<unknown>();
    for (const [order, place] of places.entries()) {
      using client = disposable(clientOf(first, place));
      const all = await shown(first, place);
      before.set(place, all);
      const text = JSON.stringify(all);
      assert.deepEqual(foreignArns(text, place), [], labelOf(place));
      for (const other of places)
        if (other !== place) assert.ok(!text.includes(labelOf(other)), labelOf(place));
      assert.deepEqual(countsOf(all), {
        functions: 2,
        aliases: 1,
        urls: 1,
        events: 1,
        layers: 1,
        signing: 1,
        roles: 1,
        unreserved: 1000 - 10 - order,
      });
      assert.deepEqual(await sidsOf(client), [`of-${place.account}-${place.region}`]);

      const { payload } = await invoke(client, 'f:live');
      const { key, ...rest } = payload as Readonly<Record<string, unknown>>; // as: what the handler returns
      accessKeys.add(key);
      const label = labelOf(place);
      assert.deepEqual(rest, {
        code: label,
        LABEL: label,
        AWS_REGION: place.region,
        AWS_DEFAULT_REGION: place.region,
        layer: `layer of ${label}`,
        arn: `arn:${place.partition}:lambda:${place.region}:${place.account}:function:f:live`,
      });
    }
    assert.equal(accessKeys.size, places.length, 'each environment has a key of its own');
    for (const place of places) {
      await waitFor(`the log of ${labelOf(place)}`, async () =>
        (await logOf(first, place)).includes(`called in ${labelOf(place)}`),
      );
      const log = await logOf(first, place);
      for (const other of places)
        if (other !== place) assert.ok(!log.includes(`called in ${labelOf(other)}`));
    }

    const [gone, ...kept] = places;
    assert.ok(gone);
    using client = disposable(clientOf(first, gone));
    await client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    await client.send(new DeleteLayerVersionCommand({ LayerName: 'shared', VersionNumber: 1 }));
    await queryResult(first.url, 'ListRoles', {}, { key: keys[gone.account] });
    for (const place of kept) assert.deepEqual(await shown(first, place), before.get(place));
    await assert.rejects(
      client.send(new GetFunctionCommand({ FunctionName: 'f' })),
      ResourceNotFoundException,
    );

    await first.host[Symbol.asyncDispose]();
    await using again = await startTestHost({ dataDir: first.dataDir });
    for (const place of kept) {
      assert.deepEqual(await shown(again, place), before.get(place));
      using sameClient = disposable(clientOf(again, place));
      const { payload } = await invoke(sameClient, 'f');
      assert.equal((payload as { code: string }).code, labelOf(place)); // as: what the handler returns
    }
  });

  test('ARNs are of the partition that the region belongs to', async () => {
    await using t = await startTestHost();
    for (const [region, partition] of [
      ['us-gov-west-1', 'aws-us-gov'],
      ['cn-northwest-1', 'aws-cn'],
      ['eu-central-1', 'aws'],
    ] as const) {
      const account = '000000000000';
      using client = disposable(clientOf(t, { account, region, partition }));
      const Role = `arn:${partition}:iam::${account}:role/r`;
      await deploy(client, 'f', { 'index.mjs': 'export const handler = async () => 1;' }, { Role });
      const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: 'f' }));
      const arn = `arn:${partition}:lambda:${region}:${account}:function:f`;
      assert.equal(Configuration?.FunctionArn, arn);
      assert.equal((await invoke(client, arn)).payload, 1);
      const elsewhere = arn.replace(region, 'eu-west-3');
      const refused = await refusalOf(
        client.send(new GetFunctionCommand({ FunctionName: elsewhere })),
      );
      assert.deepEqual(
        [refused.status, refused.message],
        [404, `Functions from 'eu-west-3' are not reachable in this region ('${region}')`],
      );
    }
  });
});
