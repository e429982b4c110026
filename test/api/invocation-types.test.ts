// Invocation types; what becomes of asynchronous calls is in test/e2e/invoke-event.test.ts.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { ARN, returning } from '../support/functions.ts';
import { startTestHost } from '../support/test-host.ts';
import { refusalOf, send, unfit } from '../support/wire.ts';

const path = '/2015-03-31/functions/f/invocations';

suite('InvocationType', () => {
  test('DryRun answers 204 with nothing in it, and nothing runs', async () => {
    await using t = await startTestHost();
    await t.deploy('f', { 'index.mjs': 'let n = 0; export const handler = async () => ++n;' });
    assert.equal((await t.invoke('f')).payload, 1);
    const headers = { 'X-Amz-Invocation-Type': 'DryRun', 'X-Amz-Log-Type': 'Tail' };
    const answer = await send(t.url, { method: 'POST', path, headers, body: '{}' });
    assert.equal(answer.status, 204);
    assert.equal(answer.body, '');
    for (const name of ['x-amz-executed-version', 'x-amz-log-result', 'content-type'])
      assert.equal(answer.headers[name], undefined, name);
    assert.equal((await t.invoke('f')).payload, 2);
  });

  test('DryRun tells what is not found', async () => {
    await using t = await startTestHost();
    const command = new InvokeCommand({ FunctionName: 'missing', InvocationType: 'DryRun' });
    assert.deepEqual(await refusalOf(t.client.send(command)), {
      status: 404,
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:missing:$LATEST`,
    });
  });

  test('of another name, and another log type, break constraints', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const refused = async (member: object) =>
      await refusalOf(t.client.send(new InvokeCommand({ FunctionName: 'f', ...member })));
    assert.deepEqual(
      await refused({ InvocationType: 'Later' }),
      unfit(
        "Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
      ),
    );
    assert.deepEqual(
      await refused({ LogType: 'All' }),
      unfit(
        "Value 'All' at 'logType' failed to satisfy constraint: Member must satisfy enum value set: [None, Tail]",
      ),
    );
  });

  test('of the streaming operation are not available', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const path = '/2021-11-15/functions/f/response-streaming-invocations';
    const { status, json } = await send(t.url, { method: 'POST', path, body: '{}' });
    const message = 'InvokeWithResponseStream is not available on this host yet';
    assert.deepEqual([status, json], [400, { Type: 'User', message }]);
  });
});
