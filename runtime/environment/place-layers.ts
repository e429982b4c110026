// Layers on their way into a slot: the slot's /opt is mounted already, so what is below it is renamed into place, entry by entry.
import { readdir, rename } from 'node:fs/promises';
import path from 'node:path';

/** Leaves `staged` empty. `optDir` exists, is empty and on the same file system. */
export async function placeLayers(staged: string, optDir: string): Promise<void> {
  const names = await readdir(staged);
  await Promise.all(names.map((name) => rename(path.join(staged, name), path.join(optDir, name))));
}
