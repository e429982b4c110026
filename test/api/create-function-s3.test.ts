// Code from S3: read once, at the call.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  type FunctionCode,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { createRequest, returning } from '../support/functions.ts';
import { type LocalS3, startLocalS3 } from '../support/local-s3.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { invalid, refusalOf } from '../support/wire.ts';

// The host reads S3 with the credentials of the machine it runs on.
process.env['AWS_ACCESS_KEY_ID'] = 'AKIAMACHINE';
process.env['AWS_SECRET_ACCESS_KEY'] = 'secret of the machine';

async function hostWith(s3: LocalS3): Promise<TestHost> {
  return await startTestHost({ env: { AWS_ENDPOINT_URL_S3: s3.url } });
}

suite('Code from S3', () => {
  test('is read at the call and runs, whatever becomes of the object', async () => {
    await using s3 = await startLocalS3();
    await using t = await hostWith(s3);
    const zip = await zipOf(returning('"first"'));
    s3.objects.set('code/dir/fn v1.zip', zip);
    await t.deploy('f', {}, { Code: { S3Bucket: 'code', S3Key: 'dir/fn v1.zip' } });
    s3.objects.set('code/dir/fn v1.zip', await zipOf(returning('"changed"')));
    assert.equal((await t.invoke('f')).payload, 'first');
    assert.equal(s3.requests.length, 1);
  });

  test('has the size and hash of the object, also of an update by its version', async () => {
    await using s3 = await startLocalS3();
    await using t = await hostWith(s3);
    await t.deploy('f', returning('"zip"'));
    const zip = await zipOf(returning('"s3"'));
    s3.objects.set('code/f.zip?v7', zip);
    const answer = await t.client.send(
      new UpdateFunctionCodeCommand({
        FunctionName: 'f',
        S3Bucket: 'code',
        S3Key: 'f.zip',
        S3ObjectVersion: 'v7',
        S3ObjectStorageMode: 'COPY',
      }),
    );
    assert.equal(answer.CodeSize, zip.length);
    assert.equal(answer.CodeSha256, createHash('sha256').update(zip).digest('base64'));
    const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
    await waitUntilFunctionUpdatedV2(waiting, { FunctionName: 'f' });
    assert.equal((await t.invoke('f')).payload, 's3');
  });

  test('that cannot be read is refused with the words of S3', async () => {
    await using s3 = await startLocalS3();
    await using t = await hostWith(s3);
    s3.objects.set('code/f.zip', Buffer.from('no zip'));
    const create = async (Code: FunctionCode) => {
      const command = new CreateFunctionCommand(await createRequest('f', { Code }));
      return await refusalOf(t.client.send(command));
    };
    const failed = (code: string, message: string) =>
      invalid(
        `Error occurred while GetObject. S3 Error Code: ${code}. S3 Error Message: ${message}`,
      );
    assert.deepEqual(
      await create({ S3Bucket: 'nowhere', S3Key: 'f.zip' }),
      failed('NoSuchBucket', 'The specified bucket does not exist'),
    );
    assert.deepEqual(
      await create({ S3Bucket: 'code', S3Key: 'other.zip' }),
      failed('NoSuchKey', 'The specified key does not exist.'),
    );
    assert.deepEqual(
      await create({ S3Bucket: 'code', S3Key: 'f.zip', S3ObjectVersion: '9' }),
      failed('NoSuchVersion', 'The specified version does not exist.'),
    );
    assert.deepEqual(
      await create({ S3Bucket: 'code', S3Key: 'f.zip' }),
      invalid('Could not unzip uploaded file. Please check your file, then try to upload again.'),
    );
  });
});
