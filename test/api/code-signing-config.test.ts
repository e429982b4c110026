// Code signing configs: creating, changing, reading, listing, tagging and deleting them.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateCodeSigningConfigCommand,
  type CreateCodeSigningConfigCommandInput,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  GetCodeSigningConfigCommand,
  type LambdaClient,
  ListCodeSigningConfigsCommand,
  ListFunctionsByCodeSigningConfigCommand,
  ListTagsCommand,
  PutFunctionCodeSigningConfigCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateCodeSigningConfigCommand,
} from '@aws-sdk/client-lambda';
import { dataDirectory } from '../support/data-directory.ts';
import { returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { invalid, refusalOf } from '../support/wire.ts';

const PROFILE = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij';
const OTHER = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/q/abcdefghij';

async function create(
  client: LambdaClient,
  members: Partial<CreateCodeSigningConfigCommandInput> = {},
) {
  const { CodeSigningConfig } = await client.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: { SigningProfileVersionArns: [PROFILE] },
      ...members,
    }),
  );
  assert.ok(CodeSigningConfig);
  return CodeSigningConfig;
}

async function arnOfNew(client: LambdaClient): Promise<string> {
  return (await create(client)).CodeSigningConfigArn ?? '';
}

async function get(client: LambdaClient, CodeSigningConfigArn: string) {
  const command = new GetCodeSigningConfigCommand({ CodeSigningConfigArn });
  return (await client.send(command)).CodeSigningConfig;
}

suite('A code signing config', () => {
  test('is created with the policy Warn unless told otherwise', async () => {
    await using t = await startTestHost();
    const {
      CodeSigningConfigId: id = '',
      CodeSigningConfigArn: arn = '',
      LastModified,
      ...rest
    } = await create(t.client);
    assert.match(id, /^csc-[a-z0-9]{17}$/);
    assert.equal(arn, `arn:aws:lambda:us-east-1:000000000000:code-signing-config:${id}`);
    assert.match(LastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    assert.deepEqual(rest, {
      AllowedPublishers: { SigningProfileVersionArns: [PROFILE] },
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Warn' },
    });
    assert.deepEqual(await get(t.client, arn), {
      CodeSigningConfigId: id,
      CodeSigningConfigArn: arn,
      LastModified,
      ...rest,
    });
    const strict = await create(t.client, {
      Description: 'strict',
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
    });
    assert.equal(strict.Description, 'strict');
    assert.deepEqual(strict.CodeSigningPolicies, { UntrustedArtifactOnDeployment: 'Enforce' });
  });

  test('keeps what an update leaves out, and may be updated with nothing', async () => {
    await using t = await startTestHost();
    const before = await create(t.client, { Description: 'first' });
    const CodeSigningConfigArn = before.CodeSigningConfigArn ?? '';
    const update = async (members: object) => {
      const command = new UpdateCodeSigningConfigCommand({ CodeSigningConfigArn, ...members });
      const { LastModified: _, ...config } =
        (await t.client.send(command)).CodeSigningConfig ?? assert.fail('no config');
      return config;
    };
    const { LastModified: _, ...expected } = before;
    assert.deepEqual(await update({}), expected);
    const AllowedPublishers = { SigningProfileVersionArns: [OTHER, PROFILE] };
    assert.deepEqual(await update({ AllowedPublishers }), { ...expected, AllowedPublishers });
    const CodeSigningPolicies = { UntrustedArtifactOnDeployment: 'Enforce' };
    const last = await update({ Description: '', CodeSigningPolicies });
    assert.deepEqual(last, {
      ...expected,
      AllowedPublishers,
      CodeSigningPolicies,
      Description: '',
    });
    const { LastModified: __, ...shown } = (await get(t.client, CodeSigningConfigArn)) ?? {};
    assert.deepEqual(shown, last);
  });

  test('is listed with the others page by page until it is deleted', async () => {
    await using t = await startTestHost();
    const arns = [await arnOfNew(t.client), await arnOfNew(t.client), await arnOfNew(t.client)];
    arns.sort();
    const listed = async (MaxItems?: number, Marker?: string) => {
      const answer = await t.client.send(new ListCodeSigningConfigsCommand({ MaxItems, Marker }));
      const shown = answer.CodeSigningConfigs?.map((config) => config.CodeSigningConfigArn);
      return { shown, next: answer.NextMarker };
    };
    assert.deepEqual(await listed(), { shown: arns, next: undefined });
    const first = await listed(2);
    assert.deepEqual(first.shown, arns.slice(0, 2));
    assert.deepEqual(await listed(2, first.next), { shown: arns.slice(2), next: undefined });
    const [gone = '', ...left] = arns;
    const remove = new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn: gone });
    assert.equal((await t.client.send(remove)).$metadata.httpStatusCode, 204);
    assert.deepEqual((await listed()).shown, left);
  });

  test('is not found in the words of the operations on configs', async () => {
    await using t = await startTestHost();
    const gone = await arnOfNew(t.client);
    await t.client.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn: gone }));
    for (const CodeSigningConfigArn of [gone, gone.replace('us-east-1', 'eu-west-1')]) {
      const named = { CodeSigningConfigArn };
      for (const call of [
        () => t.client.send(new GetCodeSigningConfigCommand(named)),
        () => t.client.send(new UpdateCodeSigningConfigCommand(named)),
        () => t.client.send(new DeleteCodeSigningConfigCommand(named)),
        () => t.client.send(new ListFunctionsByCodeSigningConfigCommand(named)),
      ])
        assert.deepEqual(await refusalOf(call()), {
          status: 404,
          name: 'ResourceNotFoundException',
          message: `The Lambda code signing configuration ${CodeSigningConfigArn} can not be found.`,
        });
    }
  });

  test('cannot be deleted while functions use it', async () => {
    await using t = await startTestHost();
    const CodeSigningConfigArn = await arnOfNew(t.client);
    await t.deploy('f', returning('1'), { CodeSigningConfigArn });
    const remove = () =>
      t.client.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }));
    assert.deepEqual(await refusalOf(remove()), {
      status: 409,
      name: 'ResourceConflictException',
      message: 'The code signing configuration is in use by functions',
    });
    assert.ok(await get(t.client, CodeSigningConfigArn));
    await t.client.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName: 'f' }));
    await remove();
  });

  test('is either deleted or attached when both are asked for at once', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    for (let round = 0; round < 10; round += 1) {
      const CodeSigningConfigArn = await arnOfNew(t.client);
      const attach = { FunctionName: 'f', CodeSigningConfigArn };
      const calls = [
        () => t.client.send(new PutFunctionCodeSigningConfigCommand(attach)),
        () => t.client.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn })),
      ];
      if (round % 2 === 1) calls.reverse();
      const results = await Promise.allSettled(calls.map((call) => call()));
      const failures = results.filter(({ status }) => status === 'rejected');
      assert.equal(failures.length, 1, `round ${round}`);
    }
  });

  test('carries tags', async () => {
    await using t = await startTestHost();
    const { CodeSigningConfigArn: Resource = '' } = await create(t.client, { Tags: { a: '1' } });
    await t.client.send(new TagResourceCommand({ Resource, Tags: { b: '2' } }));
    await t.client.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] }));
    assert.deepEqual((await t.client.send(new ListTagsCommand({ Resource }))).Tags, { b: '2' });
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, '']));
    assert.deepEqual(
      await refusalOf(create(t.client, { Tags: many })),
      invalid('Number of tags exceeds resource tag limit.'),
    );
    const { CodeSigningConfigs } = await t.client.send(new ListCodeSigningConfigsCommand({}));
    assert.equal(CodeSigningConfigs?.length, 1);
  });

  test('is the same after a restart', async () => {
    await using dir = await dataDirectory();
    let before: unknown;
    let arn: string;
    {
      await using t = await startTestHost({ dataDir: dir.path });
      arn =
        (await create(t.client, { Description: 'd', Tags: { k: 'v' } })).CodeSigningConfigArn ?? '';
      before = await get(t.client, arn);
    }
    await using t = await startTestHost({ dataDir: dir.path });
    assert.deepEqual(await get(t.client, arn), before);
    assert.deepEqual((await t.client.send(new ListTagsCommand({ Resource: arn }))).Tags, {
      k: 'v',
    });
  });
});
