// From the handler string to file and export.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer, type PeerOptions } from '../support/bootstrap-peer.ts';

async function result(options: PeerOptions): Promise<unknown> {
  await using peer = await BootstrapPeer.start(options);
  return await peer.result({});
}

for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
  test(`${runtime}: index.js wins over index.mjs, which wins over index.cjs`, async () => {
    const code = 'extension-order';
    assert.equal(await result({ code, runtime }), 'js');
    assert.equal(await result({ code, runtime, handler: 'second.handler' }), 'mjs');
    assert.equal(await result({ code, runtime, handler: 'third.handler' }), 'cjs');
  });

  test(`${runtime}: a .js file in a package of type module is an ES module`, async () => {
    assert.equal(await result({ code: 'module-package', runtime }), true);
  });

  test(`${runtime}: folders go before the module, nested properties after it`, async () => {
    const handler = 'src/deep/app.api.v1.handler';
    assert.equal(await result({ code: 'nested-exports', runtime, handler }), 'nested');
  });

  test(`${runtime}: a module that is no file is looked for in node_modules`, async () => {
    const handler = 'packaged.handler';
    assert.equal(await result({ code: 'nested-exports', runtime, handler }), 'from node_modules');
  });

  test(`${runtime}: NODE_PATH that arrives after the process start reaches layers`, async () => {
    await using probe = await BootstrapPeer.spawn({ code: 'layer' });
    const env = { NODE_PATH: `${probe.taskRoot}/nodejs/node_modules` };
    assert.equal(await result({ code: 'layer/function', runtime, env }), 'from the layer');
  });

  test(`${runtime}: an absolute module root is taken as it is`, async () => {
    await using probe = await BootstrapPeer.spawn({ code: 'echo' });
    const handler = `${probe.taskRoot}/index.handler`;
    assert.deepEqual(await result({ code: 'context', runtime, handler }), {});
  });
}

test('nodejs24.x looks under the default export as well', async () => {
  const handler = 'default.inner.handler';
  assert.equal(await result({ code: 'nested-exports', handler }), 'under default');
});

test('nodejs22.x takes a file without extension first', async () => {
  const options = { code: 'extension-order', handler: 'bare.handler' };
  assert.equal(await result({ ...options, runtime: 'nodejs22.x' }), 'no extension');
});
