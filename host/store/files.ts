// Small files and folders written so that a power cut leaves the old content or the new, never a mixture.

import { open, rename, rm } from 'node:fs/promises';
import { hasErrorCode } from '../../runtime/error-code.ts';

/** Makes the names in a folder durable: new files, renames and removals. */
export async function syncDirectory(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes or replaces a file through `temporary`, a path in the same folder; the caller syncs the folder. */
export async function replaceFile(
  path: string,
  temporary: string,
  text: string,
  mode: number,
): Promise<void> {
  try {
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The value, or undefined when the file or folder it is about does not exist. */
export async function ifPresent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
