// The log never grows beyond its limits, neither on disk nor in memory, and says where something is missing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { hostFlags } from '../support/host-flags.ts';
import { allEvents, group, messages, openTestLogs, scope, temporaryDirectory } from './support.ts';

const MIB = 1024 * 1024;

test('a group stays within its size and loses its oldest events first', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { maxBytesPerGroup: MIB });
  const stream = logs.openStream(scope, group, 's');
  let sequence = 0;
  for (let round = 0; round < 40; round += 1) {
    for (let n = 0; n < 500; n += 1)
      stream.write(++sequence, `event ${sequence} ${'x'.repeat(80)}`);
    await logs.flush();
    assert.ok((await sizeOnDisk(place.dir)) <= MIB + 64 * 1024, 'over the limit');
  }
  const kept = (await allEvents(logs)).map((event) => event.timestamp);
  assert.equal(kept.at(-1), sequence);
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, n) => sequence - kept.length + 1 + n),
  );
  assert.ok(kept.length * 120 > MIB / 2, `only ${kept.length} events kept`);
});

test('a stream whose events have all made way is no longer listed', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { maxBytesPerGroup: MIB });
  const old = logs.openStream(scope, group, 'old');
  old.write(1, 'first');
  old.close();
  const stream = logs.openStream(scope, group, 'new');
  for (let n = 0; n < 12; n += 1) {
    stream.write(2, 'x'.repeat(200_000));
    await logs.flush();
  }
  const names = (await logs.streams(scope, group))?.map(({ name }) => name);
  assert.deepEqual(names, ['new']);
});

test('one group being full takes nothing from another', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { maxBytesPerGroup: MIB });
  logs.openStream(scope, group, 's').write(1, 'mine');
  const noisy = logs.openStream(scope, '/aws/lambda/noisy', 's');
  for (let n = 0; n < 12; n += 1) noisy.write(n, 'x'.repeat(250_000));
  await logs.flush();
  assert.deepEqual(await messages(logs), ['mine']);
});

test('events beyond the unwritten limit are dropped and counted in a notice where the gap is', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { maxPendingBytes: 100_000 });
  const stream = logs.openStream(scope, group, 's');
  for (let t = 1; t <= 1_000; t += 1) stream.write(t, 'ü'.repeat(500));
  await logs.flush();
  stream.write(2_000, 'later');
  const events = await allEvents(logs);
  const notice = events.findIndex((event) => event.message.startsWith('[lambkin]'));
  const dropped = 1_000 - notice;
  assert.ok(notice > 50 && dropped > 800, `${notice} kept`);
  assert.equal(
    events[notice]?.message,
    `[lambkin] ${dropped} log events (${dropped * 1_000} bytes) were dropped because they arrived faster than they could be written\n`,
  );
  assert.deepEqual(
    events.map((event) => event.timestamp),
    [...Array.from({ length: notice }, (_, n) => n + 1), notice + 1, 2_000],
  );
  assert.equal(logs.droppedEvents, dropped);
});

test('a stream says that it is behind long before events are dropped, and no longer once they are written', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { maxPendingBytes: 100_000 });
  const stream = logs.openStream(scope, group, 's');
  const quiet = logs.openStream(scope, '/aws/lambda/quiet', 's');
  while (!stream.isBehind) stream.write(1, 'x'.repeat(1_000));
  assert.equal(quiet.isBehind, false);
  for (let n = 0; n < 50; n += 1) stream.write(1, 'x'.repeat(1_000));
  assert.equal(quiet.isBehind, true, 'all groups together');
  assert.equal(logs.droppedEvents, 0);
  await logs.flush();
  assert.deepEqual([stream.isBehind, quiet.isBehind], [false, false]);
});

test('the notice stands in the stream that lost events, not in its neighbours', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { maxPendingBytes: 10_000 });
  const quiet = logs.openStream(scope, group, 'quiet');
  const loud = logs.openStream(scope, group, 'loud');
  quiet.write(1, 'fine');
  for (let n = 0; n < 100; n += 1) loud.write(2, 'x'.repeat(500));
  loud.close();
  assert.deepEqual(await messages(logs, { stream: 'quiet' }), ['fine']);
  const told = (await messages(logs, { stream: 'loud' })).filter((text) =>
    text.includes('dropped'),
  );
  assert.equal(told.length, 1);
});

test('a gap is told even when other groups alone have used up the memory', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { maxPendingBytes: 10_000, flushMs: 1 });
  for (const name of ['one', 'two']) logs.openStream(scope, name, 's').write(1, 'x'.repeat(9_900));
  logs.openStream(scope, group, 's').write(1, 'y'.repeat(500));
  const [notice] = await messages(logs);
  assert.match(notice ?? '', /^\[lambkin\] 1 log events \(500 bytes\) were dropped/);
});

for (const { what, way, readsAtOnce, mustDrop } of [
  { what: 'of console events', way: 'events', readsAtOnce: 1, mustDrop: false },
  { what: 'of raw lines', way: 'raw', readsAtOnce: 1, mustDrop: false },
  { what: 'of text made in the host', way: 'text', readsAtOnce: 1, mustDrop: false },
  { what: 'in bursts beyond the unwritten limit', way: 'raw', readsAtOnce: 200, mustDrop: true },
])
  test(`a gigabyte ${what} adds less than 64 MB to a process with the flags of the host`, async () => {
    await using place = await temporaryDirectory();
    const program = join(import.meta.dirname, 'flood.ts');
    const args = [...hostFlags(), program, place.dir, way, String(readsAtOnce)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { grownMib, heldMib, droppedEvents } = JSON.parse(stdout) as FloodCost; // what flood.ts prints
    if (mustDrop) assert.ok(droppedEvents > 0, 'nothing had to be dropped');
    assert.ok(grownMib < 64, `grew by ${grownMib.toFixed(1)} MiB`);
    assert.ok(heldMib < 40, `holds ${heldMib.toFixed(1)} MiB`);
  });

interface FloodCost {
  readonly grownMib: number;
  readonly heldMib: number;
  readonly droppedEvents: number;
}

test('reading from a large group does not load it into memory', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const stream = logs.openStream(scope, group, 's');
  for (let n = 0; n < 64; n += 1) {
    for (let t = 0; t < 16; t += 1) stream.write(n * 16 + t, 'x'.repeat(125_000));
    await logs.flush();
  }
  const before = process.memoryUsage().rss;
  const page = await logs.events(scope, group, { startTime: 500, limit: 3 });
  assert.deepEqual(
    page?.events.map((event) => event.timestamp),
    [500, 501, 502],
  );
  const growthMib = (process.memoryUsage().rss - before) / MIB;
  assert.ok(growthMib < 64, `grew by ${growthMib.toFixed(1)} MiB for 128 MB of log`);
});

async function sizeOnDisk(dir: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(dir, { recursive: true })) {
    const found = await stat(join(dir, name));
    if (found.isFile()) bytes += found.size;
  }
  return bytes;
}
