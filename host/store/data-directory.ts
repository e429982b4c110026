// The data directory: its layout and modes, its id, and the lock that makes it one host's own.
import { randomUUID } from 'node:crypto';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ifPresent, replaceFile, syncDirectory } from './files.ts';
import { DataDirectoryRefused } from './store.ts';

/** Slots run under uids of their own and walk through the first and `slots`; `code` is walked to unpacked trees. */
const rootMode = 0o711;
const folderModes = {
  db: 0o700,
  secrets: 0o700,
  code: 0o711,
  slots: 0o711,
  logs: 0o700,
} as const satisfies Record<string, number>;

export type DataFolder = keyof typeof folderModes;

/** Long enough for two starting hosts to get out of each other's way, so that one of them wins. */
const lockPatienceMs = 250;

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A data directory that belongs to this process until disposed. */
export interface DataDirectory extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Random, made with the directory and the same ever after. */
  readonly hostId: string;
  /** Absolute path of each folder. */
  readonly folders: Readonly<Record<DataFolder, string>>;
}

/** Creates what is missing and takes the lock. Throws {@link DataDirectoryRefused} when the directory cannot be used. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const wanted = resolve(path);
  try {
    return await openLayout(wanted);
  } catch (error) {
    if (error instanceof DataDirectoryRefused || !isSystemError(error)) throw error;
    throw new DataDirectoryRefused(
      `${wanted} cannot be the data directory: ${error.message}. Mend it, or start with --data OTHER.`,
      { cause: error },
    );
  }
}

async function openLayout(wanted: string): Promise<DataDirectory> {
  const path = await createRoot(wanted);
  const folders = await createFolders(path);
  await using stack = new AsyncDisposableStack();
  stack.use(await takeLock(path, folders.db));
  const hostId = await readOrMakeId(path);
  const owned = stack.move();
  return { path, hostId, folders, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Sets the mode of a directory that is new, empty or already ours; any other keeps the one its owner gave it. */
async function createRoot(wanted: string): Promise<string> {
  const created = await makeDirectories(wanted);
  if (created !== undefined) await syncParents(wanted, dirname(created));
  const path = await realpath(wanted);
  const names = await readdir(path);
  if (names.length === 0 || names.includes('id')) await chmod(path, rootMode);
  return path;
}

/**
 * Returns the outermost directory that was made. NOTE: Node's own recursive mkdir never ends where a parent is there and yet
 * says ENOENT, as /proc does.
 */
async function makeDirectories(path: string): Promise<string | undefined> {
  if (await isDirectory(path)) return undefined;
  const parent = dirname(path);
  const created = parent === path ? undefined : await makeDirectories(parent);
  try {
    await mkdir(path);
  } catch (error) {
    // Another start may have been quicker.
    if (await isDirectory(path)) return created;
    throw error;
  }
  return created ?? path;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await ifPresent(stat(path)))?.isDirectory() ?? false;
}

/** From the folder that holds `path` up to `top`: each has got a new name in it. */
async function syncParents(path: string, top: string): Promise<void> {
  const parent = dirname(path);
  await syncDirectory(parent);
  if (parent !== top && parent !== path) await syncParents(parent, top);
}

async function createFolders(root: string): Promise<Record<DataFolder, string>> {
  const folders = {
    db: join(root, 'db'),
    secrets: join(root, 'secrets'),
    code: join(root, 'code'),
    slots: join(root, 'slots'),
    logs: join(root, 'logs'),
  };
  for (const [name, mode] of Object.entries(folderModes)) {
    const folder = join(root, name);
    await mkdir(folder, { recursive: true, mode });
    await chmod(folder, mode); // whatever the umask or an earlier hand made of it
  }
  await syncDirectory(root);
  return folders;
}

/**
 * An exclusive transaction on the empty database `db/lock`. Underneath it is a POSIX record lock of this process: the kernel
 * drops it when the process ends, however it ends, no child inherits it, and containers on one kernel see each other's.
 * NOTE: closing any other descriptor of that file in this process would drop it too, so nothing here may ever open it.
 */
async function takeLock(root: string, db: string): Promise<AsyncDisposable> {
  const lock = new DatabaseSync(join(db, 'lock'), { timeout: lockPatienceMs });
  const holderFile = join(db, 'holder.json');
  try {
    lock.exec('BEGIN EXCLUSIVE');
    await writeHolder(holderFile);
  } catch (error) {
    lock.close();
    throw isBusy(error) ? await ownedByAnother(root, holderFile) : error;
  }
  return {
    async [Symbol.asyncDispose]() {
      if (!lock.isOpen) return;
      await rm(holderFile, { force: true });
      lock.close();
    },
  };
}

interface Holder {
  readonly pid: number;
  readonly hostName: string;
}

async function writeHolder(file: string): Promise<void> {
  const holder: Holder = { pid: process.pid, hostName: hostname() };
  const temporary = `${file}.new`;
  await writeFile(temporary, JSON.stringify(holder));
  await rename(temporary, file);
}

async function ownedByAnother(root: string, holderFile: string): Promise<DataDirectoryRefused> {
  const holder = parseHolder(await ifPresent(readFile(holderFile, 'utf8')));
  return new DataDirectoryRefused(
    `Another lambkin host${describeHolder(holder)} owns ${root}. ` +
      'Stop it, or start this one with --data OTHER.',
  );
}

function describeHolder(holder: Holder | undefined): string {
  if (holder === undefined) return '';
  const where = holder.hostName === hostname() ? '' : ` on ${holder.hostName}`;
  return ` (pid ${holder.pid}${where})`;
}

/** Undefined in the moment before a new holder has written its name. */
function parseHolder(text: string | undefined): Holder | undefined {
  if (text === undefined) return undefined;
  const holder: unknown = JSON.parse(text);
  if (typeof holder !== 'object' || holder === null) return undefined;
  if (!('pid' in holder) || typeof holder.pid !== 'number') return undefined;
  if (!('hostName' in holder) || typeof holder.hostName !== 'string') return undefined;
  return { pid: holder.pid, hostName: holder.hostName };
}

async function readOrMakeId(root: string): Promise<string> {
  const file = join(root, 'id');
  const text = await ifPresent(readFile(file, 'utf8'));
  if (text === undefined) {
    const id = randomUUID();
    await replaceFile(file, `${file}.new`, `${id}\n`, 0o644);
    await syncDirectory(root);
    return id;
  }
  const id = text.trim();
  if (idPattern.test(id)) return id;
  throw new DataDirectoryRefused(
    `${file} does not hold this directory's id. Remove the file to have a new one made.`,
  );
}

/** SQLITE_BUSY: somebody else holds the lock. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}

/** What the file system or SQLite answered, as against a fault of this program. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && ('syscall' in error || 'errcode' in error);
}
