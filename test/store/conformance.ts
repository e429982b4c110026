// What every implementation of the store must do. One suite; each implementation's test file runs it.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Store } from '../../host/store/store.ts';
import { blobConformance } from './conformance-blobs.ts';
import { dueConformance, dueEndConformance } from './conformance-due.ts';
import { registryConformance } from './conformance-registry.ts';
import { watchConformance } from './conformance-watch.ts';

/** Somewhere a store can be opened, closed and opened again. Removes all of it when disposed. */
export interface StorePlace extends AsyncDisposable {
  /** The clock of stores opened here, in epoch milliseconds. */
  readonly clock: { nowMs: number };
  open(): Promise<Store>;
}

export function storeConformance(name: string, createPlace: () => Promise<StorePlace>): void {
  suite(`${name} is a store`, () => {
    registryConformance(createPlace);
    watchConformance(createPlace);
    blobConformance(createPlace);
    dueConformance(createPlace);
    dueEndConformance(createPlace);
    lifeConformance(createPlace);
  });
}

function lifeConformance(createPlace: () => Promise<StorePlace>): void {
  test('what was asked for before disposal is still stored', async () => {
    await using place = await createPlace();
    const store = await place.open();
    const put = store.registry.put([{ kind: 'k', key: 'a', expected: undefined, value: 1 }]);
    await store[Symbol.asyncDispose]();
    assert.equal((await put).length, 1);

    await using again = await place.open();
    assert.equal((await again.registry.get('k', 'a'))?.value, 1);
  });

  test('a disposed store refuses everything, and disposing it again is harmless', async () => {
    await using place = await createPlace();
    const store = await place.open();
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();

    const closed = { name: 'StoreError', reason: 'closed' };
    await assert.rejects(store.registry.get('k', 'a'), closed);
    await assert.rejects(store.registry.list('k'), closed);
    await assert.rejects(store.registry.put([]), closed);
    await assert.rejects(store.registry.head(), closed);
    await assert.rejects(store.blobs.put(Buffer.from('x')), closed);
    await assert.rejects(store.blobs.open('0'.repeat(64)), closed);
    await assert.rejects(store.blobs.path('0'.repeat(64)), closed);
    await assert.rejects(store.blobs.sweep(new Set(), 0), closed);
  });
}
