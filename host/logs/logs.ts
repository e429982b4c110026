// Log groups and streams of every account and region, in a directory of plain files: ACCOUNT/REGION/GROUP/*.jsonl, one event a
// line. Events reach the files within `flushMs`, so that is what a crash of the host can cost; disposal syncs them to the disk.
import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { GroupIdentity, GroupOwner, LogStream } from './log-group.ts';
import { LogGroup } from './log-group.ts';
import { directoryName } from './names.ts';
import type { EventQuery, LogPage } from './page.ts';
import { readPage } from './page.ts';
import { SpareBuffers } from './piece.ts';
import { sequenceAbove } from './segments.ts';
import { Writer } from './writer.ts';

export type { LogStream } from './log-group.ts';
export type { EventQuery, LogPage } from './page.ts';
export type { LogEvent } from './record.ts';

/** Whose logs: they are told apart by both. */
export interface LogScope {
  readonly account: string;
  readonly region: string;
}

/** The part of a clock that is needed here. */
export interface LogsClock {
  /** Milliseconds since 1970. */
  epochMs(): number;
  /** Milliseconds since some instant; never steps back. */
  monotonicMs(): number;
}

export interface LogsOptions {
  /** Created, readable by the host's user only. */
  readonly dir: string;
  readonly clock: LogsClock;
  /** Bytes on disk of one group, 256 MiB by default; the oldest events go first. At least 1 MiB. */
  readonly maxBytesPerGroup?: number | undefined;
  /** How long an event may wait to be written; 200 by default. */
  readonly flushMs?: number | undefined;
  /** Unwritten bytes of one group above which events are dropped, 12 MiB by default; all groups together may have twice that. */
  readonly maxPendingBytes?: number | undefined;
  /** Told in a sentence what cannot be written, or read at the start; at most once a minute for each group. */
  readonly onProblem?: ((text: string) => void) | undefined;
}

export interface LogGroupInfo {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface LogStreamInfo {
  readonly name: string;
  /** Epoch milliseconds of its first kept event, or of its opening when it has none. */
  readonly createdAt: number;
  /** Epoch milliseconds of what is kept; undefined for an open stream without events. */
  readonly firstEventTimestamp: number | undefined;
  readonly lastEventTimestamp: number | undefined;
}

const MIB = 1024 * 1024;
const PROBLEM_INTERVAL_MS = 60_000;
const GROUP_FILE = 'group.json';

/** Finds the groups that are there. Throws what the file system throws when the directory cannot be used. */
export async function openLogs(options: LogsOptions): Promise<Logs> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const logs = new Logs(options);
  await logs.findGroups();
  return logs;
}

export class Logs implements AsyncDisposable {
  readonly #options: LogsOptions;
  readonly #writer: Writer;
  readonly #owner: GroupOwner;
  readonly #groups = new Map<string, LogGroup>();
  readonly #lastProblemMs = new WeakMap<LogGroup, number>();
  #isDisposed = false;

  constructor(options: LogsOptions) {
    const maxPendingBytes = options.maxPendingBytes ?? 12 * MIB;
    const maxBytesPerGroup = options.maxBytesPerGroup ?? 256 * MIB;
    if (!(maxBytesPerGroup >= MIB))
      throw new RangeError(`maxBytesPerGroup must be at least ${MIB}, not ${maxBytesPerGroup}`);
    const isClosed = () => this.#isDisposed;
    this.#options = options;
    this.#writer = new Writer(options.flushMs ?? 200);
    this.#owner = {
      get isClosed() {
        return isClosed();
      },
      maxBytesPerGroup,
      maxPendingBytes,
      spares: new SpareBuffers(),
      budget: { maxBytes: 2 * maxPendingBytes, bytes: 0 },
      epochMs: () => options.clock.epochMs(),
      prepare: (identity) => writeIdentity(identity),
      onPending: (group) => this.#writer.add(group),
      onUrgent: () => void this.#writer.flush(), // never rejects
      onProblem: (group, text) => this.#report(group, text),
    };
  }

  /** Creates the group if there is none. Synchronous and cheap; once per execution environment. */
  openStream(scope: LogScope, group: string, stream: string): LogStream {
    this.#assertOpen();
    return this.#groupFor(scope, group).openStream(stream);
  }

  groupExists(scope: LogScope, group: string): boolean {
    return this.#groups.has(keyOf(scope, group));
  }

  /** By name, compared as UTF-16. */
  groups(scope: LogScope, prefix = ''): readonly LogGroupInfo[] {
    return Array.from(this.#groups.values(), ({ identity }) => identity)
      .filter(({ account, region }) => account === scope.account && region === scope.region)
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name, createdAt }) => ({ name, createdAt }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Streams that are open or have an event kept, by name; undefined when there is no such group. */
  async streams(scope: LogScope, group: string): Promise<readonly LogStreamInfo[] | undefined> {
    this.#assertOpen();
    const found = this.#groups.get(keyOf(scope, group));
    if (found === undefined) return undefined;
    await this.flush();
    return describeStreams(found);
  }

  /** One page, everything written before the call included; undefined when there is no such group. Throws RangeError. */
  async events(
    scope: LogScope,
    group: string,
    query: EventQuery = {},
  ): Promise<LogPage | undefined> {
    this.#assertOpen();
    const found = this.#groups.get(keyOf(scope, group));
    if (found === undefined) return undefined;
    await this.flush();
    return readPage(await found.segments(), query);
  }

  /** Bytes on disk; 0 when there is no such group. */
  async storedBytes(scope: LogScope, group: string): Promise<number> {
    const found = this.#groups.get(keyOf(scope, group));
    return found === undefined ? 0 : (await found.segments()).storedBytes;
  }

  /** Events of all groups that could not be kept since the start. */
  get droppedEvents(): number {
    let sum = 0;
    for (const group of this.#groups.values()) sum += group.droppedEvents;
    return sum;
  }

  /** Resolves when all that was written so far is in the files, or has been dropped and reported. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.#writer[Symbol.asyncDispose]();
  }

  /** Part of {@link openLogs}. */
  async findGroups(): Promise<void> {
    const { dir } = this.#options;
    for (const account of await subdirectories(dir)) {
      for (const region of await subdirectories(join(dir, account))) {
        const names = await subdirectories(join(dir, account, region));
        await Promise.all(names.map((name) => this.#findGroup(join(dir, account, region, name))));
      }
    }
  }

  async #findGroup(dir: string): Promise<void> {
    try {
      const identity = parseIdentity(await readFile(join(dir, GROUP_FILE), 'utf8'), dir);
      const group = new LogGroup(identity, await sequenceAbove(dir), this.#owner);
      this.#groups.set(keyOf(identity, identity.name), group);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.onProblem?.(`cannot read the log group in ${dir}: ${reason}`);
    }
  }

  #groupFor(scope: LogScope, name: string): LogGroup {
    const key = keyOf(scope, name);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const { account, region } = scope;
    const path = [account, region, name].map(directoryName);
    const dir = join(this.#options.dir, ...path);
    const createdAt = Math.trunc(this.#owner.epochMs());
    const group = new LogGroup({ account, region, name, createdAt, dir }, 0, this.#owner);
    this.#groups.set(key, group);
    group.announce();
    return group;
  }

  #report(group: LogGroup, text: string): void {
    const now = this.#options.clock.monotonicMs();
    const last = this.#lastProblemMs.get(group);
    if (last !== undefined && now - last < PROBLEM_INTERVAL_MS) return;
    this.#lastProblemMs.set(group, now);
    this.#options.onProblem?.(text);
  }

  #assertOpen(): void {
    if (this.#isDisposed) throw new Error('the logs are closed');
  }
}

async function describeStreams(group: LogGroup): Promise<readonly LogStreamInfo[]> {
  const found = new Map<string, LogStreamInfo>();
  for (const { name, openedAt } of group.openStreams())
    found.set(name, {
      name,
      createdAt: openedAt,
      firstEventTimestamp: undefined,
      lastEventTimestamp: undefined,
    });
  const index = await (await group.segments()).streams();
  for (const { name, firstTimestamp, lastTimestamp } of index.streams())
    found.set(name, {
      name,
      createdAt: firstTimestamp,
      firstEventTimestamp: firstTimestamp,
      lastEventTimestamp: lastTimestamp,
    });
  return Array.from(found.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function keyOf(scope: LogScope, group: string): string {
  return JSON.stringify([scope.account, scope.region, group]);
}

/** The directory's name is only an encoding; what the group is called stands in this file. */
async function writeIdentity(identity: GroupIdentity): Promise<void> {
  const { account, region, name, createdAt, dir } = identity;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const temporary = join(dir, `${GROUP_FILE}.new`);
  {
    await using file = await open(temporary, 'w', 0o600);
    await file.writeFile(`${JSON.stringify({ account, region, name, createdAt })}\n`);
    await file.sync();
  }
  await rename(temporary, join(dir, GROUP_FILE));
}

function parseIdentity(text: string, dir: string): GroupIdentity {
  const value: unknown = JSON.parse(text);
  const { account, region, name, createdAt } = value as Partial<GroupIdentity>; // each member is checked in the next line
  if (
    typeof account !== 'string' ||
    typeof region !== 'string' ||
    typeof name !== 'string' ||
    typeof createdAt !== 'number'
  )
    throw new Error(`${GROUP_FILE} does not name a group`);
  return { account, region, name, createdAt, dir };
}

async function subdirectories(dir: string): Promise<readonly string[]> {
  const entries: Dirent[] = await readdir(dir, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
