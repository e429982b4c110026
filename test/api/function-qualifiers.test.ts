// Every form in which a function and its version can be named.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
} from '@aws-sdk/client-lambda';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { invalid, refusalOf, send, unfit } from '../support/wire.ts';

async function deployVersion(t: TestHost): Promise<void> {
  await t.deploy('f', returning('1'), { Publish: true });
}

/** What names the function, with the ARN and version that the answer shows. */
const forms: readonly (readonly [
  name: string,
  qualifier: string | undefined,
  arn: string,
  version: string,
])[] = [
  ['f', undefined, `${ARN}:f`, '$LATEST'],
  ['f', '$LATEST', `${ARN}:f:$LATEST`, '$LATEST'],
  ['f', '1', `${ARN}:f:1`, '1'],
  ['f:1', undefined, `${ARN}:f:1`, '1'],
  ['f:1', '1', `${ARN}:f:1`, '1'],
  ['f:$LATEST', undefined, `${ARN}:f:$LATEST`, '$LATEST'],
  ['function:f', undefined, `${ARN}:f`, '$LATEST'],
  ['000000000000:f', undefined, `${ARN}:f`, '$LATEST'],
  ['000000000000:function:f', undefined, `${ARN}:f`, '$LATEST'],
  ['000000000000:function:f:1', undefined, `${ARN}:f:1`, '1'],
  ['us-east-1:000000000000:function:f', undefined, `${ARN}:f`, '$LATEST'],
  [`${ARN}:f`, undefined, `${ARN}:f`, '$LATEST'],
  [`${ARN}:f`, '1', `${ARN}:f:1`, '1'],
  [`${ARN}:f:1`, undefined, `${ARN}:f:1`, '1'],
  [`${ARN}:f:$LATEST`, '$LATEST', `${ARN}:f:$LATEST`, '$LATEST'],
];

suite('A function', () => {
  test('is found under every form of its name, and shown under the qualifier as asked', async () => {
    await using t = await startTestHost();
    await deployVersion(t);
    for (const [FunctionName, Qualifier, arn, version] of forms) {
      const named = { FunctionName, Qualifier };
      const configuration = await t.client.send(new GetFunctionConfigurationCommand(named));
      assert.equal(configuration.FunctionArn, arn);
      assert.equal(configuration.Version, version);
      assert.equal(configuration.FunctionName, 'f');
      const { Configuration, Code } = await t.client.send(new GetFunctionCommand(named));
      const { $metadata: _, ...members } = configuration;
      assert.deepEqual(Configuration, members);
      assert.equal(Code?.RepositoryType, 'S3');
      const invoked = await t.client.send(new InvokeCommand(named));
      assert.equal(invoked.ExecutedVersion, version);
    }
  });

  test('is found with colons and dollar signs encoded or not, and through a trailing slash', async () => {
    await using t = await startTestHost();
    await deployVersion(t);
    for (const path of [
      `/2015-03-31/functions/${ARN}:f:$LATEST`,
      `/2015-03-31/functions/${encodeURIComponent(`${ARN}:f:$LATEST`)}`,
      `/2015-03-31/functions/${ARN}%3Af:%24LATEST/`,
    ]) {
      const { status, json } = await send(t.url, { path });
      assert.equal(status, 200, path);
      const { Configuration } = json as { Configuration: { FunctionArn: string } };
      assert.equal(Configuration.FunctionArn, `${ARN}:f:$LATEST`);
    }
  });

  test('is not found under two qualifiers that differ', async () => {
    await using t = await startTestHost();
    await deployVersion(t);
    const differ = invalid(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
    for (const FunctionName of ['f:1', `${ARN}:f:1`, 'missing:1']) {
      const named = { FunctionName, Qualifier: '$LATEST' };
      for (const command of [new GetFunctionCommand(named), new InvokeCommand(named)])
        assert.deepEqual(await refusalOf(t.client.send(command as GetFunctionCommand)), differ);
    }
  });

  test('is not found under what is no name, no qualifier, or too long for either', async () => {
    await using t = await startTestHost();
    await deployVersion(t);
    const namePattern = String.raw`(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`;
    const constraint = 'failed to satisfy constraint: Member must';
    for (const name of ['f:1:2', 'f g', `${ARN}:f:$LATEST:extra`, 'f:$latest'])
      assert.deepEqual(
        await refusalOf(t.client.send(new GetFunctionCommand({ FunctionName: name }))),
        unfit(
          `Value '${name}' at 'functionName' ${constraint} satisfy regular expression pattern: ${namePattern}`,
        ),
      );
    const long = 'n'.repeat(300);
    assert.deepEqual(
      await refusalOf(t.client.send(new GetFunctionCommand({ FunctionName: long }))),
      unfit(
        `Value '${long}' at 'functionName' ${constraint} have length less than or equal to 256`,
      ),
    );
    const quoted = String.raw`\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`;
    const call = new GetFunctionCommand({ FunctionName: 'f', Qualifier: 'a b' });
    assert.deepEqual(
      await refusalOf(t.client.send(call)),
      unfit(
        `Value 'a b' at 'qualifier' ${constraint} satisfy regular expression pattern: ${quoted}`,
      ),
    );
  });
});
