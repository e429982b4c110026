// A writer is killed at random instants; whatever it had acknowledged must be there afterwards, and every unit whole.
// LAMBKIN_TEST_KILLS sets how often, LAMBKIN_TEST_SEED repeats a run. SIGKILL keeps the kernel's page cache, so this shows
// that acknowledging comes after committing and that recovery is sound; it cannot show what a power cut leaves.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ifPresent } from '../../host/store/files.ts';
import { openStore } from '../../host/store/sqlite.ts';
import type { Store } from '../../host/store/store.ts';
import { Program, temporaryFolder } from './place.ts';
import { randomFrom } from './random.ts';

const kills = Number(process.env['LAMBKIN_TEST_KILLS'] ?? 10);
const seed = process.env['LAMBKIN_TEST_SEED'] ?? String(Date.now());
const longestLifeMs = 400;

test(`nothing acknowledged is lost over ${kills} kills (seed ${seed})`, async () => {
  await using folder = await temporaryFolder();
  const random = randomFrom(seed);
  const dataDir = join(folder.path, 'data');
  const acknowledged: Acknowledged = {
    counters: new Map<string, number>(),
    blobs: new Map<string, number>(),
  };
  let previousHead = 0;

  for (let kill = 0; kill < kills; kill++) {
    const notes = join(folder.path, `acknowledged-${kill}`);
    // Some kills hit the opening.
    const isEarly = kill % 3 === 2;
    await runUntilKilled([dataDir, notes, `${seed}-${kill}`], isEarly, random() * longestLifeMs);
    await readAcknowledged(notes, acknowledged);

    await using store = await openStore({ dataDir });
    await checkUnits(store, acknowledged.counters);
    await checkBlobs(store, acknowledged.blobs);
    const head = await store.registry.head();
    assert.ok(head >= previousHead, 'the revision never falls');
    previousHead = head;
  }
  assert.ok(
    acknowledged.counters.size > 0,
    'no unit was ever acknowledged: the test shows nothing',
  );
  assert.ok(acknowledged.blobs.size > 0, 'no blob was ever acknowledged: the test shows nothing');
});

/** Its life is counted from its start, or else from the moment it has opened the store. */
async function runUntilKilled(args: readonly string[], fromStart: boolean, lifeMs: number) {
  await using writer = new Program('crash-writer.ts', args);
  if (!fromStart) assert.equal(await writer.line(), 'open');
  const timer = setTimeout(() => writer.child.kill('SIGKILL'), lifeMs);
  const exit = await writer.exited;
  clearTimeout(timer);
  assert.deepEqual(exit, [null, 'SIGKILL'], 'the writer ended before it was killed');
}

interface Acknowledged {
  /** The last unit of each writer. */
  readonly counters: Map<string, number>;
  /** Size by digest. */
  readonly blobs: Map<string, number>;
}

async function readAcknowledged(file: string, { counters, blobs }: Acknowledged): Promise<void> {
  const text = await ifPresent(readFile(file, 'utf8'));
  for (const line of text?.split('\n') ?? []) {
    const [kind, name, figure] = line.split(' ');
    if (kind === 'unit') counters.set(String(name), Number(figure));
    if (kind === 'blob') blobs.set(String(name), Number(figure));
  }
}

async function checkUnits(store: Store, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const counters = await store.registry.list('counter');
  const expected: string[] = [];
  for (const { key: writer, value } of counters) {
    const last = Number(value);
    assert.ok(last >= (acknowledged.get(writer) ?? 0), `${writer} was acknowledged further`);
    for (let n = Math.max(1, last - 9); n <= last; n++) {
      expected.push(`${writer}-${n}-a`, `${writer}-${n}-b`);
    }
  }
  for (const writer of acknowledged.keys()) {
    assert.ok(
      counters.some(({ key }) => key === writer),
      `${writer} has lost its counter`,
    );
  }
  const pairs = await store.registry.list('pair');
  assert.deepEqual(
    pairs.map(({ key }) => key),
    expected.toSorted(),
  );
  const latest = [...counters, ...pairs].map(({ revision }) => revision);
  assert.equal(new Set(latest).size, latest.length, 'no two records share a revision');
}

async function checkBlobs(store: Store, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  for (const [sha256, sizeBytes] of acknowledged) {
    const path = await store.blobs.path(sha256);
    assert.ok(path !== undefined, `blob ${sha256} is gone`);
    const content = await readFile(path);
    assert.equal(content.length, sizeBytes);
    assert.equal(createHash('sha256').update(content).digest('hex'), sha256);
  }
}
