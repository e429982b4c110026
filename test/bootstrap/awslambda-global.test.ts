// globalThis.awslambda: what it holds, and how it is kept away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

const members = { code: 'invoke-store', handler: 'index.members' } as const;

test('its members by generation', async () => {
  await using v4 = await BootstrapPeer.start(members);
  assert.deepEqual(await v4.result({}), ['streamifyResponse', 'HttpResponseStream', 'InvokeStore']);
  await using v3 = await BootstrapPeer.start({ ...members, runtime: 'nodejs22.x' });
  assert.deepEqual(await v3.result({}), ['streamifyResponse', 'HttpResponseStream']);
});

test('AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA keeps it away', async () => {
  for (const value of ['1', 'true']) {
    const env = { AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA: value };
    await using peer = await BootstrapPeer.start({ ...members, env });
    assert.deepEqual(await peer.result({}), []);
  }
  await using other = await BootstrapPeer.start({
    ...members,
    env: { AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA: '0' },
  });
  assert.equal(((await other.result({})) as unknown[]).length, 3);
});

test('InvokeStore knows the invocation, keeps what the function sets, and forgets it afterwards', async () => {
  await using peer = await BootstrapPeer.start({ code: 'invoke-store' });
  for (const value of ['first', 'second']) {
    assert.deepEqual(await peer.result({ value }, { traceId: 'Root=1', tenantId: 'blue' }), {
      atInit: '-',
      before: null,
      after: value,
      id: true,
      trace: 'Root=1',
      tenant: 'blue',
      refused: 'Cannot modify protected Lambda context field: Symbol(_AWS_LAMBDA_REQUEST_ID)',
      inside: 1,
    });
  }
});
