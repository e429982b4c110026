// Lays unpacked packages over one another, as layers are: of what two of them have under one name, the later one's stays. Runs in a
// worker thread, hence the synchronous calls.
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeSize } from './tree-writer.ts';

/**
 * Creates `target`, which must not exist, on the file system of the parts. They are the caller's own and are moved, not copied: what is
 * left of them is of no use.
 */
export function mergeTrees(parts: readonly string[], target: string): TreeSize {
  mkdirSync(target);
  chmodSync(target, 0o755);
  for (const part of parts) overlay(part, target);
  return sizeOf(target);
}

/** Directories are joined; anything else replaces what is there, a link itself and never what it points to. */
function overlay(from: string, onto: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const place = join(onto, entry.name);
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found?.isDirectory() === true && entry.isDirectory()) {
      overlay(source, place);
    } else {
      if (found !== undefined) rmSync(place, { recursive: true });
      renameSync(source, place);
    }
  }
}

function sizeOf(tree: string): TreeSize {
  let unzippedBytes = 0;
  let entries = 0;
  for (const entry of readdirSync(tree, { withFileTypes: true, recursive: true })) {
    entries += 1;
    if (entry.isFile()) unzippedBytes += lstatSync(join(entry.parentPath, entry.name)).size;
  }
  return { unzippedBytes, entries };
}
