// LAMBKIN_FUNCTION_ERROR=classic: the header tells what the function reported from what the platform found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange } from '../support/exchange.ts';
import { startTestHost } from '../support/test-host.ts';

test('classic tells Handled from Unhandled in X-Amz-Function-Error', async () => {
  await using t = await startTestHost({ env: { LAMBKIN_FUNCTION_ERROR: 'classic' } });
  const code = `export const handler = async ({ exit }) => {
    if (exit) process.exit(1);
    throw new Error('x');
  };`;
  await t.deploy('f', { 'index.mjs': code });
  const handled = await exchange(t.client, { FunctionName: 'f' });
  assert.equal(handled.headers['x-amz-function-error'], 'Handled');
  assert.equal(handled.headers['x-lambkin-error-kind'], 'handled');
  const Payload = JSON.stringify({ exit: true });
  const unhandled = await exchange(t.client, { FunctionName: 'f', Payload });
  assert.equal(unhandled.headers['x-amz-function-error'], 'Unhandled');
  assert.equal(unhandled.headers['x-lambkin-error-kind'], 'unhandled');
});
