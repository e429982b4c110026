// Writes the entries of one archive below a fresh directory, under the rules of entry-rules.ts. Runs in a worker thread, hence
// the synchronous calls. Errors of the file system are the host's and leave here as they are.
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  type ArchiveLimits,
  ArchiveRefused,
  checkLinkTarget,
  checkName,
  EntryTree,
  refuse,
} from './entry-rules.ts';

/** A name as the archive has it, without the slash that marks a directory. */
export interface EntryName {
  readonly path: string;
  /** The bytes `path` was decoded from. */
  readonly raw: Uint8Array;
}

export interface FileAttributes {
  /** Permission bits as the archive has them; all that is kept of them is whether anyone may execute. */
  readonly mode: number;
  /** Kept, because Python compares it with what its compiled files say. */
  readonly modified: Date | undefined;
}

/** One file being written. Dispose of it in any case; `end` only when it is whole. */
export interface FileSink extends Disposable {
  write(chunk: Uint8Array): void;
  end(): void;
}

/** What a finished tree takes. */
export interface TreeSize {
  /** Sum of the files' sizes. */
  readonly unzippedBytes: number;
  /** Files, directories and links, without the root. */
  readonly entries: number;
}

const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export class TreeWriter {
  readonly #root: string;
  readonly #limits: ArchiveLimits;
  readonly #tree: EntryTree;
  readonly #links: { readonly path: string; readonly target: string }[] = [];
  #bytes = 0;

  /** Creates `root`, which must not exist and whose parent nobody else may write to. */
  constructor(root: string, limits: ArchiveLimits) {
    this.#root = root;
    this.#limits = limits;
    this.#tree = new EntryTree(limits);
    makeDirectory(root);
  }

  directory(name: EntryName): void {
    checkName(name.path, name.raw, this.#limits);
    this.#makeDirectories(this.#tree.add(name.path, 'directory'));
  }

  file(name: EntryName, attributes: FileAttributes): FileSink {
    checkName(name.path, name.raw, this.#limits);
    this.#makeDirectories(this.#tree.add(name.path, 'file'));
    const descriptor = openSync(join(this.#root, name.path), createNew, 0o600);
    let open = true;
    return {
      write: (chunk) => {
        this.#count(chunk.length);
        writeWhole(descriptor, chunk);
      },
      end: () => {
        // Nothing of suid, sgid, sticky or the owner's own wishes: readable by all, executable by all or by nobody.
        fchmodSync(descriptor, (attributes.mode & 0o111) === 0 ? 0o644 : 0o755);
        const modified = attributes.modified?.getTime() ?? Number.NaN;
        if (modified >= 0) futimesSync(descriptor, modified / 1000, modified / 1000);
      },
      [Symbol.dispose]: () => {
        if (open) closeSync(descriptor);
        open = false;
      },
    };
  }

  /** The link itself is made by `finish`, so that nothing can be written through it. */
  symlink(name: EntryName, target: string): void {
    checkName(name.path, name.raw, this.#limits);
    checkLinkTarget(name.path, target, this.#limits);
    this.#makeDirectories(this.#tree.add(name.path, 'symlink', target));
    this.#links.push({ path: name.path, target });
  }

  /** A second name for a file that came earlier; counted as if it were a copy. */
  hardLink(name: EntryName, existing: string): void {
    checkName(name.path, name.raw, this.#limits);
    if (this.#tree.kindOf(existing) !== 'file') {
      refuse('hard link to what is not an earlier file', name.path);
    }
    this.#makeDirectories(this.#tree.add(name.path, 'file'));
    const source = join(this.#root, existing);
    this.#count(statSync(source).size);
    linkSync(source, join(this.#root, name.path));
  }

  finish(): TreeSize {
    if (this.#tree.size === 0) throw new ArchiveRefused('empty', 'the archive has no entries');
    this.#tree.checkLinks();
    for (const { path, target } of this.#links) symlinkSync(target, join(this.#root, path));
    return { unzippedBytes: this.#bytes, entries: this.#tree.size };
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxUnzippedBytes) {
      throw new ArchiveRefused('tooLarge', `more than ${this.#limits.maxUnzippedBytes} bytes`);
    }
  }

  #makeDirectories(paths: readonly string[]): void {
    for (const path of paths) makeDirectory(join(this.#root, path));
  }
}

/** 0755 whatever the process's umask is: slots run under a foreign uid. */
function makeDirectory(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
}

function writeWhole(descriptor: number, chunk: Uint8Array): void {
  for (let written = 0; written < chunk.length; ) {
    written += writeSync(descriptor, chunk, written);
  }
}
