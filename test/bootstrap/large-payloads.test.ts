// Frames beyond the buffers, in both directions, and the memory they leave behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

const MIB = 1024 * 1024;

test('6 MiB go down and come back', async () => {
  await using peer = await BootstrapPeer.start({ code: 'echo' });
  const text = 'y'.repeat(6 * MIB);
  assert.equal(((await peer.result({ text })) as { text: string }).text, text);
});

test('results of every size around the buffer are whole, in characters of two bytes', async () => {
  await using peer = await BootstrapPeer.start({ code: 'results', handler: 'index.large' });
  for (const length of [
    0,
    1,
    10_900,
    10_921,
    10_923,
    21_800,
    32_700,
    32_745,
    32_760,
    65_536,
    MIB,
  ]) {
    assert.equal(await peer.result({ length }), 'é'.repeat(length), `length ${length}`);
  }
});

test('large and small events in one stream of bytes are told apart', async () => {
  await using peer = await BootstrapPeer.start({ code: 'results', handler: 'index.length' });
  const lengths = [10, 70_000, 3, 200_000];
  const ids = lengths.map((length) => peer.push({ text: 'z'.repeat(length) }));
  const answers = await Promise.all(ids.map((id) => peer.answer(id)));
  assert.deepEqual(
    answers.map(({ text }) => Number(text)),
    lengths,
  );
});
