// Answers that wait for the end of a turn keep all frames in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { HeldFrames } from '../../runtime/held-frames.ts';

const body = Buffer.alloc(0);

function open() {
  const delivered: string[] = [];
  const frames = new HeldFrames((kind) => delivered.push(kind));
  return {
    delivered,
    frames,
    take: (kind: string, mustWait: boolean) => frames.take([kind, body, false], mustWait),
  };
}

test('a frame that need not wait is delivered at once', () => {
  const { delivered, take } = open();
  take('L', false);
  take('O', false);
  assert.deepEqual(delivered, ['L', 'O']);
});

test('one that waits holds up those behind it, in order, for one turn', async () => {
  const { delivered, take } = open();
  take('L', false);
  take('O', true);
  take('R', false);
  assert.deepEqual(delivered, ['L']);
  await turn();
  assert.deepEqual(delivered, ['L', 'O', 'R']);
  take('L', false);
  assert.deepEqual(delivered, ['L', 'O', 'R', 'L']);
});

test('flush delivers now, and nothing twice', async () => {
  const { delivered, frames, take } = open();
  take('E', true);
  frames.flush();
  assert.deepEqual(delivered, ['E']);
  await turn();
  frames.flush();
  assert.deepEqual(delivered, ['E']);
});
