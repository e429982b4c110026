// Request rates of the control plane: off by default, as the service has them when they are set.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ApiRate } from '../../host/http/api-rate.ts';
import { ServiceError } from '../../host/service-error.ts';
import { startTestHost } from '../support/test-host.ts';
import { send } from '../support/wire.ts';

const HERE = { account: '000000000000', region: 'us-east-1' };

suite('The request rate of the control plane', () => {
  test('counts GetFunction and GetPolicy by themselves, each account and region by itself', () => {
    let now = 0;
    const rate = new ApiRate({ others: 2, getFunction: 3, getPolicy: 1 }, () => now);
    const isTaken = (operation: Parameters<ApiRate['count']>[1], scope = HERE) => {
      try {
        rate.count(scope, operation);
        return true;
      } catch (error) {
        assert.ok(error instanceof ServiceError, String(error));
        return false;
      }
    };
    assert.deepEqual([isTaken('ListFunctions'), isTaken('CreateFunction')], [true, true]);
    assert.equal(isTaken('DeleteFunction'), false);
    assert.equal(isTaken('DeleteFunction', { ...HERE, region: 'eu-west-1' }), true);
    assert.equal(isTaken('DeleteFunction', { ...HERE, account: '111111111111' }), true);
    for (let i = 0; i < 3; i += 1) assert.equal(isTaken('GetFunction'), true);
    assert.equal(isTaken('GetFunction'), false);
    assert.deepEqual([isTaken('GetPolicy'), isTaken('GetPolicy')], [true, false]);
    for (let i = 0; i < 100; i += 1) assert.equal(isTaken('Invoke'), true);
    now += 500;
    assert.deepEqual([isTaken('ListTags'), isTaken('ListTags')], [true, false]);
  });

  test('refuses with 429 what is beyond it, and says why', async () => {
    await using t = await startTestHost({ env: { LAMBKIN_LIMITS_API_RATE: '1' } });
    const ask = () => send(t.url, { path: '/2015-03-31/functions' });
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    const refused = answers.filter(({ status }) => status !== 200);
    assert.ok(refused.length > 0 && refused.length < 20, `${refused.length} refused`);
    for (const { status, headers, json } of refused) {
      assert.equal(status, 429);
      assert.equal(headers['x-amzn-errortype'], 'TooManyRequestsException');
      assert.deepEqual(json, {
        Reason: 'CallerRateLimitExceeded',
        Type: 'User',
        message: 'Rate exceeded',
      });
    }
    // Of another sort, and without a limit.
    const { status } = await send(t.url, { path: '/2015-03-31/functions/none' });
    assert.equal(status, 404);
  });

  test('is no limit unless it is set', async () => {
    await using t = await startTestHost();
    const ask = () => send(t.url, { path: '/2015-03-31/functions' });
    const answers = await Promise.all(Array.from({ length: 100 }, ask));
    for (const { status } of answers) assert.equal(status, 200);
  });
});
