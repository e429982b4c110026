// Layers on functions: what may be named, what is shown of it, and that it stays when a layer version goes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetFunctionCommand,
  type LambdaClient,
  type Layer,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { createRequest, returning } from '../support/functions.ts';
import { LAYER_ARN, publishLayer } from '../support/layers.ts';
import { configurationOf, created, everythingOf, published, updated } from '../support/versions.ts';
import { invalid, type Refusal, refusalOf } from '../support/wire.ts';
import { zip } from '../support/zip-writer.ts';

const files = { 'a.txt': 'a' };
const sizeLimit = 262_144_000;

async function create(client: LambdaClient, name: string, Layers: string[]): Promise<unknown> {
  return await client.send(new CreateFunctionCommand(await createRequest(name, { Layers })));
}

async function update(client: LambdaClient, Layers: string[]): Promise<unknown> {
  const command = new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Layers });
  return await client.send(command);
}

async function layersOf(client: LambdaClient, Qualifier?: string): Promise<Layer[] | undefined> {
  return (await configurationOf(client, 'f', Qualifier)).Layers;
}

function sizeOf(files: Readonly<Record<string, string>>): Promise<number> {
  return zipOf(files).then(({ length }) => length);
}

function zeros(bytes: number): Buffer {
  return zip([{ name: 'zeros', content: Buffer.alloc(bytes) }]);
}

suite('The layers of a function', () => {
  test('are shown in the order of the request, with the sizes of their packages', async () => {
    await using t = await startApiHost();
    const small = await publishLayer(t.client, 'small', files);
    const large = await publishLayer(t.client, 'large', { ...files, 'b.txt': 'b'.repeat(500) });
    const expected = [
      { Arn: large, CodeSize: await sizeOf({ ...files, 'b.txt': 'b'.repeat(500) }) },
      { Arn: small, CodeSize: await sizeOf(files) },
    ];
    const answer = await created(t.client, 'f', { Layers: [large, small] });
    assert.deepEqual(answer.Layers, expected);
    const whole = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
    assert.deepEqual(whole.Configuration?.Layers, expected);
    const { Functions } = await t.client.send(new ListFunctionsCommand({}));
    assert.deepEqual(Functions?.[0]?.Layers, expected);
  });

  test('are absent when there are none, stay when an update is silent, and go with an empty list', async () => {
    await using t = await startApiHost();
    const layer = await publishLayer(t.client, 'l', files);
    await created(t.client, 'f', { Layers: [] });
    assert.equal(await layersOf(t.client), undefined);
    await updated(t.client, 'f', { Layers: [layer] });
    await updated(t.client, 'f', { Description: 'silent about layers' });
    const attached = [{ Arn: layer, CodeSize: await sizeOf(files) }];
    assert.deepEqual(await layersOf(t.client), attached);
    await published(t.client, 'f');
    await updated(t.client, 'f', { Layers: [] });
    assert.equal(await layersOf(t.client), undefined);
    assert.deepEqual(await layersOf(t.client, '1'), attached);
  });

  test('make a change of their own, so that publishing gives a new version', async () => {
    await using t = await startApiHost();
    const layer = await publishLayer(t.client, 'l', files);
    await created(t.client, 'f');
    const publish = async () => (await published(t.client, 'f')).Version;
    assert.equal(await publish(), '1');
    await updated(t.client, 'f', { Layers: [layer] });
    assert.equal(await publish(), '2');
    await updated(t.client, 'f', { Layers: [layer] });
    assert.equal(await publish(), '2');
  });

  test('may be for other runtimes and architectures than the function is', async () => {
    await using t = await startApiHost();
    const layer = await publishLayer(t.client, 'l', files, {
      CompatibleRuntimes: ['python3.12'],
      CompatibleArchitectures: ['arm64'],
    });
    assert.equal((await created(t.client, 'f', { Layers: [layer] })).Layers?.length, 1);
  });

  test('stay when their version is deleted, but cannot be added anew', async () => {
    await using dir = await dataDirectory();
    let before: unknown;
    {
      await using t = await startApiHost({ dataDir: dir.path });
      const layer = await publishLayer(t.client, 'l', files);
      await created(t.client, 'f', { Layers: [layer] });
      const command = new DeleteLayerVersionCommand({ LayerName: 'l', VersionNumber: 1 });
      await t.client.send(command);
      const missing = invalid(`Layer version ${layer} does not exist.`);
      assert.deepEqual(await refusalOf(create(t.client, 'g', [layer])), missing);
      assert.deepEqual(await refusalOf(update(t.client, [layer])), missing);
      await updated(t.client, 'f', { Description: 'goes on' });
      await published(t.client, 'f');
      assert.deepEqual(await layersOf(t.client, '1'), [
        { Arn: layer, CodeSize: await sizeOf(files) },
      ]);
      before = await everythingOf(t.client);
    }
    await using t = await startApiHost({ dataDir: dir.path });
    assert.deepEqual(await everythingOf(t.client), before);
  });

  test('are referred to by their packages until no version has them any more', async () => {
    await using t = await startApiHost();
    const layer = await publishLayer(t.client, 'l', files);
    const digest = createHash('sha256')
      .update(await zipOf(files))
      .digest('hex');
    const isKept = () => t.functions.referencedCode().has(digest);
    await created(t.client, 'f', { Layers: [layer] });
    await published(t.client, 'f');
    await updated(t.client, 'f', { Layers: [] });
    assert.ok(isKept());
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }));
    assert.ok(!isKept());
  });
});

suite('Layers that a function cannot have', () => {
  test('are refused on create and update, the first fault first, and change nothing', async () => {
    await using t = await startApiHost();
    const [one, two] = [
      await publishLayer(t.client, 'l', files),
      await publishLayer(t.client, 'l', files),
    ];
    const other = await publishLayer(t.client, 'other', files);
    const missing = `${LAYER_ARN}:l:3`;
    const elsewhere = 'arn:aws:lambda:eu-west-1:000000000000:layer:l:1';
    const twice = (a: string, b: string) =>
      invalid(
        `Two different versions of the same layer are not allowed to be referenced in the same function. ${a} and ${b} are versions of the same layer.`,
      );
    const ownService = 'arn:aws:lambda:::awslayer:AmazonLinux1803';
    const cases: readonly (readonly [string[], Refusal])[] = [
      [[one, two, other, missing, elsewhere, one], invalid('Cannot reference more than 5 layers.')],
      [
        [one, two, missing, elsewhere],
        invalid(
          'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
        ),
      ],
      [[one, two, missing], invalid(`Layer version ${missing} does not exist.`)],
      [[`${LAYER_ARN}:none:1`], invalid(`Layer version ${LAYER_ARN}:none:1 does not exist.`)],
      [[ownService], invalid(`Layer version ${ownService} does not exist.`)],
      [[one, other, two], twice(one, two)],
      [[other, two, one], twice(two, one)],
      [[one, one], twice(one, one)],
    ];
    await created(t.client, 'f', { Layers: [other] });
    const before = await everythingOf(t.client);
    for (const [Layers, expected] of cases) {
      assert.deepEqual(await refusalOf(create(t.client, 'g', Layers)), expected);
      assert.deepEqual(await refusalOf(update(t.client, Layers)), expected);
    }
    assert.deepEqual(await everythingOf(t.client), before);
  });

  test('are those whose ARN is none of a version', async () => {
    await using t = await startApiHost();
    await created(t.client, 'f');
    const expected = {
      status: 400,
      name: 'ValidationException',
      message: `1 validation error detected: Value '[${LAYER_ARN}:l]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+), Member must not be null]`,
    };
    for (const call of [
      () => create(t.client, 'g', [`${LAYER_ARN}:l`]),
      () => update(t.client, [`${LAYER_ARN}:l`]),
    ])
      assert.deepEqual(await refusalOf(call()), expected);
  });

  test('are together with the code larger than a function may be', async () => {
    await using t = await startApiHost();
    const layerBytes = 200_000_000;
    const layer = await publishLayer(
      t.client,
      'l',
      {},
      { Content: { ZipFile: zeros(layerBytes) } },
    );
    const fits = zeros(sizeLimit - layerBytes);
    const tooMuch = zeros(sizeLimit - layerBytes + 1);
    const refusal = invalid(
      `Function code combined with layers exceeds the maximum allowed size of ${sizeLimit} bytes. The actual size is ${sizeLimit + 1} bytes.`,
    );
    const request = await createRequest('g', { Code: { ZipFile: tooMuch }, Layers: [layer] });
    assert.deepEqual(await refusalOf(t.client.send(new CreateFunctionCommand(request))), refusal);
    await created(t.client, 'f', { Code: { ZipFile: fits }, Layers: [layer] });
    const before = await everythingOf(t.client);
    for (const DryRun of [true, false]) {
      const command = new UpdateFunctionCodeCommand({
        FunctionName: 'f',
        ZipFile: tooMuch,
        DryRun,
      });
      assert.deepEqual(await refusalOf(t.client.send(command)), refusal);
    }
    assert.deepEqual(await everythingOf(t.client), before);
    const small = await publishLayer(t.client, 'small', { 'one-byte': '1' });
    assert.deepEqual(await refusalOf(update(t.client, [layer, small])), refusal);
    assert.deepEqual(await everythingOf(t.client), before);
    const ZipFile = await zipOf(returning('1'));
    await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile }));
  });
});
