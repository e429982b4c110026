// How long an init for a snapshot and a restore may take, and what their ends are to the call that waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InitOutcome } from '../../runtime/environment/init-outcome.ts';
import type { EnvironmentSpec } from '../../runtime/invocation.ts';
import { RestoreError, restore, takeSnapshot } from '../../runtime/pool/snap-start.ts';

const READY: InitOutcome = { kind: 'ready', durationMs: 7 };
const FAILED: InitOutcome = { kind: 'failed', errorType: 'E', payload: new Uint8Array() };

/** An environment on paper, whose phases end so. */
function environment(init: InitOutcome, restored: InitOutcome, timeoutMs = 3_000) {
  const calls: unknown[] = [];
  return {
    calls,
    spec: { timeoutMs } as EnvironmentSpec, // nothing else of it matters here
    init: (phase: string, limitMs: number) => {
      calls.push(['init', phase, limitMs]);
      return Promise.resolve(init);
    },
    restore: (limitMs: number, spentMs: number) => {
      calls.push(['restore', limitMs, spentMs]);
      return Promise.resolve(restored);
    },
  };
}

test('an init may take as long as the function, at least 130 s and at most 900 s', async () => {
  for (const [timeoutMs, limitMs] of [
    [3_000, 130_000],
    [300_000, 300_000],
    [900_000, 900_000],
  ] as const) {
    const one = environment(READY, READY, timeoutMs);
    await takeSnapshot(one);
    assert.deepEqual(one.calls[0], ['init', 'init', limitMs]);
  }
});

test('hooks after a restore have 10 s, and the init before them counts into what is reported', async () => {
  const one = environment(READY, READY);
  await restore(one);
  assert.deepEqual(one.calls, [
    ['init', 'restore', 130_000],
    ['restore', 10_000, 7],
  ]);
});

test('a restore that does not succeed is the error of the call', async () => {
  const cases = [
    [READY, FAILED, 'failed'],
    [READY, { kind: 'timedOut' }, 'timedOut'],
    [FAILED, READY, 'failed'],
    [{ kind: 'timedOut' }, READY, 'timedOut'],
  ] as const;
  for (const [init, restored, kind] of cases)
    await assert.rejects(
      restore(environment(init, restored)),
      (error) => error instanceof RestoreError && error.kind === kind,
    );
});

test('what the init of a snapshot came to is told, and nothing is restored after one that failed', async () => {
  const one = environment(FAILED, READY);
  assert.equal(await takeSnapshot(one), FAILED);
  assert.equal(one.calls.length, 1);
  // Calls will hear of it themselves.
  assert.equal(await takeSnapshot(environment(READY, FAILED)), READY);
});
