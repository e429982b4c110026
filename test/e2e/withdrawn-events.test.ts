// Events that lie behind one that hangs are taken back and run elsewhere: none waits for it, none is lost, none runs twice.
import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { ownRoute, readLog } from '../support/read-log.ts';
import { type InvokeAnswer, startTestHost, type TestHost } from '../support/test-host.ts';
import { processesUnder } from '../support/traces.ts';
import { waitFor } from '../support/wait-for.ts';

/** Each run leaves a line; a hang takes no processor, with the event loop alive or blocked. */
const CODE = `const HANG_MS = 280_000;
const ways = {
  waits: () => new Promise((resolve) => setTimeout(resolve, HANG_MS)),
  blocks: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANG_MS),
};
export const handler = async ({ n, way }) => {
  console.log('ran', n);
  if (way !== undefined) await ways[way]();
  return n;
};`;

/** After an event that held up others it takes a hundred calm ones until any lies behind another again. */
const CALM = 400;
const CALLERS = 16;

/** The processes that have a function's code; those of generic slots are elsewhere. */
function environments(t: TestHost): readonly number[] {
  return processesUnder(t.dataDir)
    .map((line) => Number(line.split(' ')[1]))
    .filter((pid) => workingDirectory(pid).endsWith('/var/task'));
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''; // it has ended
    throw error;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** How often each event has left its line. */
async function runs(t: TestHost): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for (const line of await readLog(t, '/aws/lambda/f')) {
    const [, n] = /\tran (\d+)\n$/.exec(line) ?? [];
    if (n !== undefined) counts.set(Number(n), (counts.get(Number(n)) ?? 0) + 1);
  }
  return counts;
}

/** Every START has its END and its REPORT, whatever has been taken back. */
async function assertWholeLog(t: TestHost): Promise<void> {
  const lines = await readLog(t, '/aws/lambda/f');
  const count = (word: string) => lines.filter((line) => line.startsWith(word)).length;
  assert.equal(count('START '), count('END '));
  assert.equal(count('START '), count('REPORT '));
}

function errorType(answer: InvokeAnswer): string {
  return (answer.payload as { errorType: string }).errorType; // every error's form
}

for (const way of ['waits', 'blocks'] as const)
  test(`an event that ${way} for minutes holds up none of those that came with it`, async () => {
    await using t = await startTestHost();
    await t.deploy('f', { 'index.mjs': CODE }, { Timeout: 300 });
    let last = 0;
    const short = async () => {
      const n = (last += 1);
      assert.equal(await result(t, 'f', { n }), n);
    };
    const calm = () =>
      Promise.all(
        Array.from({ length: CALLERS }, async () => {
          for (let i = 0; i < CALM / CALLERS; i += 1) await short();
        }),
      );
    const hanging: Promise<InvokeAnswer>[] = [];
    for (let wave = 0; wave < 4; wave += 1) {
      await calm();
      const together = [short(), short()];
      hanging.push(t.invoke('f', { n: (last += 1), way }));
      for (let i = 0; i < 14; i += 1) together.push(short());
      // Had one of them stayed behind the hanging one, this would take until its timeout.
      await Promise.all(together);
    }
    for (const pid of environments(t)) kill(pid, 'SIGKILL');
    for (const answer of await Promise.all(hanging))
      assert.equal(errorType(answer), 'Runtime.ExitError');
    const counts = await runs(t);
    assert.equal(counts.size, last);
    for (const [n, count] of counts) assert.equal(count, 1, `event ${n}`);
    await assertWholeLog(t);
    assert.deepEqual(t.reports, []);
  });

test('environments that are killed in the midst lose the events that ran, and no other', async () => {
  await using t = await startTestHost();
  await t.deploy('f', { 'index.mjs': CODE });
  const events = 2_000;
  const killEvery = 150;
  let next = 0;
  let kills = 0;
  const failed = new Set<number>();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (next < events) {
        const n = (next += 1);
        const answer = await t.invoke('f', { n });
        if (answer.functionError === undefined) assert.equal(answer.payload, n);
        else {
          assert.equal(errorType(answer), 'Runtime.ExitError');
          failed.add(n);
        }
        if (n % killEvery !== 0) continue;
        const pids = environments(t);
        const pid = pids[n % pids.length];
        if (pid === undefined) continue;
        kill(pid, 'SIGKILL');
        kills += 1;
      }
    }),
  );
  assert.ok(kills > 5, `${kills} kills`);
  assert.ok(failed.size <= kills, `${failed.size} events failed of ${kills} kills`);
  const counts = await runs(t);
  for (let n = 1; n <= next; n += 1) {
    const count = counts.get(n) ?? 0;
    if (failed.has(n)) assert.ok(count <= 1, `event ${n} failed and ran ${count} times`);
    else assert.equal(count, 1, `event ${n}`);
  }
  await assertWholeLog(t);
  assert.deepEqual(t.reports, []);
});

test('an idle environment that is killed before it has read its event does not fail it', async () => {
  await using t = await startTestHost();
  await t.deploy('f', { 'index.mjs': CODE });
  assert.equal(await result(t, 'f', { n: 1 }), 1);
  const [pid, ...others] = environments(t);
  assert.ok(pid !== undefined && others.length === 0);
  kill(pid, 'SIGSTOP');
  const answer = result(t, 'f', { n: 2 });
  const isBusy = async () =>
    ((await (await ownRoute(t, '/_lambkin/health')).json()) as Health).environments.busy === 1;
  await waitFor('the event is with it', isBusy);
  kill(pid, 'SIGKILL');
  assert.equal(await answer, 2);
  assert.equal((await runs(t)).get(2), 1);
  await assertWholeLog(t);
});

/** The part of the health answer that is looked at. */
interface Health {
  readonly environments: { readonly busy: number };
}
