// The part of the conformance suite on work that waits: order, lanes, fences, and units that are stored whole or not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClaimedItem, Due, DueItem } from '../../host/store/store.ts';

const everything = Number.MAX_SAFE_INTEGER;
const internal = { name: 'StoreError', reason: 'internal' };

/** Where something with work that waits can be opened, closed and opened again. */
export interface DuePlace extends AsyncDisposable {
  open(): Promise<AsyncDisposable & { readonly due: Due }>;
}

export function dueConformance(createPlace: () => Promise<DuePlace>): void {
  /** A test on an empty store. */
  function dueTest(name: string, work: (due: Due) => Promise<void>): void {
    test(name, async () => {
      await using place = await createPlace();
      await using store = await place.open();
      await work(store.due);
    });
  }

  dueTest('an item comes back as it was accepted, and claimed with a fence', async (due) => {
    const accepted = item('a', {
      lane: 'ünï',
      dueAtMs: 5,
      acceptedAtMs: 3,
      head: { text: 'ünï\0code \ud800', list: [1, null, { deep: true }] },
      payload: Uint8Array.from([0, 255, 128, 10]),
    });
    await due.accept([accepted]);
    assert.deepEqual(await due.get('event', 'a'), accepted);
    assert.equal(await due.get('event', 'b'), undefined);
    assert.equal(await due.get('delivery', 'a'), undefined);
    const [claimed, ...others] = await due.claim([want('ünï')], 5, everything);
    assert.ok(claimed !== undefined && others.length === 0);
    const { fence, ...rest } = claimed;
    assert.deepEqual(rest, accepted);
    assert.ok(Number.isSafeInteger(fence));
    assert.deepEqual(await due.get('event', 'a'), accepted, 'a claimed item is still there');
  });

  dueTest('payloads of any size and of shared buffers come back whole', async (due) => {
    const pooled = [Buffer.from('one'), Buffer.from('two'), Buffer.from('')];
    assert.equal(pooled[0]?.buffer, pooled[1]?.buffer, 'these two lie in one pool');
    const payloads = [...pooled, Buffer.alloc(1024 * 1024, 'ab'), new Uint8Array(70_000).fill(7)];
    await Promise.all(payloads.map((payload, n) => due.accept([item(`i${n}`, { payload })])));
    assert.equal(String(pooled[0]), 'one', 'what was given is left as it is');
    const claimed = await due.claim([want('lane', 10)], 0, everything);
    assert.deepEqual(
      claimed.map(({ payload }) => Buffer.from(payload)),
      payloads.map((payload) => Buffer.from(payload)),
    );
    for (const { payload } of claimed.slice(0, 2)) {
      assert.ok(payload.buffer.byteLength < 8_192, 'a small payload keeps no large buffer alive');
    }
    const huge = await due.get('event', 'i3');
    assert.ok(
      huge !== undefined && Buffer.from(huge.payload).equals(Buffer.alloc(1024 * 1024, 'ab')),
    );
  });

  dueTest('a head is JSON, times are whole milliseconds, texts well-formed', async (due) => {
    await due.accept([item('null', { head: null }), item('text', { head: 'x' })]);
    assert.equal((await due.get('event', 'null'))?.head, null);
    assert.equal((await due.get('event', 'text'))?.head, 'x');
    await assert.rejects(due.accept([item('a', { head: undefined })]), TypeError);
    await assert.rejects(due.accept([item('a', { head: 1n })]), TypeError);
    await assert.rejects(due.accept([item('a', { dueAtMs: 1.5 })]), RangeError);
    await assert.rejects(due.accept([item('a', { acceptedAtMs: Number.NaN })]), RangeError);
    await assert.rejects(due.accept([item('a\ud800')]), TypeError);
    await assert.rejects(due.accept([item('')]), TypeError);
    await assert.rejects(due.purge('event', 'lane', 0.5), RangeError);
    await assert.rejects(due.list('event', 'lane', undefined, -1), RangeError);
    await assert.rejects(due.claim([want('lane', -1)], 0, everything), RangeError);
    assert.equal((await due.list('event', undefined, undefined, 10)).length, 2);
  });

  dueTest('an id is accepted once in its kind, and a refused call stores nothing', async (due) => {
    await due.accept([item('a')]);
    await assert.rejects(due.accept([item('b'), item('a')]), internal);
    await assert.rejects(due.accept([item('c'), item('c')]), internal);
    assert.deepEqual(await ids(due), ['a']);
    await due.accept([item('a', { kind: 'delivery' })]);
    await due.accept([]);
    const [refused, stored] = await Promise.allSettled([
      due.accept([item('a')]),
      due.accept([item('d')]),
    ]);
    assert.equal(refused.status, 'rejected');
    assert.equal(stored.status, 'fulfilled');
    assert.deepEqual(await ids(due), ['a', 'd']);
  });

  dueTest('a lane gives what is due first first, then what was accepted first', async (due) => {
    await due.accept([
      item('late', { dueAtMs: 30 }),
      item('younger', { dueAtMs: 20, acceptedAtMs: 2 }),
      item('older', { dueAtMs: 20, acceptedAtMs: 1 }),
      item('same', { dueAtMs: 20, acceptedAtMs: 2 }),
      item('first', { dueAtMs: 10, acceptedAtMs: 9 }),
      item('future', { dueAtMs: 31 }),
    ]);
    assert.deepEqual(await claimIds(due, [want('lane', 10)], 9), []);
    assert.deepEqual(await claimIds(due, [want('lane', 2)], 30), ['first', 'older']);
    assert.deepEqual(await claimIds(due, [want('lane', 10)], 30), ['younger', 'same', 'late']);
    assert.deepEqual(await claimIds(due, [want('lane', 10)], 30), []);
    assert.deepEqual(await claimIds(due, [want('lane', 10)], 31), ['future']);
  });

  dueTest('lanes and kinds keep their items apart', async (due) => {
    await due.accept([
      ...['a1', 'a2', 'a3'].map((id) => item(id, { lane: 'a' })),
      item('b1', { lane: 'b' }),
      item('d1', { lane: 'a', kind: 'delivery' }),
    ]);
    const wants = [want('b', 5), want('a', 2), want('none', 5)];
    assert.deepEqual(await claimIds(due, wants, 0), ['b1', 'a1', 'a2']);
    assert.deepEqual(await claimIds(due, [want('a', 1), want('a', 1)], 0), ['a3']);
    assert.deepEqual(await claimIds(due, [{ ...want('a'), kind: 'delivery' }], 0), ['d1']);
    assert.deepEqual(await due.claim([], 0, everything), []);
    assert.deepEqual(await claimIds(due, [want('a', 0)], 0), []);
  });

  dueTest('a claim holds to its bytes, but is never empty when there is something', async (due) => {
    const sized = (id: string, lane: string, bytes: number) =>
      item(id, { lane, payload: new Uint8Array(bytes) });
    await due.accept([
      sized('a1', 'a', 100),
      sized('a2', 'a', 60),
      sized('a3', 'a', 60),
      sized('b1', 'b', 30),
    ]);
    const wants = [want('a', 5), want('b', 5)];
    assert.deepEqual(await claimIds(due, wants, 0, 50), ['a1'], 'the first is more than the bound');
    assert.deepEqual(await claimIds(due, wants, 0, 119), ['a2'], 'a third would be beyond it');
    assert.deepEqual(await claimIds(due, wants, 0, 90), ['a3', 'b1'], 'exactly the bound');
  });

  dueTest('a settled item is gone, or waits again with another time and head', async (due) => {
    await due.accept([item('a', { payload: Buffer.from('one') }), item('b')]);
    const [a, b] = await due.claim([want('lane', 2)], 0, everything);
    assert.ok(a !== undefined && b !== undefined);
    assert.deepEqual(
      await due.settle([again(a, { dueAtMs: 100, head: { attempt: 2 } }), done(b)]),
      [true, true],
    );
    assert.deepEqual(await ids(due), ['a']);
    assert.deepEqual(await claimIds(due, [want('lane', 2)], 99), []);
    const [second] = await due.claim([want('lane', 2)], 100, everything);
    assert.ok(second !== undefined && second.fence !== a.fence);
    assert.deepEqual(
      { ...second, payload: String(Buffer.from(second.payload)) },
      { ...a, dueAtMs: 100, head: { attempt: 2 }, payload: 'one', fence: second.fence },
    );
  });

  dueTest('a settlement whose claim was lost stores nothing, and the others go on', async (due) => {
    await due.accept([item('a'), item('b'), item('c')]);
    const [a, b] = await due.claim([want('lane', 2)], 0, everything);
    assert.ok(a !== undefined && b !== undefined);
    const settled = await due.settle([
      { ...done(a), followedBy: [item('a-next')] },
      { ...done(a), followedBy: [item('twice')] },
      { ...done({ ...b, fence: b.fence + 1 }), followedBy: [item('wrong fence')] },
      { ...done({ ...b, id: 'c' }), followedBy: [item('wrong id')] },
      { ...done({ ...b, kind: 'delivery' }), followedBy: [item('wrong kind')] },
      again(b, { dueAtMs: 7, head: {} }),
      { ...again(b, { dueAtMs: 8, head: {} }), followedBy: [item('again twice')] },
    ]);
    assert.deepEqual(settled, [true, false, false, false, false, true, false]);
    assert.deepEqual(await ids(due), ['a-next', 'b', 'c']);
    assert.equal((await due.get('event', 'b'))?.dueAtMs, 7);
    assert.deepEqual(await due.settle([]), []);
  });

  dueTest('what follows a settlement is stored with it or not at all', async (due) => {
    await due.accept([item('a'), item('taken', { kind: 'delivery' })]);
    const [a] = await due.claim([want('lane')], 0, everything);
    assert.ok(a !== undefined);
    const follow = (id: string) => item(id, { kind: 'delivery', lane: 'out' });
    const refused = { ...done(a), followedBy: [follow('new'), follow('taken')] };
    await assert.rejects(due.settle([refused]), internal);
    assert.deepEqual(await ids(due), ['a']);
    assert.deepEqual(await ids(due, 'delivery'), ['taken']);
    assert.deepEqual(await claimIds(due, [want('lane')], 0), [], 'it is still claimed');
    const settled = { ...done(a), followedBy: [follow('new'), item('a', { dueAtMs: 9 })] };
    assert.deepEqual(await due.settle([settled]), [true]);
    assert.deepEqual(await ids(due, 'delivery'), ['new', 'taken']);
    assert.equal((await due.get('event', 'a'))?.dueAtMs, 9, 'its own id is free again');
  });

  test('a store that is opened again has everything and no claims, and older fences are void', async () => {
    await using place = await createPlace();
    let before: ClaimedItem | undefined;
    {
      await using store = await place.open();
      await store.due.accept([item('a'), item('b'), item('c')]);
      before = (await store.due.claim([want('lane')], 0, everything))[0];
      assert.equal(before?.id, 'a');
    }
    const fences = [before.fence];
    for (let opening = 0; opening < 3; opening++) {
      await using store = await place.open();
      assert.deepEqual(await store.due.settle([done(before)]), [false]);
      const claimed = await store.due.claim([want('lane', 5)], 0, everything);
      assert.deepEqual(
        claimed.map(({ id }) => id),
        ['a', 'b', 'c'],
      );
      assert.deepEqual(await store.due.settle([done(before)]), [false]);
      fences.push(...claimed.map(({ fence }) => fence));
    }
    assert.equal(new Set(fences).size, 10, 'no fence was given twice');
  });

  dueTest(
    'lanes are summed up in the order of their bytes, claimed items included',
    async (due) => {
      await due.accept([
        item('1', { lane: 'z', dueAtMs: 9, acceptedAtMs: 4 }),
        item('2', { lane: 'z', dueAtMs: 8, acceptedAtMs: 5 }),
        item('3', { lane: '😀', dueAtMs: 1, acceptedAtMs: 1 }),
        item('4', { lane: '\uffee', dueAtMs: 2, acceptedAtMs: 2 }),
        item('5', { lane: 'other', kind: 'delivery' }),
      ]);
      const expected = [
        { lane: 'z', count: 2, nextDueAtMs: 8, oldestAcceptedAtMs: 4 },
        { lane: '\uffee', count: 1, nextDueAtMs: 2, oldestAcceptedAtMs: 2 },
        { lane: '😀', count: 1, nextDueAtMs: 1, oldestAcceptedAtMs: 1 },
      ];
      assert.deepEqual(await due.lanes('event'), expected);
      await due.claim([want('z')], 8, everything);
      assert.deepEqual(await due.lanes('event'), expected);
      assert.deepEqual(await due.lanes('none'), []);
    },
  );

  dueTest('the next due time of a lane is that of its first unclaimed item', async (due) => {
    await due.accept([item('1', { dueAtMs: 5 }), item('2', { dueAtMs: 8 })]);
    const lanes = [
      { kind: 'event', lane: 'none' },
      { kind: 'event', lane: 'lane' },
    ];
    assert.deepEqual(await due.nextDue(lanes), [undefined, 5]);
    const [first] = await due.claim([want('lane')], 5, everything);
    assert.ok(first !== undefined);
    assert.deepEqual(await due.nextDue(lanes), [undefined, 8]);
    await due.settle([again(first, { dueAtMs: 6, head: 1 })]);
    assert.deepEqual(await due.nextDue(lanes), [undefined, 6]);
    await due.claim([want('lane', 2)], 8, everything);
    assert.deepEqual(await due.nextDue(lanes), [undefined, undefined]);
  });

  dueTest('a list has pages in the order of ids, of one lane or of all', async (due) => {
    const names = Array.from({ length: 25 }, (_, n) => `id-${String(n).padStart(2, '0')}`);
    await due.accept(
      names
        .toReversed()
        .map((id, n) => item(id, { lane: n % 5 === 0 ? 'few' : 'many', payload: Buffer.alloc(n) })),
    );
    await due.claim([want('many', 3)], 0, everything);
    const page = async (lane: string | undefined, afterId: string | undefined, limit: number) =>
      (await due.list('event', lane, afterId, limit)).map(({ id }) => id);
    assert.deepEqual(await page(undefined, undefined, 100), names);
    assert.deepEqual(await page(undefined, 'id-04', 3), ['id-05', 'id-06', 'id-07']);
    assert.deepEqual(await page(undefined, 'id-045', 1), ['id-05']);
    assert.deepEqual(await page(undefined, 'id-24', 3), []);
    assert.deepEqual(await page('few', undefined, 2), ['id-04', 'id-09']);
    assert.deepEqual(await page('few', 'id-09', 9), ['id-14', 'id-19', 'id-24']);
    assert.deepEqual(await page('none', undefined, 9), []);
    assert.deepEqual(await due.list('event', undefined, 'id-23', 1), [
      {
        kind: 'event',
        id: 'id-24',
        lane: 'few',
        dueAtMs: 0,
        acceptedAtMs: 0,
        head: { of: 'id-24' },
        payloadBytes: 0,
      },
    ]);
  });

  dueTest('unclaimed items are replaced together or not at all', async (due) => {
    await due.accept([item('a'), item('b'), item('c', { dueAtMs: 1 })]);
    assert.equal(await due.replace([{ kind: 'event', id: 'missing' }], [item('x')]), false);
    const both = ['a', 'b'].map((id) => ({ kind: 'event', id }));
    const [a] = await due.claim([want('lane')], 0, everything);
    assert.equal(await due.replace(both, [item('x')]), false, 'one is claimed');
    assert.deepEqual(await ids(due), ['a', 'b', 'c']);
    assert.ok(a !== undefined);
    await due.settle([again(a, { dueAtMs: 0, head: 0 })]);

    await assert.rejects(due.replace(both, [item('x'), item('c')]), internal);
    await assert.rejects(due.replace([...both, ...both], []), TypeError);
    assert.deepEqual(await ids(due), ['a', 'b', 'c']);
    const redriven = [item('a', { kind: 'dead' }), item('b', { dueAtMs: 77 })];
    assert.equal(await due.replace(both, redriven), true);
    assert.deepEqual(await ids(due), ['b', 'c']);
    assert.deepEqual(await ids(due, 'dead'), ['a']);
    assert.deepEqual(await claimIds(due, [want('lane', 5)], 77), ['c', 'b']);
    assert.equal(await due.replace([{ kind: 'dead', id: 'a' }], []), true);
    assert.deepEqual(await ids(due, 'dead'), []);
    assert.equal(await due.replace([], [item('new')]), true);
    assert.deepEqual(await ids(due), ['b', 'c', 'new']);
  });

  dueTest('a purge removes what is unclaimed of one lane, the first due first', async (due) => {
    await due.accept([
      item('a', { dueAtMs: 1 }),
      item('b', { dueAtMs: 3 }),
      item('c', { dueAtMs: 2 }),
      item('d', { dueAtMs: 4 }),
      item('e', { lane: 'other' }),
    ]);
    const [a] = await due.claim([want('lane')], 1, everything);
    assert.ok(a !== undefined);
    assert.equal(await due.purge('event', 'lane', 1), 1);
    assert.deepEqual(await ids(due), ['a', 'b', 'd', 'e']);
    assert.equal(await due.purge('event', 'lane', 10), 2);
    assert.equal(await due.purge('event', 'lane', 10), 0);
    assert.equal(await due.purge('none', 'lane', 10), 0);
    assert.deepEqual(await ids(due), ['a', 'e']);
    assert.deepEqual(await due.settle([done(a)]), [true]);
  });

  dueTest('ten thousand lanes each give their own first item in one claim', async (due) => {
    const lanes = Array.from({ length: 10_000 }, (_, n) => `lane-${n}`);
    await due.accept(lanes.map((lane, n) => item(`second-${n}`, { lane, dueAtMs: 2 })));
    await due.accept(lanes.map((lane, n) => item(`first-${n}`, { lane, dueAtMs: 1 })));
    const wants = lanes.map((lane) => want(lane));
    const first = await claimIds(due, wants, 2);
    assert.deepEqual(
      first,
      lanes.map((_, n) => `first-${n}`),
    );
    assert.equal((await claimIds(due, wants, 2)).length, 10_000);
    assert.equal((await due.lanes('event')).length, 10_000);
  });
}

/** The end of a store as work that waits sees it. */
export function dueEndConformance(createPlace: () => Promise<DuePlace>): void {
  test('what was asked for before disposal is stored, and a disposed store refuses', async () => {
    await using place = await createPlace();
    const store = await place.open();
    const { due } = store;
    await due.accept([item('a')]);
    const [a] = await due.claim([want('lane')], 0, everything);
    assert.ok(a !== undefined);
    const settling = due.settle([{ ...done(a), followedBy: [item('b')] }]);
    await store[Symbol.asyncDispose]();
    assert.deepEqual(await settling, [true]);

    const closed = { name: 'StoreError', reason: 'closed' };
    await assert.rejects(due.accept([item('c')]), closed);
    await assert.rejects(due.claim([want('lane')], 0, everything), closed);
    await assert.rejects(due.settle([]), closed);
    await assert.rejects(due.nextDue([]), closed);
    await assert.rejects(due.lanes('event'), closed);
    await assert.rejects(due.list('event', undefined, undefined, 1), closed);
    await assert.rejects(due.get('event', 'a'), closed);
    await assert.rejects(due.replace([], []), closed);
    await assert.rejects(due.purge('event', 'lane', 1), closed);
    await using again = await place.open();
    assert.deepEqual(await ids(again.due), ['b']);
  });
}

export function item(id: string, rest: Partial<DueItem> = {}): DueItem {
  return {
    kind: 'event',
    id,
    lane: 'lane',
    dueAtMs: 0,
    acceptedAtMs: 0,
    head: { of: id },
    payload: new Uint8Array(0),
    ...rest,
  };
}

export function want(lane: string, count = 1) {
  return { kind: 'event', lane, count };
}

export function done({ kind, id, fence }: ClaimedItem) {
  return { item: { kind, id, fence }, again: undefined, followedBy: [] };
}

export function again(claimed: ClaimedItem, next: { dueAtMs: number; head: unknown }) {
  return { ...done(claimed), again: next };
}

async function ids(due: Due, kind = 'event'): Promise<readonly string[]> {
  return (await due.list(kind, undefined, undefined, 1_000)).map(({ id }) => id);
}

async function claimIds(
  due: Due,
  wants: readonly ReturnType<typeof want>[],
  nowMs: number,
  maxBytes = everything,
): Promise<readonly string[]> {
  return (await due.claim(wants, nowMs, maxBytes)).map(({ id }) => id);
}
