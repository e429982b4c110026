// process.stdout and process.stderr: at once, in order, in pieces, and still streams.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

function start(handler: string) {
  return BootstrapPeer.start({ code: 'output', handler: `index.${handler}` });
}

test('4 MiB written in one call arrive before the answer, in pieces of at most 256 KiB', async () => {
  await using peer = await start('flood');
  const bytes = 4 * 1024 * 1024;
  assert.equal(await peer.result({ bytes }), 'written');
  const answerAt = peer.frames.findIndex(({ kind }) => kind === 'O');
  assert.equal(answerAt, peer.frames.length - 1);
  assert.equal(
    peer.logs.reduce((sum, frame) => sum + frame.bytes, 0),
    bytes,
  );
  assert.ok(peer.logs.every((frame) => frame.level === 0 && frame.bytes <= 256 * 1024));
  assert.equal(peer.logs.length, 16);
});

test('a host that does not read slows the function down and loses nothing', async () => {
  await using peer = await start('flood');
  peer.pause();
  const bytes = 3 * 1024 * 1024;
  const id = peer.push({ bytes });
  await sleep(200);
  assert.equal(
    peer.frames.some(({ kind }) => kind === 'O'),
    false,
  );
  peer.resume();
  await peer.answer(id);
  assert.equal(
    peer.logs.reduce((sum, frame) => sum + frame.bytes, 0),
    bytes,
  );
});

test('raw output and console events keep the order of their calls; nothing is added to raw output', async () => {
  await using peer = await start('mixed');
  await peer.invoke({});
  const [one, two, three, ...rest] = peer.logs;
  assert.deepEqual([one?.level, one?.text], [0, 'one']);
  assert.deepEqual([two?.level, two?.text.endsWith('\tINFO\ttwo\n')], [3, true]);
  assert.deepEqual([three?.level, three?.text], [0, 'three\n']);
  // console.table prints through console.log; what was corked comes as one.
  assert.match(rest[0]?.text ?? '', /│ a +│/);
  assert.deepEqual([rest[1]?.level, rest[1]?.text], [0, 'fourfive']);
});

test('the stream calls back, can be piped into, and survives destroy()', async () => {
  await using peer = await start('usable');
  assert.deepEqual(await peer.result({}), {
    called: 'called',
    isTTY: 'undefined',
    fds: [1, 2],
    same: true,
    instance: 'Writable',
  });
  assert.equal(peer.logs.map(({ text }) => text).join('|'), 'text|piped|again|still open');
  assert.equal(peer.output, '');
});

test('child processes and descriptors write past the frames; a child gets no descriptor of ours', async () => {
  await using peer = await start('children');
  const descriptors = (await peer.result({})) as string[];
  assert.deepEqual(peer.logs, []);
  while (!/descriptor 1/.test(peer.output)) await sleep(1);
  assert.match(peer.output, /^from the child$/m);
  assert.match(peer.output, /^and its stderr$/m);
  const sockets = descriptors.filter((line) => line.includes('socket:'));
  assert.deepEqual(
    sockets.map((line) => / (\d+) -> /.exec(line)?.[1]),
    ['0', '1', '2'],
  );
});
