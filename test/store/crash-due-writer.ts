// Accepts work without end and settles it, noting each in a file once it is acknowledged. Meant to be killed.
// Arguments: data directory, file of acknowledgements, name that no other run has.
import { openSync, writeSync } from 'node:fs';
import { openStore } from '../../host/store/sqlite.ts';
import type { Due } from '../../host/store/store.ts';
import { done, item, want } from './conformance-due.ts';

const [dataDir, acknowledgements, run] = process.argv.slice(2);
if (dataDir === undefined || acknowledgements === undefined || run === undefined) {
  throw new Error('data directory, file of acknowledgements and name of the run, please');
}

const producers = 8;
const noted = openSync(acknowledgements, 'a');
const store = await openStore({ dataDir });
console.log('open');
await Promise.all([
  ...Array.from({ length: producers }, (_, n) => produce(store.due, `${run}-${n}`)),
  consume(store.due),
]);

/** One system call per line, so that what was noted before a kill has left the process. */
function acknowledge(line: string): void {
  writeSync(noted, `${line}\n`);
}

/** The payload of an item is its id, so many times that some lie on pages of their own. */
async function produce(due: Due, name: string): Promise<never> {
  for (let n = 1; ; n++) {
    const id = `${name}-${n}`;
    await due.accept([item(id, { payload: Buffer.from(id.repeat(n % 500)) })]);
    acknowledge(`accepted ${id}`);
  }
}

/** Every second item is put again once before it is done; what is done is followed by a delivery of the same id. */
async function consume(due: Due): Promise<never> {
  for (let nowMs = 0; ; nowMs++) {
    const claimed = await due.claim([want('lane', 5)], nowMs, Number.MAX_SAFE_INTEGER);
    const settlements = claimed.map((each, n) => {
      if (each.dueAtMs === 0 && n % 2 === 0)
        return { ...done(each), again: { dueAtMs: nowMs + 1, head: 'again' } };
      return { ...done(each), followedBy: [{ ...item(each.id, each), kind: 'delivery' }] };
    });
    await due.settle(settlements);
    for (const { item: settled, followedBy } of settlements)
      if (followedBy.length > 0) acknowledge(`settled ${settled.id}`);
  }
}
