// Layer versions read, listed and deleted.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteLayerVersionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  type LambdaClient,
  ListLayersCommand,
  type ListLayersCommandInput,
  ListLayerVersionsCommand,
  type ListLayerVersionsCommandInput,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { LAYER_ARN, publishLayer, shownLayers } from '../support/layers.ts';
import { membersOf } from '../support/versions.ts';
import { invalid, type Refusal, refusalOf } from '../support/wire.ts';

const files = { 'a.txt': 'a' };

const gone: Refusal = {
  status: 404,
  name: 'ResourceNotFoundException',
  message: 'The resource you requested does not exist.',
};

async function get(client: LambdaClient, VersionNumber: number, LayerName = 'l') {
  return await withoutLink(client.send(new GetLayerVersionCommand({ LayerName, VersionNumber })));
}

async function getByArn(client: LambdaClient, Arn: string) {
  return await withoutLink(client.send(new GetLayerVersionByArnCommand({ Arn })));
}

/** Links hold a time. */
async function withoutLink<
  T extends { readonly Content?: { Location?: string | undefined } | undefined },
>(call: Promise<T & { readonly $metadata: object }>) {
  const answer = membersOf(await call);
  assert.match(answer.Content?.Location ?? '', /^\/_lambkin\/code\/[0-9a-f]{64}\?/);
  return { ...answer, Content: { ...answer.Content, Location: undefined } };
}

async function remove(client: LambdaClient, VersionNumber: number, LayerName = 'l') {
  const command = new DeleteLayerVersionCommand({ LayerName, VersionNumber });
  return (await client.send(command)).$metadata.httpStatusCode;
}

async function versionsOf(client: LambdaClient, more: Partial<ListLayerVersionsCommandInput> = {}) {
  const command = new ListLayerVersionsCommand({ LayerName: 'l', ...more });
  const { LayerVersions = [], NextMarker } = await client.send(command);
  return { numbers: LayerVersions.map(({ Version }) => Version), NextMarker };
}

async function layersOf(client: LambdaClient, more: ListLayersCommandInput = {}) {
  const { Layers = [], NextMarker } = await client.send(new ListLayersCommand(more));
  const named = Layers.map((each) => `${each.LayerName}:${each.LatestMatchingVersion?.Version}`);
  return { named, NextMarker };
}

suite('A layer version', () => {
  test('is read by name, by ARN of the layer and by its own ARN alike', async () => {
    await using t = await startApiHost();
    const arn = await publishLayer(t.client, 'l', files, { Description: 'one', LicenseInfo: 'x' });
    const found = await get(t.client, 1);
    assert.equal(found.LayerVersionArn, arn);
    assert.equal(found.LayerArn, `${LAYER_ARN}:l`);
    assert.equal(found.Version, 1);
    assert.deepEqual(await get(t.client, 1, `${LAYER_ARN}:l`), found);
    assert.deepEqual(await getByArn(t.client, arn), found);
  });

  test('that is not there, or has no number that one could have, is told so', async () => {
    await using t = await startApiHost();
    await publishLayer(t.client, 'l', files);
    const tooSmall = invalid('Layer Version Cannot be less than 1');
    const cases: readonly (readonly [() => Promise<unknown>, Refusal])[] = [
      [() => get(t.client, 2), gone],
      [() => get(t.client, 1, 'other'), gone],
      [() => get(t.client, 0), tooSmall],
      [() => get(t.client, -3, 'other'), tooSmall],
      [() => getByArn(t.client, `${LAYER_ARN}:l:2`), gone],
      [() => getByArn(t.client, `${LAYER_ARN}:l:0`), tooSmall],
      [() => getByArn(t.client, 'arn:aws:lambda:::awslayer:AmazonLinux1803'), gone],
      [() => remove(t.client, 0), tooSmall],
      [() => remove(t.client, -1, 'other'), tooSmall],
    ];
    for (const [call, expected] of cases) assert.deepEqual(await refusalOf(call()), expected);
    const { name, message } = await refusalOf(getByArn(t.client, `${LAYER_ARN}:l`));
    assert.equal(name, 'ValidationException');
    assert.match(message, /^1 validation error detected: Value '.*:layer:l' at 'arn' failed/);
  });

  test('of another region is not reachable', async () => {
    await using t = await startApiHost();
    const layer = 'arn:aws:lambda:eu-west-1:000000000000:layer:l';
    const unreachable = {
      status: 404,
      name: 'ResourceNotFoundException',
      message: "Layers from 'eu-west-1' are not reachable in this region ('us-east-1')",
    };
    for (const call of [
      () => get(t.client, 1, layer),
      () => getByArn(t.client, `${layer}:1`),
      () => remove(t.client, 1, layer),
      () => versionsOf(t.client, { LayerName: layer }),
    ])
      assert.deepEqual(await refusalOf(call()), unreachable);
  });

  test('can be deleted once, and what is not there as often as one likes', async () => {
    await using t = await startApiHost();
    for (const Description of ['one', 'two', 'three'])
      await publishLayer(t.client, 'l', files, { Description });
    assert.equal(await remove(t.client, 2), 204);
    assert.deepEqual((await versionsOf(t.client)).numbers, [3, 1]);
    assert.deepEqual(await refusalOf(get(t.client, 2)), gone);
    const before = await shownLayers(t.client);
    for (const [number, name] of [
      [2, 'l'],
      [9, 'l'],
      [1, 'none'],
    ] as const)
      assert.equal(await remove(t.client, number, name), 204);
    assert.deepEqual(await shownLayers(t.client), before);
    assert.deepEqual(await layersOf(t.client), { named: ['l:3'], NextMarker: undefined });
    await remove(t.client, 3);
    await remove(t.client, 1);
    assert.deepEqual(await layersOf(t.client), { named: [], NextMarker: undefined });
    assert.deepEqual((await versionsOf(t.client)).numbers, []);
  });
});

suite('Lists of layers', () => {
  test('are empty for layers that nobody knows', async () => {
    await using t = await startApiHost();
    assert.deepEqual(await layersOf(t.client), { named: [], NextMarker: undefined });
    assert.deepEqual(await versionsOf(t.client), { numbers: [], NextMarker: undefined });
  });

  test('show each layer with its newest version, all members of it', async () => {
    await using t = await startApiHost();
    await publishLayer(t.client, 'b', files);
    const arn = await publishLayer(t.client, 'b', files, {
      Description: 'newest',
      CompatibleRuntimes: ['nodejs24.x'],
      CompatibleArchitectures: ['arm64'],
      LicenseInfo: 'MIT',
    });
    await publishLayer(t.client, 'a', files);
    const { Layers = [] } = await t.client.send(new ListLayersCommand({}));
    assert.deepEqual(
      Layers.map(({ LayerName }) => LayerName),
      ['a', 'b'],
    );
    const { CreatedDate } = await get(t.client, 2, 'b');
    const newest = {
      LayerVersionArn: arn,
      Version: 2,
      Description: 'newest',
      CreatedDate,
      CompatibleRuntimes: ['nodejs24.x'],
      CompatibleArchitectures: ['arm64'],
      LicenseInfo: 'MIT',
    };
    assert.deepEqual(Layers[1], {
      LayerName: 'b',
      LayerArn: `${LAYER_ARN}:b`,
      LatestMatchingVersion: newest,
    });
    const listed = await t.client.send(new ListLayerVersionsCommand({ LayerName: 'b' }));
    assert.deepEqual(listed.LayerVersions?.[0], newest);
  });

  test('show the newest version that fits, and leave out layers of which none does', async () => {
    await using t = await startApiHost();
    await publishLayer(t.client, 'l', files, { CompatibleRuntimes: ['nodejs24.x'] });
    await publishLayer(t.client, 'l', files, {
      CompatibleRuntimes: ['python3.12', 'nodejs24.x'],
      CompatibleArchitectures: ['arm64'],
    });
    await publishLayer(t.client, 'l', files, {
      CompatibleRuntimes: ['python3.12'],
      CompatibleArchitectures: ['arm64', 'x86_64'],
    });
    await publishLayer(t.client, 'plain', files);
    const cases = [
      [{ CompatibleRuntime: 'nodejs24.x' }, ['l:2'], [2, 1]],
      [{ CompatibleRuntime: 'python3.12' }, ['l:3'], [3, 2]],
      [{ CompatibleRuntime: 'ruby3.3' }, [], []],
      // Those that say nothing of architectures are taken for x86_64, and for no runtime.
      [{ CompatibleArchitecture: 'x86_64' }, ['l:3', 'plain:1'], [3, 1]],
      [{ CompatibleArchitecture: 'arm64' }, ['l:3'], [3, 2]],
      [{ CompatibleRuntime: 'nodejs24.x', CompatibleArchitecture: 'x86_64' }, ['l:1'], [1]],
    ] as const;
    for (const [filter, named, numbers] of cases) {
      assert.deepEqual((await layersOf(t.client, filter)).named, named, JSON.stringify(filter));
      assert.deepEqual((await versionsOf(t.client, filter)).numbers, numbers);
    }
  });

  test('refuse filters and sizes that the model does not allow', async () => {
    await using t = await startApiHost();
    const runtimes =
      'ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, nasa, ruby2.7, python2.7-greengrass, dotnetcore2.0, python3.8, java21, dotnet6, dotnetcore2.1, python3.9, java11, nodejs6.10, provided, dotnetcore3.1, dotnet8, java25, java17, nodejs, nodejs4.3, java8.al2, go1.x, dotnet10, nodejs20.x, go1.9, byol, nodejs10.x, provided.al2023, nodejs22.x, python3.10, java8, nodejs12.x, python3.11, nodejs24.x, nodejs8.x, python3.12, nodejs14.x, nodejs8.9, nodejs26.x, python3.13, python3.14, nodejs16.x, python3.15, provided.al2, nodejs4.3-edge, nodejs18.x, ruby3.2, python3.4, ruby3.3, ruby3.4, ruby2.5, python3.6, python2.7';
    const CompatibleRuntime = 'unknown' as Runtime; // as: the point
    for (const call of [
      () => layersOf(t.client, { CompatibleRuntime }),
      () => versionsOf(t.client, { CompatibleRuntime }),
    ])
      assert.deepEqual(await refusalOf(call()), {
        status: 400,
        name: 'ValidationException',
        message: `1 validation error detected: Value 'unknown' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum value set: [${runtimes}]`,
      });
    const { message } = await refusalOf(layersOf(t.client, { MaxItems: 51 }));
    assert.equal(
      message,
      "1 validation error detected: Value '51' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 50",
    );
    for (const list of [layersOf, versionsOf])
      assert.deepEqual(await refusalOf(list(t.client, { Marker: '?' })), invalid('Invalid marker'));
  });

  test('come in pages, also when what a page ended with is gone', async () => {
    await using t = await startApiHost();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await publishLayer(t.client, name, files);
    for (let count = 0; count < 4; count++) await publishLayer(t.client, 'c', files);
    const first = await layersOf(t.client, { MaxItems: 2 });
    assert.deepEqual(first.named, ['a:1', 'b:1']);
    await remove(t.client, 1, 'b');
    const second = await layersOf(t.client, { MaxItems: 2, Marker: first.NextMarker });
    assert.deepEqual(second.named, ['c:5', 'd:1']);
    const last = await layersOf(t.client, { MaxItems: 2, Marker: second.NextMarker });
    assert.deepEqual(last, { named: ['e:1'], NextMarker: undefined });
    const newest = await versionsOf(t.client, { LayerName: 'c', MaxItems: 2 });
    assert.deepEqual(newest.numbers, [5, 4]);
    await remove(t.client, 4, 'c');
    const rest = await versionsOf(t.client, { LayerName: 'c', Marker: newest.NextMarker });
    assert.deepEqual(rest, { numbers: [3, 2, 1], NextMarker: undefined });
  });

  test('are the same after a restart, and so is each version', async () => {
    await using dir = await dataDirectory();
    let before: unknown;
    const everything = async (client: LambdaClient) => ({
      lists: await shownLayers(client),
      versions: [await get(client, 1), await get(client, 3), await get(client, 1, 'other')],
    });
    {
      await using t = await startApiHost({ dataDir: dir.path });
      for (const Description of ['ünïcode \u2028', 'two', 'three'])
        await publishLayer(t.client, 'l', files, { Description });
      await publishLayer(t.client, 'other', { 'b.txt': 'b' }, { CompatibleRuntimes: [] });
      await remove(t.client, 2);
      before = await everything(t.client);
    }
    await using t = await startApiHost({ dataDir: dir.path });
    assert.deepEqual(await everything(t.client), before);
  });
});
