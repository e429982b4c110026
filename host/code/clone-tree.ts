// A second copy of an unpacked tree that shares its files: directories are new, files and links are hard links. Runs in a
// worker thread, hence the synchronous calls.
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasErrorCode } from '../../runtime/error-code.ts';

/** The file has too many names, or the file system has no hard links: a copy does as well, only slower. */
const linkRefusals = ['EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP'];

/** Creates `target`, which must not exist, on the file system of `source`. */
export function cloneTree(source: string, target: string): void {
  mkdirSync(target);
  chmodSync(target, 0o755);
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) cloneTree(from, to);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else cloneFile(from, to);
  }
}

function cloneFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!linkRefusals.some((code) => hasErrorCode(error, code))) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}
