// A process that accepts and settles work is killed at random instants: what it had acknowledged holds afterwards, and every
// item is there exactly once, as what it was or as what followed it. See crash.test.ts for the variables and the limits.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ifPresent } from '../../host/store/files.ts';
import { openStore } from '../../host/store/sqlite.ts';
import type { Due } from '../../host/store/store.ts';
import { want } from './conformance-due.ts';
import { Program, temporaryFolder } from './place.ts';
import { randomFrom } from './random.ts';

const kills = Number(process.env['LAMBKIN_TEST_KILLS'] ?? 6);
const seed = process.env['LAMBKIN_TEST_SEED'] ?? String(Date.now());
const longestLifeMs = 300;

test(`no work that was acknowledged is lost over ${kills} kills (seed ${seed})`, async () => {
  await using folder = await temporaryFolder();
  const random = randomFrom(seed);
  const dataDir = join(folder.path, 'data');
  const accepted = new Set<string>();
  const settled = new Set<string>();

  for (let kill = 0; kill < kills; kill++) {
    const notes = join(folder.path, `acknowledged-${kill}`);
    await runUntilKilled([dataDir, notes, `run${kill}`], random() * longestLifeMs);
    const text = (await ifPresent(readFile(notes, 'utf8'))) ?? '';
    for (const line of text.split('\n')) {
      const [what, id] = line.split(' ');
      if (id !== undefined) (what === 'settled' ? settled : accepted).add(id);
    }

    await using store = await openStore({ dataDir });
    const events = await readAll(store.due, 'event');
    const deliveries = await readAll(store.due, 'delivery');
    assert.deepEqual(events.intersection(deliveries), new Set(), 'both before and after');
    assert.deepEqual(accepted.difference(events.union(deliveries)), new Set(), 'lost');
    assert.deepEqual(settled.difference(deliveries), new Set(), 'settled, and yet not');
    const claimable = await store.due.claim([want('lane', events.size)], 2 ** 40, 2 ** 40);
    assert.deepEqual(new Set(claimable.map(({ id }) => id)), events, 'all can be claimed again');
  }
  assert.ok(accepted.size > 0 && settled.size > 0, 'nothing was acknowledged: this shows nothing');
});

async function runUntilKilled(args: readonly string[], lifeMs: number): Promise<void> {
  await using writer = new Program('crash-due-writer.ts', args);
  assert.equal(await writer.line(), 'open');
  const timer = setTimeout(() => writer.child.kill('SIGKILL'), lifeMs);
  const exit = await writer.exited;
  clearTimeout(timer);
  assert.deepEqual(exit, [null, 'SIGKILL'], 'the writer ended before it was killed');
}

/** The ids of a kind, after a look at every payload. */
async function readAll(due: Due, kind: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let after: string | undefined; ; ) {
    const page = await due.list(kind, undefined, after, 1_000);
    const items = await Promise.all(page.map(({ id }) => due.get(kind, id)));
    for (const item of items) {
      assert.ok(item !== undefined);
      const n = Number(item.id.split('-').at(-1));
      assert.ok(Buffer.from(item.payload).equals(Buffer.from(item.id.repeat(n % 500))), item.id);
      ids.add(item.id);
    }
    after = page.at(-1)?.id;
    if (after === undefined) return ids;
  }
}
