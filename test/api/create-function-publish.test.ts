// CreateFunction with Publish: version 1 comes with the function and is what is answered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { refusalOf } from '../support/wire.ts';

test('CreateFunction with Publish answers version 1 under the unqualified ARN, beside $LATEST', async () => {
  await using t = await startTestHost();
  const request = await createRequest('f', { Publish: true, Description: 'both' });
  const created = await t.client.send(new CreateFunctionCommand(request));
  assert.equal(created.Version, '1');
  assert.equal(created.FunctionArn, `${ARN}:f`);
  assert.equal(created.State, 'Pending');
  const first = { FunctionName: 'f', Qualifier: '1' };
  const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
  await waitUntilPublishedVersionActive(waiting, first);
  const version = await t.client.send(new GetFunctionConfigurationCommand(first));
  const latest = await t.client.send(new GetFunctionConfigurationCommand({ FunctionName: 'f' }));
  assert.equal(version.FunctionArn, `${ARN}:f:1`);
  assert.equal(version.State, 'Active');
  assert.equal(version.LastUpdateStatus, 'Successful');
  assert.equal(latest.Version, '$LATEST');
  assert.equal(latest.State, 'Active');
  assert.equal(version.CodeSha256, latest.CodeSha256);
  assert.equal(version.Description, 'both');
  assert.equal(version.LastModified, latest.LastModified);
  assert.notEqual(version.RevisionId, latest.RevisionId);
  const invoked = await t.invoke('f', { n: 1 }, { Qualifier: '1' });
  assert.deepEqual([invoked.payload, invoked.executedVersion], [{ n: 1 }, '1']);
});

test('A runtime that is not on this machine can be deployed; SnapStart shows on its versions; invoking says what is missing', async () => {
  await using t = await startTestHost();
  await t.deploy('f', returning('1'), {
    Runtime: 'java21',
    SnapStart: { ApplyOn: 'PublishedVersions' },
    Publish: true,
  });
  const first = { FunctionName: 'f', Qualifier: '1' };
  const waiting = { client: t.client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.1 };
  await waitUntilPublishedVersionActive(waiting, first);
  const statusOf = async (named: typeof first | { FunctionName: string }) =>
    (await t.client.send(new GetFunctionConfigurationCommand(named))).SnapStart;
  const ApplyOn = 'PublishedVersions';
  assert.deepEqual(await statusOf(first), { ApplyOn, OptimizationStatus: 'On' });
  assert.deepEqual(await statusOf({ FunctionName: 'f' }), { ApplyOn, OptimizationStatus: 'Off' });
  const { status, name, message } = await refusalOf(t.invoke('f'));
  assert.deepEqual([status, name], [502, 'InvalidRuntimeException']);
  assert.match(message, /java21/);
  assert.ok(t.reports.every((report) => report.includes('java21')));
});
