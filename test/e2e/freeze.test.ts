// Between invocations nothing of the function runs: timers wait for the next one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

const CODE = `let fired = 0;
let firedAt = 0;
let beats = 0;
setInterval(() => { beats += 1; }, 10);
export const handler = async ({ arm, wait }) => {
  const now = Date.now();
  const seen = { beats, fired: fired, sinceFired: fired === 0 ? 0 : now - firedAt };
  if (arm) setTimeout(() => { fired += 1; firedAt = Date.now(); }, 20);
  if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
  return { ...seen, later: fired };
};`;

interface Seen {
  readonly beats: number;
  readonly fired: number;
  readonly later: number;
}

test('a timer does not fire between invocations; it fires in the next', async () => {
  await using t = await startTestHost();
  await t.deploy('f', { 'index.mjs': CODE });
  const invoke = async (event: object) => (await result(t, 'f', event)) as Seen; // as the fixture returns
  const first = await invoke({ arm: true });
  // The one place where time itself is the subject: 300 ms in which 30 beats would have been counted.
  await sleep(300);
  const second = await invoke({ wait: 30 });
  assert.ok(second.beats - first.beats <= 3, `${second.beats - first.beats} beats while frozen`);
  assert.equal(second.fired, 0);
  assert.equal(second.later, 1);
});
