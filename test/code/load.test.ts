// Large packages: bounded in bytes and time, and never in the way of the thread that serves requests.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { cloneTree } from '../../host/code/clone-tree.ts';
import { zip } from '../support/zip-writer.ts';
import { nothingLeft, openPlace, refusal } from './place.ts';

const tooLargeText = 'Unzipped size must be smaller than 262144000 bytes';

test('a bomb ends at 262,144,000 real bytes', async () => {
  await using place = await openPlace();
  const bomb = zip([{ name: 'zeros', content: Buffer.alloc(262_144_001) }]);
  assert(bomb.length < 300_000);
  assert.match(await refusal(place, bomb, tooLargeText), /more than 262144000 bytes/);
});

test('the limit is on all files together, and may be reached', async () => {
  const limits = { maxUnzippedBytes: 3_000_000, maxEntries: 10, maxNameBytes: 1024, maxDepth: 64 };
  await using place = await openPlace({ limits });
  const third = { content: Buffer.alloc(1_000_000) };
  const exact = ['a', 'b', 'c'].map((name) => ({ name, ...third }));
  const over = zip([...exact, { name: 'd', content: 'x' }]);
  assert.match(await refusal(place, over, tooLargeText), /more than 3000000/);
  const small = [...exact, { name: 'd', content: 'x', declared: { uncompressedSize: 0 } }];
  await assert.rejects(place.packages.add(zip(small)));
  await nothingLeft(place);
  assert.equal((await place.packages.add(zip(exact))).unzippedBytes, 3_000_000);
});

test('5,000 files', async (t) => {
  await using place = await openPlace();
  const files = Array.from({ length: 5000 }, (_, k) => ({
    name: `node_modules/p${k % 97}/f${k}.js`,
    content: `export const k = ${k};`.repeat(20),
  }));
  const began = performance.now();
  const { digest } = await place.packages.add(zip(files));
  t.diagnostic(`added in ${(performance.now() - began).toFixed(0)} ms`);
  const clone = await place.packages.stage(digest);
  const names = await readdir(clone, { recursive: true });
  assert.equal(names.filter((name) => name.endsWith('.js')).length, 5000);
});

test('the event loop goes on during a 40 MB package', async (t) => {
  await using place = await openPlace();
  const content = randomBytes(4_000_000);
  const archive = zip(Array.from({ length: 10 }, (_, k) => ({ name: `f${k}`, content })));
  let last = performance.now();
  const gapsMs: number[] = [];
  const timer = setInterval(() => {
    const now = performance.now();
    gapsMs.push(now - last);
    last = now;
  }, 10);
  const began = performance.now();
  const { unzippedBytes } = await place.packages.add(archive);
  const tookMs = performance.now() - began;
  clearInterval(timer);
  const worstMs = Math.max(...gapsMs);
  t.diagnostic(`${tookMs.toFixed(0)} ms, worst gap of a 10 ms interval ${worstMs.toFixed(0)} ms`);
  assert.equal(unzippedBytes, 40_000_000);
  assert(gapsMs.length >= tookMs / 100, 'the interval kept ticking');
  assert(worstMs < 500, `stood still for ${worstMs} ms`);
});

test('a clone of 300 files', async (t) => {
  await using place = await openPlace();
  const files = Array.from({ length: 300 }, (_, k) => ({ name: `d${k % 30}/f${k}`, content: 'x' }));
  const { digest } = await place.packages.add(zip(files));
  const tree = await place.packages.stage(digest);
  const timesMs = Array.from({ length: 20 }, (_, k) => {
    const began = performance.now();
    cloneTree(tree, `${tree}-${k}`);
    return performance.now() - began;
  }).toSorted((one, other) => one - other);
  t.diagnostic(`p50 ${timesMs[10]?.toFixed(1)} ms, worst ${timesMs[19]?.toFixed(1)} ms`);
  const ready = performance.now();
  await place.packages.stage(digest);
  t.diagnostic(`staged in ${(performance.now() - ready).toFixed(2)} ms when one lies ready`);
  assert.equal((await readdir(`${tree}-0`, { recursive: true })).length, 330);
});
