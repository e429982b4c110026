// What a crash leaves behind is read as far as it is whole, and a disk that refuses is survived and told.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
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

const MIB = 1024 * 1024;

async function writeThree(dir: string): Promise<string> {
  await using logs = await openTestLogs(dir);
  const stream = logs.openStream(scope, group, 's');
  for (const text of ['one', 'two', 'three']) stream.write(1, text);
  await logs.flush();
  const [path] = await segmentFiles(dir);
  assert.ok(path !== undefined);
  return path;
}

test('a last line torn at any byte is dropped, and writing goes on behind the whole ones', async () => {
  await using place = await temporaryDirectory();
  const path = await writeThree(place.dir);
  const whole = await readFile(path);
  const lastStart = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
  for (let cut = lastStart; cut < whole.length; cut += 1) {
    await writeFile(path, whole.subarray(0, cut));
    await using logs = await openTestLogs(place.dir);
    assert.deepEqual(await messages(logs), ['one', 'two'], `cut at ${cut}`);
    logs.openStream(scope, group, 's').write(2, 'after');
    const events = await allEvents(logs);
    assert.deepEqual(
      events.map((event) => event.message),
      ['one', 'two', 'after'],
    );
    assert.equal(new Set(events.map((event) => event.eventId)).size, 3);
  }
});

test('a damaged line in the middle costs itself only', async () => {
  await using place = await temporaryDirectory();
  const path = await writeThree(place.dir);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"two"', '"tw'));
  await using logs = await openTestLogs(place.dir);
  assert.deepEqual(await messages(logs), ['one', 'three']);
});

test('a file that holds no event at all, as after a power cut, is begun anew', async () => {
  await using place = await temporaryDirectory();
  const path = await writeThree(place.dir);
  await truncate(path, 0);
  await appendFile(path, Buffer.alloc(5_000));
  await using logs = await openTestLogs(place.dir);
  logs.openStream(scope, group, 's').write(1, 'again');
  assert.deepEqual(await messages(logs), ['again']);
});

test('a lost or torn index of a full file is made up for by reading the file', async () => {
  await using place = await temporaryDirectory();
  {
    await using logs = await openTestLogs(place.dir, { maxBytesPerGroup: MIB });
    const stream = logs.openStream(scope, group, 's');
    for (let t = 1; t <= 3_000; t += 1) stream.write(t, 'x'.repeat(100));
  }
  const [first, second] = await segmentFiles(place.dir);
  assert.ok(first !== undefined && second !== undefined, 'one file only');
  await rm(first.replace('.jsonl', '.index.json'));
  await truncate(second.replace('.jsonl', '.index.json'), 10);
  await using logs = await openTestLogs(place.dir, { maxBytesPerGroup: MIB });
  assert.equal((await allEvents(logs)).length, 3_000);
  assert.deepEqual(await logs.streams(scope, group), [
    { name: 's', createdAt: 1, firstEventTimestamp: 1, lastEventTimestamp: 3_000 },
  ]);
});

test('a host killed while writing loses nothing that was flushed and leaves only whole events', async () => {
  await using place = await temporaryDirectory();
  const script = new URL('./write-until-killed.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, place.dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  let flushed = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    flushed = Number(line);
    if (flushed >= 50_000) break;
  }
  child.kill('SIGKILL');
  await exit;
  await using logs = await openTestLogs(place.dir);
  const events = await allEvents(logs);
  assert.ok(events.length >= flushed, `${events.length} of ${flushed}`);
  assert.ok(events.every((event, n) => event.message === `event ${n + 1} ${'x'.repeat(n % 97)}`));
});

test('a directory that cannot be written costs the events, tells once a minute, and heals', async () => {
  await using place = await temporaryDirectory();
  const clock = new ManualClock();
  const problems: string[] = [];
  const onProblem = (text: string) => void problems.push(text);
  await using logs = await openTestLogs(place.dir, { clock, onProblem });
  await writeFile(`${place.dir}/000000000000`, 'a file where a directory belongs');
  const stream = logs.openStream(scope, group, 's');
  stream.write(1, 'lost');
  await logs.flush();
  stream.write(2, 'lost too');
  await logs.flush();
  assert.equal(problems.length, 1);
  assert.match(
    problems[0] ?? '',
    /^cannot write log group \/aws\/lambda\/hello \(.*\): E(NOTDIR|EXIST).*1 events dropped/,
  );
  clock.nowMs += 60_000;
  await logs.flush();
  assert.equal(problems.length, 2);
  assert.match(problems[1] ?? '', /2 events dropped so far$/);

  await rm(`${place.dir}/000000000000`);
  stream.write(3, 'kept');
  const [notice, kept] = await messages(logs);
  assert.match(
    notice ?? '',
    /^\[lambkin\] 2 log events \(12 bytes\) were dropped because they could not be written: E/,
  );
  assert.equal(kept, 'kept');
  assert.equal(logs.droppedEvents, 2);
});

test('a full disk costs the events that do not fit, leaves no torn line, and heals', async (t) => {
  await using place = await temporaryDirectory();
  const disk = await smallDisk(place.dir);
  if (disk === undefined) {
    t.skip('cannot mount a small file system here');
    return;
  }
  await using _ = disk;
  const problems: string[] = [];
  const onProblem = (text: string) => void problems.push(text);
  await using logs = await openTestLogs(`${place.dir}/disk`, { onProblem });
  const stream = logs.openStream(scope, group, 's');
  for (let t = 1; t <= 40; t += 1) {
    stream.write(t, 'x'.repeat(100_000));
    await logs.flush();
  }
  assert.match(problems[0] ?? '', /ENOSPC/);
  await disk.makeRoom();
  stream.write(100, 'room again');
  const events = await allEvents(logs);
  assert.equal(events.at(-1)?.message, 'room again');
  const notices = events.filter((event) => event.message.startsWith('[lambkin]'));
  assert.ok(notices.length >= 1);
  const [path] = await segmentFiles(`${place.dir}/disk`);
  const lines = (await readFile(path ?? '', 'utf8')).split('\n');
  assert.equal(lines.pop(), '');
  for (const line of lines) JSON.parse(line);
});

interface SmallDisk extends AsyncDisposable {
  makeRoom(): Promise<void>;
}

/** A file system of 2 MiB at `dir`/disk; undefined where it cannot be mounted. */
async function smallDisk(dir: string): Promise<SmallDisk | undefined> {
  const path = `${dir}/disk`;
  const run = (command: string, ...args: string[]) =>
    new Promise<boolean>((resolve) => {
      const child = spawn(command, args, { stdio: 'ignore' });
      child.once('error', () => resolve(false));
      child.once('exit', (code) => resolve(code === 0));
    });
  await run('mkdir', path);
  if (!(await run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'lambkin-test', path))) return undefined;
  return {
    makeRoom: async () => assert.ok(await run('mount', '-o', 'remount,size=8m', path)),
    [Symbol.asyncDispose]: async () => assert.ok(await run('umount', path)),
  };
}
