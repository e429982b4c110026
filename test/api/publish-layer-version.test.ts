// PublishLayerVersion: what it answers, how versions are numbered, what it refuses.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import {
  type Architecture,
  CreateFunctionCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  GetLayerVersionCommand,
  type LambdaClient,
  PublishLayerVersionCommand,
  type PublishLayerVersionCommandInput,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { startApiHost } from '../support/api-host.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { dataDirectory } from '../support/data-directory.ts';
import { createRequest } from '../support/functions.ts';
import { LAYER_ARN, publishLayer, shownLayers } from '../support/layers.ts';
import { startLocalS3 } from '../support/local-s3.ts';
import { startTestHost } from '../support/test-host.ts';
import { invalid, type Refusal, refusalOf, unfit } from '../support/wire.ts';
import { zip } from '../support/zip-writer.ts';

const files = { 'nodejs/node_modules/a/index.js': 'module.exports = 1;' };

async function publish(
  client: LambdaClient,
  more: Omit<Partial<PublishLayerVersionCommandInput>, 'CompatibleRuntimes'> & {
    readonly CompatibleRuntimes?: readonly string[];
  } = {},
) {
  const ZipFile = await zipOf(files);
  // as: values beside the SDK's own are the point of some tests
  const CompatibleRuntimes = more.CompatibleRuntimes as Runtime[] | undefined;
  const input = { LayerName: 'l', Content: { ZipFile }, ...more, CompatibleRuntimes };
  const { $metadata, ...answer } = await client.send(new PublishLayerVersionCommand(input));
  return { status: $metadata.httpStatusCode, answer };
}

suite('PublishLayerVersion', () => {
  test('answers all that was given, and a link that gives the package', async () => {
    await using t = await startTestHost();
    const ZipFile = await zipOf(files);
    const given = {
      Description: 'a layer',
      // The order of the request, and runtimes that no function can have any more.
      CompatibleRuntimes: ['python3.7', 'nodejs24.x', 'go1.x'],
      CompatibleArchitectures: ['arm64', 'x86_64'] as Architecture[],
      LicenseInfo: 'MIT',
    };
    const { status, answer } = await publish(t.client, { Content: { ZipFile }, ...given });
    assert.equal(status, 201);
    const { Content = {}, CreatedDate = '', ...rest } = answer;
    const { Location = '', ...content } = Content;
    assert.deepEqual(rest, {
      ...given,
      LayerArn: `${LAYER_ARN}:l`,
      LayerVersionArn: `${LAYER_ARN}:l:1`,
      Version: 1,
    });
    assert.match(CreatedDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    assert.deepEqual(content, {
      CodeSize: ZipFile.length,
      CodeSha256: createHash('sha256').update(ZipFile).digest('base64'),
    });
    const download = await fetch(Location);
    assert.equal(download.status, 200);
    assert.deepEqual(Buffer.from(await download.arrayBuffer()), ZipFile);
  });

  test('leaves out what was not given, and shows empty lists as such', async () => {
    await using t = await startApiHost();
    const plain = (await publish(t.client)).answer;
    assert.equal(plain.Description, '');
    assert.equal(plain.CompatibleRuntimes, undefined);
    assert.equal(plain.CompatibleArchitectures, undefined);
    assert.equal(plain.LicenseInfo, undefined);
    const empty = { CompatibleRuntimes: [], CompatibleArchitectures: [] };
    const { answer } = await publish(t.client, empty);
    assert.deepEqual(answer.CompatibleRuntimes, []);
    assert.deepEqual(answer.CompatibleArchitectures, []);
    const read = { LayerName: 'l', VersionNumber: 2 };
    const shown = await t.client.send(new GetLayerVersionCommand(read));
    assert.deepEqual(shown.CompatibleRuntimes, []);
    assert.deepEqual(shown.CompatibleArchitectures, []);
  });

  test('counts up per layer, with the same content too, and takes the ARN for a name', async () => {
    await using t = await startApiHost();
    const numbers = [];
    for (const LayerName of ['l', 'l', 'other', `${LAYER_ARN}:l`])
      numbers.push((await publish(t.client, { LayerName })).answer.LayerVersionArn);
    assert.deepEqual(numbers, [
      `${LAYER_ARN}:l:1`,
      `${LAYER_ARN}:l:2`,
      `${LAYER_ARN}:other:1`,
      `${LAYER_ARN}:l:3`,
    ]);
  });

  test('gives every one of many calls at once a number of its own', async () => {
    await using t = await startApiHost();
    const answers = await Promise.all(Array.from({ length: 12 }, () => publish(t.client)));
    const numbers = answers.map(({ answer }) => answer.Version ?? 0);
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });

  test('never uses a number again, not even after a restart with no version left', async () => {
    await using dir = await dataDirectory();
    {
      await using t = await startApiHost({ dataDir: dir.path });
      for (const VersionNumber of [1, 2]) {
        await publish(t.client);
        await t.client.send(new DeleteLayerVersionCommand({ LayerName: 'l', VersionNumber }));
      }
    }
    await using t = await startApiHost({ dataDir: dir.path });
    assert.equal((await publish(t.client)).answer.Version, 3);
  });

  test('takes content from S3, read at the call', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIAMACHINE';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret of the machine';
    await using s3 = await startLocalS3();
    await using t = await startTestHost({ env: { AWS_ENDPOINT_URL_S3: s3.url } });
    const ZipFile = await zipOf(files);
    s3.objects.set('code/layer.zip', ZipFile);
    const { answer } = await publish(t.client, {
      Content: { S3Bucket: 'code', S3Key: 'layer.zip' },
    });
    assert.equal(answer.Content?.CodeSize, ZipFile.length);
    assert.deepEqual(
      await refusalOf(publish(t.client, { Content: { S3Bucket: 'code', S3Key: 'gone.zip' } })),
      invalid(
        'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
      ),
    );
  });
});

suite('PublishLayerVersion refuses', () => {
  test('content that is none, too large or no zip, and publishes nothing', async () => {
    await using t = await startApiHost();
    await publishLayer(t.client, 'l', files);
    const before = await shownLayers(t.client);
    const tooLarge = (message: string): Refusal => ({
      status: 413,
      name: 'RequestEntityTooLargeException',
      message,
    });
    const ZipFile = await zipOf(files);
    const cases: readonly (readonly [PublishLayerVersionCommandInput['Content'], Refusal])[] = [
      [{}, invalid('Please provide a source for function code.')],
      [{ S3Bucket: 'code' }, invalid('Please provide a source for function code.')],
      [
        { ZipFile, S3Bucket: 'code', S3Key: 'k' },
        invalid('Please do not provide other FunctionCode parameters when providing a ZipFile.'),
      ],
      [{ ZipFile: Buffer.alloc(0) }, invalid('Uploaded file must be a non-empty zip')],
      [
        { ZipFile: Buffer.from('no zip') },
        invalid('Could not unzip uploaded file. Please check your file, then try to upload again.'),
      ],
      [
        { ZipFile: zip([{ name: '../out.txt' }]) },
        invalid('Could not unzip uploaded file. Please check your file, then try to upload again.'),
      ],
      [
        { ZipFile: Buffer.alloc(52_428_801) },
        tooLarge('Zipped size must be smaller than 52428800 bytes'),
      ],
      [
        { ZipFile: Buffer.alloc(52_625_410) },
        tooLarge(
          'Request must be smaller than 70167211 bytes for the PublishLayerVersion operation',
        ),
      ],
      [
        { ZipFile: zip([{ name: 'zeros', content: Buffer.alloc(262_144_001) }]) },
        invalid('Unzipped size must be smaller than 262144000 bytes'),
      ],
    ];
    for (const [Content, expected] of cases)
      assert.deepEqual(await refusalOf(publish(t.client, { Content })), expected);
    assert.deepEqual(await shownLayers(t.client), before);
    assert.equal((await publish(t.client)).answer.Version, 2);
  });

  test('names, lists and texts that the model does not allow', async () => {
    await using t = await startApiHost();
    const runtimes =
      'nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2';
    assert.deepEqual(
      await refusalOf(publish(t.client, { CompatibleRuntimes: ['invalidruntime'] })),
      unfit(
        `Value '[invalidruntime]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: [${runtimes}]`,
      ),
    );
    assert.deepEqual(
      await refusalOf(
        publish(t.client, { CompatibleArchitectures: ['invalidarch' as Architecture] }), // as: the point
      ),
      unfit(
        "Value '[invalidarch]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
      ),
    );
    for (const more of [
      { LayerName: 'a.b' },
      { LayerName: `${LAYER_ARN}:l:1` },
      { LayerName: 'l'.repeat(141) },
      { Description: 'd'.repeat(257) },
      { LicenseInfo: 'l'.repeat(513) },
      { CompatibleRuntimes: Array.from({ length: 16 }, () => 'nodejs24.x') },
    ])
      assert.equal((await refusalOf(publish(t.client, more))).name, 'ValidationException');
    assert.deepEqual(await shownLayers(t.client), { Layers: [], versions: [] });
  });

  test('layers of other accounts and regions', async () => {
    await using t = await startApiHost();
    const elsewhere = 'arn:aws:lambda:eu-west-1:000000000000:layer:l';
    assert.deepEqual(await refusalOf(publish(t.client, { LayerName: elsewhere })), {
      status: 404,
      name: 'ResourceNotFoundException',
      message: "Layers from 'eu-west-1' are not reachable in this region ('us-east-1')",
    });
    const foreign = 'arn:aws:lambda:us-east-1:111111111111:layer:l';
    const { status, name } = await refusalOf(publish(t.client, { LayerName: foreign }));
    assert.deepEqual([status, name], [403, 'AccessDeniedException']);
  });

  test('content for which the account has no room, functions counted; deleting gives it back', async () => {
    const ZipFile = await zipOf(files);
    await using t = await startApiHost({ codeStorageBytes: 2 * ZipFile.length + 10 });
    const full = {
      status: 400,
      name: 'CodeStorageExceededException',
      message: 'Code storage limit exceeded.',
    };
    await publish(t.client);
    const request = await createRequest('f', { Code: { ZipFile } });
    await t.client.send(new CreateFunctionCommand(request));
    assert.deepEqual(await refusalOf(publish(t.client)), full);
    const { AccountUsage } = await t.client.send(new GetAccountSettingsCommand({}));
    assert.equal(AccountUsage?.TotalCodeSize, 2 * ZipFile.length);
    const other = await createRequest('g', { Code: { ZipFile } });
    assert.deepEqual(await refusalOf(t.client.send(new CreateFunctionCommand(other))), full);
    await t.client.send(new DeleteLayerVersionCommand({ LayerName: 'l', VersionNumber: 1 }));
    assert.equal((await publish(t.client)).answer.Version, 2);
  });
});
