// The registry's part of the conformance suite: compare-and-set, units that are stored whole or not, order of keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Registry, RegistryChange, RegistryRecord } from '../../host/store/store.ts';
import type { StorePlace } from './conformance.ts';

export function registryConformance(createPlace: () => Promise<StorePlace>): void {
  test('a record comes back as it was stored', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const value = { text: 'ünï\0code \ud800', list: [1, null, { deep: true }], empty: '' };
    const [stored] = await store.registry.put([create('function', 'a/b:c', value)]);
    assert.deepEqual(stored, { kind: 'function', key: 'a/b:c', revision: 1, value });
    assert.deepEqual(await store.registry.get('function', 'a/b:c'), stored);
    assert.equal(await store.registry.get('function', 'a/b'), undefined);
    assert.equal(await store.registry.get('alias', 'a/b:c'), undefined);
  });

  test('values are what JSON makes of them, null and false included', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    await registry.put([create('k', 'null', null), create('k', 'false', false)]);
    assert.equal((await registry.get('k', 'null'))?.value, null);
    assert.equal((await registry.get('k', 'false'))?.value, false);

    const [dated] = await registry.put([create('k', 'date', { at: new Date(0), gone: undefined })]);
    assert.deepEqual(dated?.value, { at: '1970-01-01T00:00:00.000Z' });

    await assert.rejects(registry.put([create('k', 'f', () => 1)]), TypeError);
    await assert.rejects(registry.put([create('k', 'big', 1n)]), TypeError);
    assert.equal(await registry.head(), 3);
  });

  test('a change is refused unless the record has the expected revision', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    const conflict = { name: 'RevisionConflict', kind: 'k', key: 'a' };

    await assert.rejects(registry.put([replace('k', 'a', 1, 'new')]), conflict);
    await registry.put([create('k', 'a', 'one')]);
    await assert.rejects(registry.put([create('k', 'a', 'two')]), conflict);
    await registry.put([replace('k', 'a', 1, 'two')]);
    await assert.rejects(registry.put([replace('k', 'a', 1, 'three')]), conflict);
    await assert.rejects(registry.put([remove('k', 'a', 1)]), conflict);
    await registry.put([remove('k', 'a', 2)]);
    await assert.rejects(registry.put([replace('k', 'a', 3, 'four')]), conflict);
    await assert.rejects(registry.put([remove('k', 'a', 3)]), conflict);
    const [again] = await registry.put([create('k', 'a', 'five')]);
    assert.equal(again?.revision, 4);
    assert.equal(await registry.head(), 4);
  });

  test('revisions rise over all kinds, deletions included, also after the store was closed', async () => {
    await using place = await createPlace();
    {
      await using store = await place.open();
      assert.equal(await store.registry.head(), 0);
      const stored = await store.registry.put([create('x', 'a', 1), create('y', 'b', 2)]);
      assert.deepEqual(revisions(stored), [1, 2]);
      const rest = await store.registry.put([remove('y', 'b', 2), replace('x', 'a', 1, 3)]);
      assert.deepEqual(revisions(rest), [4], 'deletions are left out of the answer');
      await store.registry.put([remove('x', 'a', 4)]);
      assert.equal(await store.registry.head(), 5);
    }
    await using store = await place.open();
    assert.equal(await store.registry.head(), 5);
    assert.deepEqual(revisions(await store.registry.put([create('x', 'a', 1)])), [6]);
  });

  test('a unit is stored whole or not at all', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    await registry.put([create('k', 'a', 1), create('k', 'b', 1)]);
    const unit = [replace('k', 'a', 1, 2), create('k', 'c', 1), replace('k', 'b', 99, 2)];
    await assert.rejects(registry.put(unit), { name: 'RevisionConflict', key: 'b' });
    assert.deepEqual(await valuesOf(registry, 'k'), { a: 1, b: 1 });
    assert.equal(await registry.head(), 2);
  });

  test('an empty unit changes nothing, and a deletion that expects nothing only checks', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    assert.deepEqual(await registry.put([]), []);
    assert.deepEqual(revisions(await registry.put([absent('k', 'a'), create('k', 'b', 1)])), [1]);
    await assert.rejects(registry.put([absent('k', 'b'), create('k', 'c', 1)]), {
      name: 'RevisionConflict',
      key: 'b',
    });
    assert.deepEqual(await valuesOf(registry, 'k'), { b: 1 });
  });

  test('a unit that names a record twice, or with broken Unicode, is refused', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    await assert.rejects(registry.put([create('k', 'a', 1), replace('k', 'a', 1, 2)]), TypeError);
    await assert.rejects(registry.put([create('k', 'a\ud800', 1)]), TypeError);
    await assert.rejects(registry.get('k', '\udfff'), TypeError);
    await registry.put([create('a', 'bc', 1), create('ab', 'c', 1)]);
    assert.equal(await registry.head(), 2);
  });

  test('a list holds one kind, ordered by the bytes of its keys', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    // By UTF-16 units U+FFFD would come after U+1F600, by a locale's rules 'B' after 'a'.
    const keys = ['', 'B', 'a', 'a b', 'a:1', 'a:10', 'a:2', 'aa', 'é', '\ufffd', '\u{1f600}'];
    await registry.put(keys.toReversed().map((key) => create('k', key, key)));
    await registry.put([create('j', 'other', 1), create('kk', 'other', 1)]);
    const listed = await registry.list('k');
    assert.deepEqual(
      listed.map(({ key }) => key),
      keys,
    );
    assert.deepEqual(await registry.list('none'), []);
  });

  test('writers that race lose no update', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    await registry.put([create('k', 'counter', 0)]);
    const conflicts = await Promise.all(
      Array.from({ length: 16 }, () => increment(registry, 'counter', 10)),
    );
    assert.equal((await registry.get('k', 'counter'))?.value, 160);
    assert.equal(await registry.head(), 161);
    assert.ok(Math.max(...conflicts) > 0, 'no two writers ever met');
  });

  test('a conflict fails its own unit only, whatever is committed along with it', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { registry } = store;
    const units = Array.from({ length: 30 }, (_, n) =>
      registry.put([create('k', `first-${n}`, n), create('k', `shared-${n % 20}`, n)]),
    );
    const outcomes = await Promise.allSettled(units);
    const failed = outcomes.filter(({ status }) => status === 'rejected');
    assert.equal(failed.length, 10);
    assert.equal((await registry.list('k')).length, 40);
    assert.equal(await registry.head(), 40);
  });

  test('whatever the units, the registry is what a map would be', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(unitPlan, { minLength: 1, maxLength: 12 }), async (plan) => {
        await followPlan(store.registry, `run-${++run}`, plan);
      }),
      { numRuns: 60 },
    );
  });
}

/** Changes of up to four records; `stale` expects something that is not so. */
const unitPlan = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.option(fc.jsonValue(), { nil: undefined }),
    stale: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  }),
  { selector: ({ key }) => key, minLength: 1, maxLength: 4 },
);

type UnitPlan = typeof unitPlan extends fc.Arbitrary<infer T> ? T : never;

async function followPlan(registry: Registry, kind: string, plan: readonly UnitPlan[]) {
  const model = new Map<string, RegistryRecord>();
  for (const unit of plan) {
    const head = await registry.head();
    const changes = unit.map(({ key, value, stale }) => {
      const actual = model.get(key)?.revision;
      return { kind, key, expected: stale ? (actual ?? 0) + 1_000_000 : actual, value };
    });
    if (unit.some(({ stale }) => stale)) {
      await assert.rejects(registry.put(changes), { name: 'RevisionConflict' });
    } else {
      const records = applyToModel(model, changes, head);
      assert.deepEqual(await registry.put(changes), records);
    }
    assert.deepEqual(await registry.list(kind), sortedByKey(model));
  }
}

function applyToModel(
  model: Map<string, RegistryRecord>,
  changes: readonly RegistryChange[],
  head: number,
): readonly RegistryRecord[] {
  let revision = head;
  return changes.flatMap(({ kind, key, expected, value }) => {
    if (value !== undefined) {
      const parsed: unknown = JSON.parse(JSON.stringify(value)); // -0 becomes 0 on its way through JSON
      const record = { kind, key, revision: ++revision, value: parsed };
      model.set(key, record);
      return [record];
    }
    if (expected !== undefined) revision += 1;
    model.delete(key);
    return [];
  });
}

function sortedByKey(model: ReadonlyMap<string, RegistryRecord>): readonly RegistryRecord[] {
  return [...model.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Adds one `times` times; returns how often it had to try again. */
async function increment(registry: Registry, key: string, times: number): Promise<number> {
  let conflicts = 0;
  for (let done = 0; done < times; ) {
    const current = await registry.get('k', key);
    assert.ok(typeof current?.value === 'number');
    try {
      await registry.put([replace('k', key, current.revision, current.value + 1)]);
      done += 1;
    } catch (error) {
      assert.equal((error as Error).name, 'RevisionConflict'); // as: anything else fails here anyway
      conflicts += 1;
    }
  }
  return conflicts;
}

export function create(kind: string, key: string, value: unknown): RegistryChange {
  return { kind, key, expected: undefined, value };
}

export function replace(
  kind: string,
  key: string,
  expected: number,
  value: unknown,
): RegistryChange {
  return { kind, key, expected, value };
}

export function remove(kind: string, key: string, expected: number): RegistryChange {
  return { kind, key, expected, value: undefined };
}

function absent(kind: string, key: string): RegistryChange {
  return { kind, key, expected: undefined, value: undefined };
}

function revisions(records: readonly RegistryRecord[]): readonly number[] {
  return records.map(({ revision }) => revision);
}

async function valuesOf(registry: Registry, kind: string): Promise<Record<string, unknown>> {
  const records = await registry.list(kind);
  return Object.fromEntries(records.map(({ key, value }) => [key, value]));
}
