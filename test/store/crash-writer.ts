// Writes units of work and blobs without end, noting each in a file once it is acknowledged. Meant to be killed.
// Arguments: data directory, file of acknowledgements, seed of its choices.
import { openSync, writeSync } from 'node:fs';
import { openStore } from '../../host/store/sqlite.ts';
import type { Registry, RegistryChange, Store } from '../../host/store/store.ts';
import { create, remove } from './conformance-registry.ts';
import { randomFrom } from './random.ts';

const [dataDir, acknowledgements, seed] = process.argv.slice(2);
if (dataDir === undefined || acknowledgements === undefined || seed === undefined) {
  throw new Error('data directory, file of acknowledgements and seed, please');
}

const writers = 6;
const noted = openSync(acknowledgements, 'a');
const store = await openStore({ dataDir });
console.log('open');
await Promise.all([
  ...Array.from({ length: writers }, (_, writer) => writeUnits(store.registry, `w${writer}`)),
  writeBlobs(store),
]);

/** One system call per line, so that what was noted before a kill has left the process. */
function acknowledge(line: string): void {
  writeSync(noted, `${line}\n`);
}

/**
 * Unit n stores records `<writer>-<n>-a` and `-b`, sets the writer's counter to n and deletes both records of unit n - 10.
 * Goes on from the counter that an earlier run left.
 */
async function writeUnits(registry: Registry, writer: string): Promise<never> {
  const random = randomFrom(`${seed}-${writer}`);
  let counter = await registry.get('counter', writer);
  for (;;) {
    const n = Number(counter?.value ?? 0) + 1;
    const filler = 'x'.repeat(Math.floor(random() * 3_000));
    const changes: RegistryChange[] = [
      { kind: 'counter', key: writer, expected: counter?.revision, value: n },
      create('pair', `${writer}-${n}-a`, filler),
      create('pair', `${writer}-${n}-b`, filler),
    ];
    for (const half of ['a', 'b']) {
      const old = await registry.get('pair', `${writer}-${n - 10}-${half}`);
      if (old !== undefined) changes.push(remove('pair', old.key, old.revision));
    }
    [counter] = await registry.put(changes);
    acknowledge(`unit ${writer} ${n}`);
  }
}

async function writeBlobs({ blobs }: Store): Promise<never> {
  const random = randomFrom(`${seed}-blobs`);
  for (;;) {
    const content = Buffer.alloc(Math.floor(random() * 100_000), String(random()));
    const { sha256 } = await blobs.put(content);
    acknowledge(`blob ${sha256} ${content.length}`);
  }
}
