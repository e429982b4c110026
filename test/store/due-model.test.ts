// Work that waits against a model of it in memory: any operations, several of them within one commit, claims that were lost,
// stores that were closed or killed. LAMBKIN_TEST_RUNS sets how many sequences, LAMBKIN_TEST_SEED repeats a run.
import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { openStore, type SqliteStore } from '../../host/store/sqlite.ts';
import type { ClaimedItem, Due, DueItem, Settlement } from '../../host/store/store.ts';
import { MemoryDue } from '../support/memory-due.ts';
import { temporaryFolder } from './place.ts';

const numRuns = Number(process.env['LAMBKIN_TEST_RUNS'] ?? 40);
const seed = Number(process.env['LAMBKIN_TEST_SEED'] ?? Date.now());

const kinds = ['event', 'delivery'];
const lanes = ['a', 'b', 'ü'];

type Operation =
  | { readonly do: 'accept'; readonly items: readonly DueItem[] }
  | {
      readonly do: 'claim';
      readonly wants: Wants;
      readonly nowMs: number;
      readonly maxBytes: number;
    }
  | { readonly do: 'settle'; readonly picks: readonly Pick[] }
  | { readonly do: 'replace'; readonly names: readonly Name[]; readonly items: readonly DueItem[] }
  | { readonly do: 'purge'; readonly kind: string; readonly lane: string; readonly limit: number };

type Step = readonly Operation[] | 'close' | 'kill';
type Wants = Parameters<Due['claim']>[0];
type Name = { readonly kind: string; readonly id: string };

/** One of the claims so far, lost ones included, and what becomes of it. */
interface Pick {
  readonly claim: number;
  readonly again: Settlement['again'];
  readonly followedBy: readonly DueItem[];
}

/** A claim as the store gave it and as the model did. */
interface BothClaims {
  readonly stored: ClaimedItem;
  readonly modelled: ClaimedItem;
}

const kind = fc.constantFrom(...kinds);
const lane = fc.constantFrom(...lanes);
const id = fc.integer({ min: 0, max: 12 }).map((n) => `id-${n}`);
const time = fc.integer({ min: 0, max: 6 });
const name = fc.record({ kind, id });
const item: fc.Arbitrary<DueItem> = fc.record({
  kind,
  id,
  lane,
  dueAtMs: time,
  acceptedAtMs: time,
  head: fc.jsonValue({ maxDepth: 1 }).map((value): unknown => JSON.parse(JSON.stringify(value))),
  payload: fc
    .tuple(fc.constantFrom(0, 3, 100, 5_000, 20_000), fc.integer({ min: 0, max: 255 }))
    .map(([size, byte]) => new Uint8Array(size).fill(byte)),
});
const items = fc.array(item, { maxLength: 3 });
const again = fc.option(fc.record({ dueAtMs: time, head: fc.integer() }), { nil: undefined });
const pick = fc.record({ claim: fc.nat(), again, followedBy: fc.array(item, { maxLength: 1 }) });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('accept'), items }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('claim'),
      wants: fc.array(fc.record({ kind, lane, count: fc.integer({ min: 0, max: 3 }) }), {
        maxLength: 3,
      }),
      nowMs: time,
      maxBytes: fc.constantFrom(0, 150, 6_000, 100_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('settle'), picks: fc.array(pick, { maxLength: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('replace'),
      names: fc.uniqueArray(name, { maxLength: 2, selector: ({ kind, id }) => `${kind} ${id}` }),
      items,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('purge'),
      kind,
      lane,
      limit: fc.integer({ min: 0, max: 3 }),
    }),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.array(operation, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom('close', 'kill') },
);

test(`the store does what its model does, over ${numRuns} sequences (seed ${seed})`, async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
    async (steps) => {
      await using both = await openBoth();
      for (const each of steps) {
        if (each === 'close') await both.close();
        else if (each === 'kill') await both.kill();
        else await both.apply(each);
        await both.compare();
      }
    },
  );
  // A failure is made smaller no longer than this.
  const interruptAfterTimeLimit = 60_000 + numRuns * 1_000;
  await fc.assert(property, {
    numRuns,
    seed,
    interruptAfterTimeLimit,
    markInterruptAsFailure: true,
  });
});

async function openBoth(): Promise<Both> {
  const folder = await temporaryFolder();
  return new Both(folder, await openStore({ dataDir: join(folder.path, 'data-0') }));
}

class Both implements AsyncDisposable {
  readonly #folder: AsyncDisposable & { readonly path: string };
  readonly #model = new MemoryDue();
  readonly #claims: BothClaims[] = [];
  #store: SqliteStore;
  #kills = 0;

  constructor(folder: AsyncDisposable & { readonly path: string }, store: SqliteStore) {
    this.#folder = folder;
    this.#store = store;
  }

  /** All within one turn, so within one commit. */
  async apply(operations: readonly Operation[]): Promise<void> {
    const claims = [...this.#claims];
    const store = perform(operations, this.#store.due, (n) => claims[n % claims.length]?.stored);
    const model = perform(operations, this.#model, (n) => claims[n % claims.length]?.modelled);
    const stored = await Promise.all(store);
    const modelled = await Promise.all(model);
    assert.deepEqual(stored.map(comparable), modelled.map(comparable));
    stored.forEach((result, n) => this.#remember(result, modelled[n]));
  }

  async close(): Promise<void> {
    const { directory } = this.#store;
    await this.#store[Symbol.asyncDispose]();
    await this.#reopen(directory.path);
  }

  /** What a killed process leaves is what its files hold: a copy of them, taken while it lives. */
  async kill(): Promise<void> {
    const from = join(this.#store.directory.folders.db, 'lambkin.db');
    const dataDir = join(this.#folder.path, `data-${++this.#kills}`);
    const to = join(dataDir, 'db', 'lambkin.db');
    await mkdir(dirname(to), { recursive: true });
    for (const end of ['', '-wal']) await copyFile(from + end, to + end);
    await this.#store[Symbol.asyncDispose]();
    await this.#reopen(dataDir);
  }

  async compare(): Promise<void> {
    for (const each of kinds) {
      assert.deepEqual(
        await contentsOf(this.#store.due, each),
        await contentsOf(this.#model, each),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #reopen(dataDir: string): Promise<void> {
    this.#store = await openStore({ dataDir });
    this.#model.reopen();
  }

  #remember(stored: Result | undefined, modelled: Result | undefined): void {
    if (stored?.what !== 'claimed' || modelled?.what !== 'claimed') return;
    stored.items.forEach((claimed, n) => {
      const other = modelled.items[n];
      if (other !== undefined) this.#claims.push({ stored: claimed, modelled: other });
    });
  }
}

type Result =
  | { readonly what: 'claimed'; readonly items: readonly ClaimedItem[] }
  | { readonly what: 'done'; readonly output: unknown }
  | { readonly what: 'refused'; readonly reason: unknown };

function perform(
  operations: readonly Operation[],
  due: Due,
  claimAt: (n: number) => ClaimedItem | undefined,
): readonly Promise<Result>[] {
  return operations.map((operation) =>
    performOne(operation, due, claimAt).catch((error: unknown): Result => {
      const isRefusal = error instanceof Error && 'reason' in error;
      if (!isRefusal) throw error;
      return { what: 'refused', reason: error.reason };
    }),
  );
}

async function performOne(
  operation: Operation,
  due: Due,
  claimAt: (n: number) => ClaimedItem | undefined,
): Promise<Result> {
  switch (operation.do) {
    case 'accept':
      return { what: 'done', output: await due.accept(operation.items) };
    case 'claim':
      return {
        what: 'claimed',
        items: await due.claim(operation.wants, operation.nowMs, operation.maxBytes),
      };
    case 'settle':
      return { what: 'done', output: await due.settle(settlementsOf(operation.picks, claimAt)) };
    case 'replace':
      return { what: 'done', output: await due.replace(operation.names, operation.items) };
    case 'purge':
      return {
        what: 'done',
        output: await due.purge(operation.kind, operation.lane, operation.limit),
      };
    default:
      return operation satisfies never;
  }
}

function settlementsOf(
  picks: readonly Pick[],
  claimAt: (n: number) => ClaimedItem | undefined,
): Settlement[] {
  return picks.flatMap(({ claim, ...rest }) => {
    const claimed = claimAt(claim);
    return claimed === undefined ? [] : [{ item: claimed, ...rest }];
  });
}

/** Fences are each side's own. */
function comparable(result: Result): unknown {
  if (result.what !== 'claimed') return result;
  return result.items.map((item) => ({ ...item, fence: 0 }));
}

async function contentsOf(due: Due, kind: string): Promise<unknown> {
  const listed = await due.list(kind, undefined, undefined, 1_000);
  const perLane = lanes.map((each) => due.list(kind, each, 'id-1', 3));
  return {
    listed,
    perLane: await Promise.all(perLane),
    items: await Promise.all(listed.map((each) => due.get(kind, each.id))),
    lanes: await due.lanes(kind),
    next: await due.nextDue(lanes.map((each) => ({ kind, lane: each }))),
  };
}
