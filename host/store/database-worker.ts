// The one thread that touches the database. Takes whatever calls have arrived, commits them together, answers, repeats.
import { DatabaseSync } from 'node:sqlite';
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import type {
  Answer,
  Call,
  DatabaseOptions,
  FromWorker,
  Output,
  ToWorker,
  UnitHandlers,
  UnitName,
} from './database-messages.ts';
import { dueUnits } from './due-units.ts';
import { createGroupCommit } from './group-commit.ts';
import { movedBuffers, packAnswers, unpackCalls } from './packing.ts';
import { registryUnits } from './registry-units.ts';
import { migrate } from './schema.ts';
import { DataDirectoryRefused } from './store.ts';

/** How long a shell or a backup may keep the database locked before units are refused as `busy`. */
const busyTimeoutMs = 5_000;
const pageBytes = 4_096;
/** A checkpoint copies the log back into the database after this many pages (16 MiB). */
const checkpointPages = 4_096;
/** The log file is cut back to this size after a checkpoint. */
const journalLimitBytes = 64 * 1024 * 1024;
const cacheKib = 16_384;

type Send = (message: FromWorker, moved?: readonly ArrayBuffer[]) => void;

function configure(database: DatabaseSync, options: DatabaseOptions): void {
  database.exec(`PRAGMA page_size = ${pageBytes}`);
  const journal = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (journal !== 'wal') {
    throw new DataDirectoryRefused(
      `The file system of ${options.file} cannot hold a write-ahead log (needs shared memory files). ` +
        'Put the data directory on a local disk: --data OTHER.',
    );
  }
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = ${checkpointPages};
    PRAGMA journal_size_limit = ${journalLimitBytes};
    PRAGMA cache_size = -${cacheKib};
    PRAGMA temp_store = MEMORY;
  `);
  if (options.maxBytes !== undefined) {
    database.exec(`PRAGMA max_page_count = ${Math.floor(options.maxBytes / pageBytes)}`);
  }
}

function serve(port: MessagePort, options: DatabaseOptions): void {
  const send: Send = (message, moved = []) => port.postMessage(message, moved);
  const database = new DatabaseSync(options.file, { open: false, timeout: busyTimeoutMs });
  try {
    database.open();
    configure(database, options);
    const migrated = migrate(database, options.file, options.openedAtMs);
    const handlers = {
      ...registryUnits(database, options.keptDeletions),
      ...dueUnits(database),
    };
    const commit = createGroupCommit(database, handlers);
    port.on('message', (first: ToWorker) => {
      const { calls, close } = takeArrived(port, first);
      if (calls.length > 0) sendAnswers(calls, commit(calls), handlers, send);
      if (!close) return;
      database.close();
      port.close();
    });
    send({ kind: 'opened', migrated });
  } catch (error) {
    if (database.isOpen) database.close();
    send({ kind: 'refused', message: openingFailure(options.file, error) });
  }
}

/** What the operator reads; faults that are not the database's are thrown on. */
function openingFailure(file: string, error: unknown): string {
  if (error instanceof DataDirectoryRefused) return error.message;
  if (!(error instanceof Error) || !('errcode' in error)) throw error;
  return (
    `${file} cannot be opened: ${error.message}. ` +
    'Make the file readable, put a copy in its place, or start with --data OTHER.'
  );
}

function sendAnswers(
  calls: readonly Call[],
  answers: readonly Answer[],
  handlers: UnitHandlers<UnitName>,
  send: Send,
): void {
  const moved = answers.flatMap((answer, n) => {
    const call = calls[n];
    return answer.ok && call !== undefined ? movedFrom(handlers, call.unit, answer.output) : [];
  });
  send({ kind: 'answers', answers: packAnswers(answers) }, moved);
}

function movedFrom(handlers: UnitHandlers<UnitName>, unit: UnitName, output: Output) {
  const { payloads } = handlers[unit];
  if (payloads === undefined) return [];
  // as: the output is that unit's own, which the compiler cannot follow through the table.
  return movedBuffers((payloads as (own: Output) => readonly Uint8Array[])(output));
}

/** The message at hand and all that came in while the last commit ran. */
function takeArrived(port: MessagePort, first: ToWorker) {
  const calls: Call[] = [];
  let close = false;
  for (let next: ToWorker | undefined = first; next !== undefined; next = takeNext(port)) {
    if (next.kind === 'close') close = true;
    else for (const call of unpackCalls(next.calls)) calls.push(call);
  }
  return { calls, close };
}

function takeNext(port: MessagePort): ToWorker | undefined {
  const received: { readonly message: ToWorker } | undefined = receiveMessageOnPort(port);
  return received?.message;
}

if (parentPort === null) throw new Error('database-worker.ts runs as a worker thread only');
serve(parentPort, workerData as DatabaseOptions); // as: database-thread.ts starts this file with nothing else
