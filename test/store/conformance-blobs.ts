// The blobs' part of the conformance suite: content under its digest, failing sources, sweeps.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Blobs } from '../../host/store/store.ts';
import type { StorePlace } from './conformance.ts';

const everything = 0;

export function blobConformance(createPlace: () => Promise<StorePlace>): void {
  test('a blob comes back as it was stored, from bytes or a stream, also after closing', async () => {
    await using place = await createPlace();
    const large = randomBytes(3 * 1024 * 1024 + 17);
    const digests: string[] = [];
    {
      await using store = await place.open();
      for (const content of [large, Buffer.from('small'), Buffer.alloc(0)]) {
        const { sha256, sizeBytes } = await store.blobs.put(content);
        assert.equal(sha256, digestOf(content));
        assert.equal(sizeBytes, content.length);
        digests.push(sha256);
      }
      const streamed = randomBytes(1_000_001);
      const { sha256, sizeBytes } = await store.blobs.put(Readable.from(pieces(streamed, 70_001)));
      assert.equal(sha256, digestOf(streamed));
      assert.equal(sizeBytes, streamed.length);
      assert.deepEqual(await contentOf(store.blobs, sha256), streamed);
    }
    await using store = await place.open();
    assert.deepEqual(await contentOf(store.blobs, digests[0]), large);
    assert.equal(String(await contentOf(store.blobs, digests[1])), 'small');
    assert.equal((await contentOf(store.blobs, digests[2]))?.length, 0);
  });

  test('a blob has a path to read it from', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { sha256 } = await store.blobs.put(Buffer.from('content'));
    const path = await store.blobs.path(sha256);
    assert.ok(path !== undefined);
    assert.equal(await readFile(path, 'utf8'), 'content');
  });

  test('an unknown digest, or what is not one, is no blob', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { sha256 } = await store.blobs.put(Buffer.from('content'));
    const wrong = [
      '0'.repeat(64),
      '',
      '../../id',
      sha256.toUpperCase(),
      `${sha256}0`,
      `../${sha256}`,
    ];
    for (const name of wrong) {
      assert.equal(await store.blobs.open(name), undefined);
      assert.equal(await store.blobs.path(name), undefined);
    }
  });

  test('the same content is stored once, however many store it at once', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const content = randomBytes(300_000);
    const stored = await Promise.all(Array.from({ length: 8 }, () => store.blobs.put(content)));
    assert.equal(new Set(stored.map(({ sha256 }) => sha256)).size, 1);
    assert.deepEqual(await store.blobs.sweep(new Set(), everything), [digestOf(content)]);
  });

  test('a source that fails passes its error on and leaves nothing', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const failure = new Error('the sender went away');
    const failing = Readable.from(
      (function* () {
        yield Buffer.alloc(100_000, 1);
        throw failure;
      })(),
    );
    await assert.rejects(store.blobs.put(failing), failure);

    const destroyed = new Readable({ read() {} });
    destroyed.push(Buffer.alloc(100_000, 2));
    const put = store.blobs.put(destroyed);
    setImmediate(() => destroyed.destroy());
    await assert.rejects(put, { code: 'ERR_STREAM_PREMATURE_CLOSE' });

    const failedAtOnce = new Readable({ read() {} });
    const early = store.blobs.put(failedAtOnce);
    failedAtOnce.destroy(failure);
    await assert.rejects(early, failure);
    await assert.rejects(store.blobs.put(failedAtOnce), failure);

    await assert.rejects(store.blobs.put(Readable.from([1, 2, 3])), TypeError);
    assert.deepEqual(await store.blobs.sweep(new Set(), everything), []);
  });

  test('a source that is still being read when the store is disposed is given up', async () => {
    await using place = await createPlace();
    const store = await place.open();
    const endless = new Readable({ read() {} });
    endless.push(Buffer.alloc(100_000));
    const refused = assert.rejects(store.blobs.put(endless));
    await store[Symbol.asyncDispose]();
    await refused;
    assert.equal(endless.destroyed, true);
  });

  test('a sweep removes what nobody keeps once its grace is over', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const kept = await store.blobs.put(Buffer.from('kept'));
    const old = await store.blobs.put(Buffer.from('old'));
    place.clock.nowMs += 60_000;
    const young = await store.blobs.put(Buffer.from('young'));

    const keep = new Set([kept.sha256]);
    assert.deepEqual(await store.blobs.sweep(keep, 60_001), []);
    assert.deepEqual(await store.blobs.sweep(keep, 60_000), [old.sha256]);
    assert.equal(await store.blobs.open(old.sha256), undefined);
    assert.equal(String(await contentOf(store.blobs, young.sha256)), 'young');
    assert.equal(String(await contentOf(store.blobs, kept.sha256)), 'kept');

    place.clock.nowMs += 60_000;
    assert.deepEqual(await store.blobs.sweep(keep, 60_000), [young.sha256]);
  });

  test('storing content again renews its grace', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const { sha256 } = await store.blobs.put(Buffer.from('content'));
    place.clock.nowMs += 60_000;
    await store.blobs.put(Buffer.from('content'));
    assert.deepEqual(await store.blobs.sweep(new Set(), 60_000), []);
    assert.equal(String(await contentOf(store.blobs, sha256)), 'content');
  });

  test('a sweep that runs along with puts never takes what they have just stored', async () => {
    await using place = await createPlace();
    await using store = await place.open();
    const contents = Array.from({ length: 40 }, (_, n) => Buffer.from(`content ${n}`));
    for (const content of contents) await store.blobs.put(content);
    place.clock.nowMs += 60_000;
    const [removed, ...stored] = await Promise.all([
      store.blobs.sweep(new Set(), 60_000),
      ...contents.map((content) => store.blobs.put(content)),
    ]);
    assert.ok(Array.isArray(removed));
    for (const { sha256 } of stored) assert.ok((await store.blobs.path(sha256)) !== undefined);
  });
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

async function contentOf(blobs: Blobs, sha256: string | undefined): Promise<Buffer | undefined> {
  const blob = await blobs.open(sha256 ?? '');
  if (blob === undefined) return undefined;
  const content = await buffer(blob.stream);
  assert.equal(content.length, blob.sizeBytes);
  return content;
}

function pieces(content: Buffer, size: number): readonly Buffer[] {
  const count = Math.ceil(content.length / size);
  return Array.from({ length: count }, (_, n) => content.subarray(n * size, (n + 1) * size));
}
