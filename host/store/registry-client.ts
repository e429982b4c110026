// The registry as the host sees it: JSON on this side, text on the worker's, and committed changes handed to watchers.
import { type ChangeFeed, watchChanges } from './change-feed.ts';
import type { StoredChange, StoredRecord } from './database-messages.ts';
import type { DatabaseThread } from './database-thread.ts';
import type { Registry, RegistryChange, RegistryEvent, RegistryRecord } from './store.ts';

/** Changes read at a time while a watcher catches up. */
const changesPerPage = 256;

export function createRegistry(thread: DatabaseThread, feed: ChangeFeed): Registry {
  return {
    async get(kind, key) {
      checkText(kind, key);
      const stored = await thread.call('registry.get', { kind, key });
      return stored === undefined ? undefined : recordOf(stored);
    },

    async list(kind) {
      checkText(kind);
      const stored = await thread.call('registry.list', { kind });
      return stored.map(recordOf);
    },

    async put(changes) {
      const stored = await thread.call('registry.put', unitOf(changes));
      // Answers are settled in the order of commits, and so is what follows each of them here.
      feed.publish(stored);
      return stored.filter(({ value }) => value !== null).map(recordOf);
    },

    watch(since, signal) {
      if (!Number.isSafeInteger(since) || since < 0) {
        throw new RangeError(`since is a revision, not ${since}`);
      }
      const read = (after: number) =>
        thread.call('registry.changes', { since: after, limit: changesPerPage });
      return mapRecords(watchChanges(feed, read, since, signal));
    },

    head: () => thread.call('registry.head', undefined),
  };
}

async function* mapRecords(source: AsyncIterable<StoredRecord>): AsyncGenerator<RegistryEvent> {
  for await (const stored of source) yield recordOf(stored);
}

function recordOf({ kind, key, revision, value }: StoredRecord): RegistryRecord {
  const parsed: unknown = value === null ? undefined : JSON.parse(value);
  return { kind, key, revision, value: parsed };
}

function unitOf(changes: readonly RegistryChange[]): readonly StoredChange[] {
  const named = new Set<string>();
  return changes.map(({ kind, key, expected, value }) => {
    checkText(kind, key);
    const name = JSON.stringify([kind, key]);
    if (named.has(name)) throw new TypeError(`${kind} ${key} is named twice in one unit of work`);
    named.add(name);
    return { kind, key, expected: expected ?? null, value: jsonOf(kind, key, value) };
  });
}

function jsonOf(kind: string, key: string, value: unknown): string | null {
  if (value === undefined) return null;
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`The value of ${kind} ${key} is not JSON`);
  return text;
}

/** Lone surrogates would all be stored as one and the same replacement character. */
function checkText(...texts: readonly string[]): void {
  for (const text of texts) {
    if (!text.isWellFormed()) throw new TypeError('Kinds and keys must be well-formed Unicode');
  }
}
