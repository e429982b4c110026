// ListVersionsByFunction: order, form and pages, also of very many versions.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteFunctionCommand,
  GetFunctionCommand,
  type LambdaClient,
  ListVersionsByFunctionCommand,
  type ListVersionsByFunctionCommandInput,
  paginateListVersionsByFunction,
} from '@aws-sdk/client-lambda';
import { versionPart } from '../../host/functions/functions.ts';
import { type ApiHost, startApiHost } from '../support/api-host.ts';
import { ARN } from '../support/functions.ts';
import { created, versionsOf, withVersions } from '../support/versions.ts';
import { invalid, refusalOf, unfit } from '../support/wire.ts';

async function pageOf(
  client: LambdaClient,
  input: Partial<ListVersionsByFunctionCommandInput> = {},
) {
  const command = new ListVersionsByFunctionCommand({ FunctionName: 'f', ...input });
  const { Versions = [], NextMarker } = await client.send(command);
  return { versions: Versions.map(({ Version }) => Version), NextMarker };
}

/** Gives the function this many versions at once; calls would take minutes. */
async function addVersions({ functions }: ApiHost, count: number): Promise<void> {
  await functions.change('000000000000', 'us-east-1', 'f', (current) => {
    assert.ok(current);
    const { root } = current;
    const numbers = Array.from({ length: count }, (_, index) => String(index + 1));
    const parts = numbers.map((version) => versionPart({ ...root.latest, version }));
    return { change: { root: { ...root, nextVersion: count + 1 }, parts }, result: undefined };
  });
}

suite('ListVersionsByFunction', () => {
  test('shows $LATEST and then the numbers ascending, in the form of listings', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 11);
    const command = new ListVersionsByFunctionCommand({ FunctionName: 'f' });
    const { $metadata, Versions = [], NextMarker } = await client.send(command);
    assert.equal($metadata.httpStatusCode, 200);
    assert.equal(NextMarker, undefined);
    const names = ['$LATEST', ...Array.from({ length: 11 }, (_, index) => String(index + 1))];
    assert.deepEqual(
      Versions.map((each) => each.FunctionArn),
      names.map((name) => `${ARN}:f:${name}`),
    );
    for (const [index, Qualifier] of names.entries()) {
      const read = await client.send(new GetFunctionCommand({ FunctionName: 'f', Qualifier }));
      const { State, LastUpdateStatus, RuntimeVersionConfig, ...rest } = read.Configuration ?? {};
      assert.ok(State && LastUpdateStatus && RuntimeVersionConfig);
      assert.deepEqual(Versions[index], rest);
    }
  });

  test('shows $LATEST alone when nothing is published, and no version of another function', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    await withVersions(client, 'f1', 2);
    assert.deepEqual(await versionsOf(client, 'f'), ['$LATEST']);
  });

  test('takes every form of an unqualified name, and no version or alias', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await withVersions(client, 'f', 1);
    for (const name of ['f', 'f:$LATEST', 'function:f', '000000000000:f', `${ARN}:f`])
      assert.deepEqual(await versionsOf(client, name), ['$LATEST', '1'], name);
    const whole = invalid(
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
    );
    for (const name of ['f:1', `${ARN}:f:PROD`])
      assert.deepEqual(await refusalOf(versionsOf(client, name)), whole);
  });

  test('has no more than 50 in a page, goes on behind a version that is gone, and ends without a marker', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    await addVersions(host, 120);
    for (const MaxItems of [undefined, 50, 51, 10_000])
      assert.equal((await pageOf(client, { MaxItems })).versions.length, 50);
    const first = await pageOf(client, { MaxItems: 3 });
    assert.deepEqual(first.versions, ['$LATEST', '1', '2']);
    for (const Qualifier of ['2', '3'])
      await client.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier }));
    const second = await pageOf(client, { MaxItems: 3, Marker: first.NextMarker });
    assert.deepEqual(second.versions, ['4', '5', '6']);
    const walked: (string | undefined)[] = [];
    let marker: string | undefined;
    do {
      const { versions, NextMarker } = await pageOf(client, { MaxItems: 7, Marker: marker });
      walked.push(...versions);
      marker = NextMarker;
    } while (marker !== undefined);
    const left = Array.from({ length: 117 }, (_, index) => String(index + 4));
    assert.deepEqual(walked, ['$LATEST', '1', ...left]);
  });

  test('of ten thousand versions is walked to its end, in order', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    await addVersions(host, 10_000);
    const numbers: number[] = [];
    const walk = paginateListVersionsByFunction(
      { client, pageSize: 10_000 },
      { FunctionName: 'f' },
    );
    for await (const { Versions = [] } of walk)
      numbers.push(...Versions.map(({ Version }) => (Version === '$LATEST' ? 0 : Number(Version))));
    assert.deepEqual(
      numbers,
      Array.from({ length: 10_001 }, (_, index) => index),
    );
  });

  test('is not found without a function', async () => {
    await using host = await startApiHost();
    assert.deepEqual(await refusalOf(versionsOf(host.client, 'missing')), {
      status: 404,
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:missing`,
    });
  });

  test('refuses sizes and markers that it cannot read', async () => {
    await using host = await startApiHost();
    const { client } = host;
    await created(client, 'f');
    const constraint = 'failed to satisfy constraint: Member must';
    const refused = async (input: object) => await refusalOf(pageOf(client, input));
    assert.deepEqual(
      await refused({ MaxItems: 0 }),
      unfit(`Value '0' at 'maxItems' ${constraint} have value greater than or equal to 1`),
    );
    assert.deepEqual(
      await refused({ MaxItems: 10_001 }),
      unfit(`Value '10001' at 'maxItems' ${constraint} have value less than or equal to 10000`),
    );
    const text = Buffer.from('"f"').toString('base64url');
    for (const Marker of ['no marker', text])
      assert.deepEqual(await refused({ Marker }), invalid('Invalid marker'));
  });
});
