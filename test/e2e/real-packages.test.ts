// Deployment packages as people upload them: a bundle with the AWS SDK and zod, and hundreds of files unbundled.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CreateFunctionCommand, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { awsSdkAndZodZip, manyModulesZip } from '../support/bundle-fixtures.ts';
import { result } from '../support/function-answers.ts';
import { ROLE, startTestHost, type TestHost } from '../support/test-host.ts';

suite('a real package', () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  async function deployZip(FunctionName: string, ZipFile: Buffer): Promise<void> {
    await t.client.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: { ZipFile },
        MemorySize: 256,
        Timeout: 20,
      }),
    );
    await waitUntilFunctionActiveV2(
      { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 },
      { FunctionName },
    );
  }

  test('with the AWS SDK and zod bundled validates its event and signs a request', async () => {
    await deployZip('bundled', await awsSdkAndZodZip());
    const { authorization, ...request } = Object(
      await result(t, 'bundled', { bucket: 'my-bucket', key: 'a b/c' }),
    );
    assert.deepEqual(request, {
      valid: true,
      method: 'GET',
      hostname: 'my-bucket.s3.eu-west-1.amazonaws.com',
      path: '/a%20b/c',
    });
    assert.match(String(authorization), /^AWS4-HMAC-SHA256 Credential=/);
    assert.deepEqual(await result(t, 'bundled', { bucket: 'x' }), {
      valid: false,
      issues: ['bucket', 'key'],
    });
  });

  test('of hundreds of files computes with its dependencies, in many environments at once', async () => {
    await deployZip('many', await manyModulesZip());
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => result(t, 'many', { from: '2024-02-28', days: 2 })),
    );
    for (const answer of answers) assert.deepEqual(answer, { end: '2024-03-01', days: 2 });
  });
});
