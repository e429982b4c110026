// UpdateFunctionCode: what it answers, changes and refuses.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
  type UpdateFunctionCodeCommandInput,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { invalid, refusalOf } from '../support/wire.ts';

async function update(t: TestHost, members: Omit<UpdateFunctionCodeCommandInput, 'FunctionName'>) {
  return await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ...members }));
}

function waiting(t: TestHost) {
  return { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
}

async function updated(t: TestHost): Promise<void> {
  await waitUntilFunctionUpdatedV2(waiting(t), { FunctionName: 'f' });
}

async function configuration(t: TestHost) {
  const { Configuration } = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
  return Configuration;
}

function sha256(zip: Uint8Array): string {
  return createHash('sha256').update(zip).digest('base64');
}

suite('UpdateFunctionCode', () => {
  test('answers the new code in progress, and invocations run it once that is over', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('"old"'), { Description: 'kept', Timeout: 7 });
    assert.equal((await t.invoke('f')).payload, 'old');
    const before = await configuration(t);
    const ZipFile = await zipOf(returning('"new"'));
    const { $metadata: _, ...answer } = await update(t, { ZipFile });
    assert.deepEqual(answer, {
      ...before,
      CodeSha256: sha256(ZipFile),
      CodeSize: ZipFile.length,
      LastModified: answer.LastModified,
      RevisionId: answer.RevisionId,
      LastUpdateStatus: 'InProgress',
      LastUpdateStatusReason: 'The function is being created.',
      LastUpdateStatusReasonCode: 'Creating',
    });
    assert.notEqual(answer.RevisionId, before?.RevisionId);
    await updated(t);
    assert.equal((await t.invoke('f')).payload, 'new');
  });

  test('counts the same bytes as an update', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const before = await configuration(t);
    const answer = await update(t, { ZipFile: await zipOf(returning('1')) });
    assert.equal(answer.CodeSha256, before?.CodeSha256);
    assert.equal(answer.LastUpdateStatus, 'InProgress');
    assert.notEqual(answer.RevisionId, before?.RevisionId);
    assert.ok(String(answer.LastModified) > String(before?.LastModified));
  });

  test('replaces the architecture only when one is given', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const ZipFile = await zipOf(returning('2'));
    assert.deepEqual((await update(t, { ZipFile, Architectures: ['arm64'] })).Architectures, [
      'arm64',
    ]);
    await updated(t);
    assert.deepEqual((await update(t, { ZipFile })).Architectures, ['arm64']);
  });

  test('removes the key of the source unless it is given again', async () => {
    await using t = await startTestHost();
    const SourceKMSKeyArn = 'arn:aws:kms:us-east-1:000000000000:key/k';
    const ZipFile = await zipOf(returning('1'));
    await t.deploy('f', {}, { Code: { ZipFile, SourceKMSKeyArn } });
    const shown = async () =>
      (await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }))).Code?.SourceKMSKeyArn;
    assert.equal(await shown(), SourceKMSKeyArn);
    await update(t, { ZipFile, SourceKMSKeyArn });
    assert.equal(await shown(), SourceKMSKeyArn);
    await updated(t);
    await update(t, { ZipFile });
    assert.equal(await shown(), undefined);
  });

  test('with a RevisionId changes that revision alone', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const before = await configuration(t);
    const ZipFile = await zipOf(returning('2'));
    assert.deepEqual(await refusalOf(update(t, { ZipFile, RevisionId: 'an older one' })), {
      status: 412,
      name: 'PreconditionFailedException',
      message:
        'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
    });
    assert.deepEqual(await configuration(t), before);
    const answer = await update(t, { ZipFile, RevisionId: before?.RevisionId });
    assert.equal(answer.CodeSha256, sha256(ZipFile));
  });

  test('as a dry run answers as if it were done and changes nothing', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('"old"'));
    const before = await configuration(t);
    const ZipFile = await zipOf(returning('"new"'));
    const answer = await update(t, { ZipFile, DryRun: true, Publish: true });
    assert.equal(answer.CodeSha256, sha256(ZipFile));
    assert.equal(answer.CodeSize, ZipFile.length);
    assert.equal(answer.RevisionId, before?.RevisionId);
    assert.deepEqual(await configuration(t), before);
    const all = await t.client.send(new ListFunctionsCommand({ FunctionVersion: 'ALL' }));
    assert.equal(all.Functions?.length, 1);
    assert.equal((await t.invoke('f')).payload, 'old');
    const broken = update(t, { ZipFile: Buffer.from('no zip'), DryRun: true });
    assert.equal((await refusalOf(broken)).status, 400);
    const stale = update(t, { ZipFile, DryRun: true, RevisionId: 'stale' });
    assert.equal((await refusalOf(stale)).status, 412);
  });

  test('with Publish answers the new version under its own ARN, and numbers go on', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('0'), { Publish: true });
    for (const number of ['2', '3']) {
      const ZipFile = await zipOf(returning(number));
      const answer = await update(t, { ZipFile, Publish: true });
      assert.equal(answer.Version, number);
      assert.equal(answer.FunctionArn, `${ARN}:f:${number}`);
      assert.equal(answer.State, 'Pending');
      assert.equal(answer.LastUpdateStatus, undefined);
      await waitUntilPublishedVersionActive(waiting(t), { FunctionName: 'f', Qualifier: number });
      await updated(t);
      assert.equal((await t.invoke('f', {}, { Qualifier: number })).payload, Number(number));
      assert.equal((await t.invoke('f')).payload, Number(number));
    }
    assert.equal((await t.invoke('f', {}, { Qualifier: '1' })).payload, 0);
    const version = new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier: '2' });
    assert.equal((await t.client.send(version)).LastUpdateStatus, 'Successful');
  });

  test('refuses code of another kind, none, or of a version, and leaves the function as it was', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'), { Publish: true });
    const before = await configuration(t);
    const ZipFile = await zipOf(returning('2'));
    const cases = [
      [
        { ImageUri: 'registry/image:tag' },
        "Please don't provide ImageUri when updating a function with packageType Zip.",
      ],
      [
        { ImageUri: 'registry/image:tag', ZipFile },
        "Please don't provide ImageUri when updating a function with packageType Zip.",
      ],
      [{}, 'Please provide a source for function code.'],
      [
        { ZipFile, S3Bucket: 'bucket', S3Key: 'key' },
        'Please do not provide other FunctionCode parameters when providing a ZipFile.',
      ],
      [{ ZipFile: new Uint8Array() }, 'Uploaded file must be a non-empty zip'],
      [
        { ZipFile: Buffer.from('PK\u0003\u0004 no zip') },
        'Could not unzip uploaded file. Please check your file, then try to upload again.',
      ],
      [
        { ZipFile, PublishTo: 'LATEST_PUBLISHED' as const },
        'PublishTo is not available on this host yet',
      ],
    ] as const;
    for (const [members, message] of cases)
      assert.deepEqual(await refusalOf(update(t, members)), invalid(message));
    const version = new UpdateFunctionCodeCommand({ FunctionName: 'f:1', ZipFile });
    assert.deepEqual(
      await refusalOf(t.client.send(version)),
      invalid(
        'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
      ),
    );
    assert.deepEqual(await configuration(t), before);
    await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f:$LATEST', ZipFile }));
  });
});
