// How many clones lie ready, as the clock and the demand go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { CloneStock } from '../../host/code/clone-stock.ts';

function stockOf({ batch = 8, failing = (): boolean => false } = {}) {
  const state = { nowMs: 0, made: 0, calls: 0, discarded: [] as string[], faults: 0 };
  const stock = new CloneStock({
    make: async (count) => {
      await setImmediate();
      if (failing()) throw new Error('no space');
      state.calls += 1;
      return Array.from({ length: count }, () => `clone-${(state.made += 1)}`);
    },
    discard: (clones) => state.discarded.push(...clones),
    onFault: () => (state.faults += 1),
    clock: { monotonicMs: () => state.nowMs, epochMs: () => state.nowMs },
    batch,
  });
  return { stock, state };
}

/** A clone of a stock that is open. */
function take(stock: CloneStock): Promise<string> {
  const taken = stock.take();
  assert(taken !== undefined, 'the stock is open');
  return taken;
}

/** Lets the filling come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
}

test('two clones lie ready, and one is made for each one taken', async () => {
  const { stock, state } = stockOf();
  stock.fill();
  await settle();
  assert.equal(state.made, 2);
  for (let taken = 1; taken <= 5; taken += 1) {
    assert.equal(await take(stock), `clone-${taken}`);
    await settle();
    assert.equal(state.made, 2 + taken);
  }
});

test('a burst raises what lies ready up to 16, and a quiet minute lowers it again', async () => {
  const { stock, state } = stockOf();
  const taken = await Promise.all(Array.from({ length: 40 }, () => take(stock)));
  assert.equal(new Set(taken).size, 40);
  await settle();
  assert.equal(state.made, 40 + 16);
  state.nowMs = 60_001;
  for (let k = 0; k < 14; k += 1) await take(stock);
  await settle();
  assert.equal(state.made, 40 + 16);
  await take(stock);
  await settle();
  assert.equal(state.made, 40 + 16 + 1);
});

test('large clones are made one at a time, so that nobody waits for another one', async () => {
  const { stock, state } = stockOf({ batch: 1 });
  const first = take(stock);
  const second = take(stock);
  assert.equal(await first, 'clone-1');
  assert.equal(state.calls, 1);
  assert.equal(await second, 'clone-2');
});

test('a failure reaches those who wait, or the log when nobody does, and is not for ever', async () => {
  let full = true;
  const { stock, state } = stockOf({ failing: () => full });
  stock.fill();
  await settle();
  assert.equal(state.faults, 1);
  const waiting = [take(stock), take(stock)];
  for (const one of waiting) await assert.rejects(async () => one, /no space/);
  assert.equal(state.faults, 1);
  full = false;
  assert.equal(await take(stock), 'clone-1');
});

test('a stock that closes serves whoever waits and gives back the rest', async () => {
  const { stock, state } = stockOf();
  stock.fill();
  await settle();
  const taken = [take(stock), take(stock), take(stock)];
  const closing = stock.close();
  assert.equal(stock.take(), undefined);
  assert.deepEqual(await Promise.all(taken), ['clone-1', 'clone-2', 'clone-3']);
  await closing;
  const rest = Array.from({ length: state.made - 3 }, (_, k) => `clone-${k + 4}`);
  assert.deepEqual(state.discarded, rest);
});
