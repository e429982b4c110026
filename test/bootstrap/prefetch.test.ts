// Up to four events in the socket: strictly one at a time, each with its own deadline from its own start.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

test('four events run one after another and are answered in order', async () => {
  await using peer = await BootstrapPeer.start({ code: 'timers', handler: 'index.alone' });
  const ids = [1, 2, 3, 4].map(() => peer.push({ ms: 10 }));
  const answers = await Promise.all(ids.map((id) => peer.answer(id)));
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['1', '1', '1', '1'],
  );
  const order = peer.frames.flatMap((frame) => (frame.kind === 'O' ? [frame.id] : []));
  assert.deepEqual(order, ids);
});

test('deadline and duration count from when an event is taken up, not from when it arrived', async () => {
  await using peer = await BootstrapPeer.start({ code: 'context', handler: 'index.remaining' });
  const ids = [1, 2, 3].map(() => peer.push({ waitMs: 60 }, { remainingMs: 1000 }));
  for (const id of ids) {
    const { text, durationUs } = await peer.answer(id);
    assert.ok(durationUs >= 59_000 && durationUs < 110_000, `${durationUs}`);
    const [first] = JSON.parse(text) as number[];
    assert.ok(first !== undefined && first > 950 && first <= 1000, `${first}`);
  }
});

test('events behind one that ends the process are never started', async () => {
  await using peer = await BootstrapPeer.start({ code: 'faults', handler: 'index.exits' });
  for (const code of [5, 6, 7]) peer.push({ code });
  assert.deepEqual(await peer.ended(), { code: 5, signal: null });
  assert.deepEqual(
    peer.frames.map(({ kind }) => kind),
    ['U', 'R'],
  );
});

test('an error in between concerns its own event only', async () => {
  await using peer = await BootstrapPeer.start({ code: 'error-bodies', handler: 'index.handler' });
  const ids = ['error', 'text', 'error'].map((kind) => peer.push({ kind }));
  const answers = await Promise.all(ids.map((id) => peer.answer(id)));
  assert.deepEqual(
    answers.map((answer) => (answer.kind === 'E' ? answer.errorType : answer.kind)),
    ['TypeError', 'string', 'TypeError'],
  );
});
