import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  allEvents,
  group,
  ManualClock,
  messages,
  openTestLogs,
  scope,
  segmentFiles,
  temporaryDirectory,
} from './support.ts';

test('an event is readable at once, before any flush interval has passed', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  logs.openStream(scope, group, 's').write(1_700_000_000_000, 'hello\n');
  assert.deepEqual(await messages(logs), ['hello\n']);
});

test('events reach the file within the flush interval without anyone asking', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir, { flushMs: 1 });
  logs.openStream(scope, group, 's').write(1, 'on its own');
  const deadline = Date.now() + 5_000;
  const text = async () => {
    const [path] = await segmentFiles(place.dir);
    return path === undefined ? '' : readFile(path, 'utf8');
  };
  while (!(await text()).includes('on its own')) {
    assert.ok(Date.now() < deadline, 'not written in 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('events come in the order of their timestamps, then of their arrival, over all streams', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const a = logs.openStream(scope, group, 'a');
  const b = logs.openStream(scope, group, 'b');
  a.write(30, 'a30');
  b.write(10, 'b10');
  a.write(20, 'a20 first');
  b.write(20, 'b20 second');
  await logs.flush();
  a.write(5, 'a5 late');
  assert.deepEqual(await messages(logs), ['a5 late', 'b10', 'a20 first', 'b20 second', 'a30']);
});

test('the identifier of an event is unique, grows in reading order and survives a restart', async () => {
  await using place = await temporaryDirectory();
  let before: readonly string[];
  {
    await using logs = await openTestLogs(place.dir);
    const stream = logs.openStream(scope, group, 's');
    for (const t of [7, 3, 3, 9]) stream.write(t, `t${t}`);
    before = (await allEvents(logs)).map((event) => event.eventId);
  }
  await using logs = await openTestLogs(place.dir);
  logs.openStream(scope, group, 's2').write(3, 'after the restart');
  const after = (await allEvents(logs)).map((event) => event.eventId);
  assert.deepEqual(before, before.toSorted());
  assert.deepEqual(after, after.toSorted());
  assert.equal(new Set(after).size, 5);
  assert.deepEqual(
    after.filter((id) => before.includes(id)),
    before,
  );
  assert.match(after[0] ?? '', /^\d{56}$/);
});

test('startTime is inclusive, endTime exclusive, and stream selects one stream exactly', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const stream = logs.openStream(scope, group, 'x');
  const longer = logs.openStream(scope, group, 'xy');
  for (const t of [1, 2, 3]) stream.write(t, `x${t}`);
  longer.write(2, 'xy2');
  assert.deepEqual(await messages(logs, { startTime: 2, endTime: 3 }), ['x2', 'xy2']);
  assert.deepEqual(await messages(logs, { stream: 'x' }), ['x1', 'x2', 'x3']);
  assert.deepEqual(await messages(logs, { stream: 'y' }), []);
});

test('a message that looks like a record of another stream does not become one', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const forged = '{"i":0,"t":1,"s":"victim","m":"forged"}\n{"i":1,"t":1,"s":"victim","m":"x"}\n';
  logs.openStream(scope, group, 'a').write(1, forged);
  assert.deepEqual(await messages(logs), [forged]);
  assert.deepEqual(await messages(logs, { stream: 'victim' }), []);
});

test('any text comes back as it was written', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const stream = logs.openStream(scope, group, 'tricky "stream" \u0007');
  const texts = [
    '',
    'tab\tlf\ncr\r',
    '\u0000\u001b[31m',
    '"\\',
    'grüße 😀',
    '\u2028',
    '\ud800 lone',
  ];
  for (const text of texts) stream.write(1, text);
  assert.deepEqual(await messages(logs), texts);
});

test('bytes come back as the text they are, and take the same lines in the file as that text', async () => {
  await using place = await temporaryDirectory();
  const everyByte = Array.from({ length: 128 }, (_, byte) => String.fromCharCode(byte));
  const texts = [
    '',
    ...everyByte,
    everyByte.join(''),
    'grüße 😀\u2028\u007f\u0080',
    '€'.repeat(90_000),
  ];
  const stored: string[] = [];
  for (const write of [(text: string) => Buffer.from(text), (text: string) => text]) {
    await using logs = await openTestLogs(join(place.dir, String(stored.length)));
    const stream = logs.openStream(scope, group, 's');
    for (const [n, text] of texts.entries()) stream.write(10 ** (n % 16), write(text));
    assert.deepEqual((await messages(logs)).toSorted().join(''), texts.toSorted().join(''));
    stored.push(await storedText(join(place.dir, String(stored.length))));
  }
  assert.ok(stored[0] !== '' && stored[0] === stored[1]);
});

test('bytes may be overwritten as soon as they are written to the log', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const stream = logs.openStream(scope, group, 's');
  const bytes = Buffer.from('first\n');
  stream.write(1, bytes);
  bytes.write('other');
  stream.write(2, bytes);
  assert.deepEqual(await messages(logs), ['first\n', 'other\n']);
});

test('pages hold at most limit events, and following next gives each event once', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const stream = logs.openStream(scope, group, 's');
  const timestamps = Array.from({ length: 1_000 }, (_, n) => (n * 7_919) % 1_000);
  for (const t of timestamps) stream.write(t, `${t}`);
  const first = await logs.events(scope, group, { limit: 7 });
  assert.deepEqual(
    first?.events.map((event) => event.message),
    ['0', '1', '2', '3', '4', '5', '6'],
  );
  assert.deepEqual(
    await messages(logs, { limit: 7 }),
    Array.from({ length: 1_000 }, (_, n) => `${n}`),
  );
});

test('a page ends at about 1 MiB, also when later events would fit', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const stream = logs.openStream(scope, group, 's');
  const big = 'x'.repeat(250_000);
  for (let t = 20; t > 0; t -= 1) stream.write(t, t % 3 === 0 ? 'small' : big);
  const page = await logs.events(scope, group);
  assert.ok(page !== undefined && page.next !== undefined);
  assert.ok(JSON.stringify(page.events).length < 1.1 * 1024 * 1024);
  const all = await allEvents(logs);
  assert.deepEqual(
    all.map((event) => event.timestamp),
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
});

test('a limit below one and an after that is no event id are refused', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  logs.openStream(scope, group, 's');
  await assert.rejects(logs.events(scope, group, { limit: 0 }), RangeError);
  await assert.rejects(logs.events(scope, group, { after: 'f/1' }), RangeError);
});

test('a group exists from the opening of its first stream, also after a restart', async () => {
  await using place = await temporaryDirectory();
  {
    await using logs = await openTestLogs(place.dir);
    assert.equal(logs.groupExists(scope, group), false);
    assert.equal(await logs.events(scope, group), undefined);
    assert.equal(await logs.streams(scope, group), undefined);
    logs.openStream(scope, group, 's');
    assert.equal(logs.groupExists(scope, group), true);
    assert.deepEqual((await logs.events(scope, group))?.events, []);
  }
  await using logs = await openTestLogs(place.dir);
  assert.equal(logs.groupExists(scope, group), true);
  assert.deepEqual(logs.groups(scope), [{ name: group, createdAt: 1_700_000_000_000 }]);
});

test('groups are told apart by account, region and exact name, whatever is in the name', async () => {
  await using place = await temporaryDirectory();
  const names = ['..', '.', 'a/../b', 'Hello', 'hello', '/aws/lambda/x', '#_-.', 'n'.repeat(512)];
  {
    await using logs = await openTestLogs(place.dir);
    for (const name of names) logs.openStream(scope, name, 's').write(1, name);
    logs.openStream({ ...scope, region: 'eu-west-1' }, 'hello', 's').write(1, 'elsewhere');
    logs.openStream({ ...scope, account: '111111111111' }, 'hello', 's').write(1, 'other');
  }
  await using logs = await openTestLogs(place.dir);
  assert.deepEqual(
    logs.groups(scope).map(({ name }) => name),
    names.toSorted(),
  );
  assert.deepEqual(
    logs.groups(scope, 'h').map(({ name }) => name),
    ['hello'],
  );
  for (const name of names) {
    const page = await logs.events(scope, name);
    assert.deepEqual(
      page?.events.map((event) => event.message),
      [name],
    );
  }
});

test('nothing is written outside the directory, and others on the machine cannot read it', async () => {
  await using place = await temporaryDirectory();
  const dir = `${place.dir}/logs`;
  {
    await using logs = await openTestLogs(dir);
    logs.openStream({ account: '..', region: '../..' }, '../../../escape', '../s').write(1, 'x');
  }
  assert.equal((await segmentFiles(dir)).length, 1);
  assert.equal((await segmentFiles(place.dir)).length, 1);
  assert.equal((await stat(dir)).mode & 0o777, 0o700);
});

test('streams are listed by name with the times of their events, open ones without events too', async () => {
  await using place = await temporaryDirectory();
  const clock = new ManualClock();
  await using logs = await openTestLogs(place.dir, { clock });
  const b = logs.openStream(scope, group, 'b');
  b.write(30, 'x');
  b.write(20, 'y');
  logs.openStream(scope, group, 'a');
  logs.openStream(scope, group, 'closed and empty').close();
  const none = { firstEventTimestamp: undefined, lastEventTimestamp: undefined };
  assert.deepEqual(await logs.streams(scope, group), [
    { name: 'a', createdAt: clock.nowMs, ...none },
    { name: 'b', createdAt: 20, firstEventTimestamp: 20, lastEventTimestamp: 30 },
  ]);
});

test('a timestamp that is no time is replaced by now', async () => {
  await using place = await temporaryDirectory();
  const clock = new ManualClock();
  await using logs = await openTestLogs(place.dir, { clock });
  const stream = logs.openStream(scope, group, 's');
  for (const t of [Number.NaN, Infinity, -1, 1e300, 12.75]) stream.write(t, `${t}`);
  const stored = (await allEvents(logs)).map((event) => event.timestamp);
  assert.deepEqual(stored, [12, clock.nowMs, clock.nowMs, clock.nowMs, clock.nowMs]);
});

test('a line of 10 MB becomes events of at most 256 KB, cut between characters', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const line = `x${'ü😀'.repeat(1_750_000)}`;
  logs.openStream(scope, group, 's').write(1, line);
  const parts = await messages(logs);
  assert.ok(parts.every((part) => Buffer.byteLength(part) <= 262_144));
  assert.equal(parts.length, Math.ceil(Buffer.byteLength(line) / 262_143));
  assert.ok(parts.join('') === line);
});

test('a message of exactly 262,144 bytes stays whole and one byte more is split', async () => {
  await using place = await temporaryDirectory();
  await using logs = await openTestLogs(place.dir);
  const stream = logs.openStream(scope, group, 's');
  stream.write(1, 'a'.repeat(262_144));
  stream.write(2, 'b'.repeat(262_145));
  const lengths = (await messages(logs)).map((message) => message.length);
  assert.deepEqual(lengths, [262_144, 262_144, 1]);
});

test('writing to a closed stream, or after the logs are closed, throws', async () => {
  await using place = await temporaryDirectory();
  const logs = await openTestLogs(place.dir);
  const closed = logs.openStream(scope, group, 'a');
  const open = logs.openStream(scope, group, 'b');
  closed.close();
  closed.close();
  assert.throws(() => closed.write(1, 'x'), /log stream a is closed/);
  await logs[Symbol.asyncDispose]();
  await logs[Symbol.asyncDispose]();
  assert.throws(() => open.write(1, 'x'), /the logs are closed/);
  assert.throws(() => logs.openStream(scope, group, 'c'), /the logs are closed/);
  await assert.rejects(logs.events(scope, group), /the logs are closed/);
});

async function storedText(dir: string): Promise<string> {
  const files = await segmentFiles(dir);
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('');
}
