// The end of an environment from the outside: the shutdown frame, and a host that is gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

const CLEAN = { code: 0, signal: null };

test('Q runs SIGTERM listeners with name and number, and what they start, then ends', async () => {
  await using peer = await BootstrapPeer.start({ code: 'shutdown', handler: 'listens.handler' });
  assert.equal(await peer.result({}), 'ok');
  peer.send('Q');
  assert.deepEqual(await peer.ended(), CLEAN);
  const texts = peer.logs.map(({ text }) => text.split('\t').at(-1));
  assert.deepEqual(texts, ['last words SIGTERM 15\n', 'and later ones\n']);
});

test('Q without a listener ends at once', async () => {
  await using peer = await BootstrapPeer.start({ code: 'echo' });
  peer.send('Q');
  assert.deepEqual(await peer.ended(), CLEAN);
});

test('a listener that throws is an uncaught exception with nobody to answer', async () => {
  await using peer = await BootstrapPeer.start({ code: 'shutdown', handler: 'throws.handler' });
  peer.send('Q');
  assert.deepEqual(await peer.ended(), { code: 129, signal: null });
  assert.match(peer.logs[0]?.text ?? '', /Uncaught Exception/);
});

test('a slot that was never specialised ends on Q', async () => {
  await using peer = await BootstrapPeer.spawn({ code: 'echo' });
  peer.send('Q');
  assert.deepEqual(await peer.ended(), CLEAN);
});

test('a host that hangs up ends a waiting slot and a waiting environment', async () => {
  await using slot = await BootstrapPeer.spawn({ code: 'echo' });
  slot.hangUp();
  assert.deepEqual(await slot.exit, CLEAN);
  await using environment = await BootstrapPeer.start({ code: 'echo' });
  await environment.result({});
  environment.hangUp();
  assert.deepEqual(await environment.exit, CLEAN);
});

test('a host that hangs up during an invocation ends it at its answer', async () => {
  await using peer = await BootstrapPeer.start({ code: 'timers', handler: 'index.sleepFor' });
  peer.push({ ms: 50 });
  peer.hangUp();
  assert.deepEqual(await peer.exit, CLEAN);
});
