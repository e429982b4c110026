// Answers that wait for the end of a turn keep all messages in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { HeldMessages } from '../../runtime/environment/held-messages.ts';

function open() {
  const delivered: string[] = [];
  const messages = new HeldMessages((message) => {
    if (message.kind === 'notBegun') delivered.push(message.requestId);
  });
  return {
    delivered,
    messages,
    take: (name: string, mustWait: boolean) =>
      messages.take({ kind: 'notBegun', requestId: name }, mustWait),
  };
}

test('a message that need not wait is delivered at once', () => {
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
  const { delivered, messages, take } = open();
  take('E', true);
  messages.flush();
  assert.deepEqual(delivered, ['E']);
  await turn();
  messages.flush();
  assert.deepEqual(delivered, ['E']);
});
