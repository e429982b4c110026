// The store on one machine: SQLite in its own thread for records, files for blobs, under one locked data directory.
import { join } from 'node:path';
import { openBlobs } from './blobs.ts';
import { ChangeFeed } from './change-feed.ts';
import { type DataDirectory, openDataDirectory } from './data-directory.ts';
import type { Migrated } from './database-messages.ts';
import { startDatabaseThread } from './database-thread.ts';
import { createDue } from './due-client.ts';
import { createRegistry } from './registry-client.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  /** Created if missing. */
  readonly dataDir: string;
  /** Epoch milliseconds; ages of blobs, names of copies. */
  readonly now?: (() => number) | undefined;
  /** The database refuses to grow beyond this; default: the disk is the limit. */
  readonly maxDatabaseBytes?: number | undefined;
  /** How many deletions are remembered for watchers at least (up to twice as many lie in the database); default 10,000. */
  readonly keptDeletions?: number | undefined;
}

/** A store and the directory it owns. */
export interface SqliteStore extends Store {
  readonly directory: DataDirectory;
  /** What opening did to a database of an older lambkin. */
  readonly migrated: Migrated | undefined;
}

/**
 * Takes the data directory, brings its database up to date and opens both halves of the store. Throws `DataDirectoryRefused`
 * when another host owns the directory, or the database is newer than this program or cannot be read.
 */
export async function openStore(options: StoreOptions): Promise<SqliteStore> {
  const now = options.now ?? Date.now;
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openDataDirectory(options.dataDir));
  const blobs = stack.use(await openBlobs({ folder: join(directory.folders.code, 'blobs'), now }));
  const thread = stack.use(
    await startDatabaseThread({
      file: join(directory.folders.db, 'lambkin.db'),
      openedAtMs: now(),
      maxBytes: options.maxDatabaseBytes,
      keptDeletions: options.keptDeletions ?? 10_000,
    }),
  );
  const feed = stack.use(new ChangeFeed());
  void thread.lost.then((error) => feed.fail(error)); // never rejects
  const registry = createRegistry(thread, feed);
  const owned = stack.move();
  return {
    registry,
    blobs,
    due: createDue(thread),
    directory,
    lost: thread.lost,
    migrated: thread.migrated,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
