// An environment that ends gives back what it had not begun: others behind a crash are answered as if nothing had been.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

const CODE = `import { appendFileSync } from 'node:fs';
export const handler = async ({ way, n }) => {
  if (way === 'exit') process.exit(1);
  if (way === 'loop') for (;;);
  return n;
};`;

/** Enough short events that several may lie in one environment's socket. */
const WARM_UP = 400;

for (const [way, errorType] of [
  ['exit', 'Runtime.ExitError'],
  ['loop', 'Sandbox.Timedout'],
] as const)
  test(`among hundreds of short events only those that ${way} fail`, async () => {
    await using t = await startTestHost();
    await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 1 });
    let next = 0;
    const failed: unknown[] = [];
    async function caller(mayFail: boolean, count: number): Promise<void> {
      for (let i = 0; i < count; i += 1) {
        const n = (next += 1);
        if (!mayFail || n % 60 !== 0) assert.equal(await result(t, 'f', { n }), n);
        else failed.push((await t.invoke('f', { way })).payload);
      }
    }
    await Promise.all(Array.from({ length: 16 }, () => caller(false, WARM_UP / 16)));
    await Promise.all(Array.from({ length: 16 }, () => caller(true, WARM_UP / 16)));
    assert.ok(failed.length >= 6, `${failed.length} failures`);
    for (const payload of failed)
      assert.equal((payload as { errorType: string }).errorType, errorType);
    assert.deepEqual(t.reports, []);
  });
