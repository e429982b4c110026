// Up to four events in the socket: strictly one at a time, each with its own deadline from its own start, none once withdrawn.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
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

test('withdrawn events do not begin, those behind them do', async () => {
  await using peer = await BootstrapPeer.start({ code: 'timers', handler: 'index.arm' });
  peer.withdraw(2);
  const ids = [undefined, 1, 2, 3].map((number) => peer.push({ ms: 0 }, { number }));
  await peer.answer(ids[3] ?? '');
  assert.deepEqual(
    peer.frames.flatMap((frame) => ('id' in frame ? [[frame.kind, frame.id]] : [])),
    ['O', 'N', 'N', 'O'].map((kind, at) => [kind, ids[at]]),
  );
});

test('events that are withdrawn while one runs do not begin after it', async () => {
  await using peer = await BootstrapPeer.start({ code: 'timers', handler: 'index.waitForFile' });
  const running = peer.push({ file: `${peer.tmpDir}/go` });
  const behind = [2 ** 32 + 1, 2 ** 32 + 2].map((number) => peer.push({}, { number }));
  await peer.next('L'); // it runs
  peer.withdraw(2 ** 32 + 2);
  await writeFile(`${peer.tmpDir}/go`, '');
  await peer.answer(running);
  await peer.until((frame) => frame.kind === 'N' && frame.id === behind[1], 'both reports');
  assert.equal(await peer.result({}), 2);
});
