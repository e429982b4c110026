// Reads a tar archive, gzipped or not, into a TreeWriter: packages of ours beside the service's zip, under the same rules. Names
// may begin with `./`, since `tar -czf x.tgz .` writes them so. Runs in a worker thread.
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { type ArchiveLimits, ArchiveRefused, readingFault, refuse } from './entry-rules.ts';
import type { EntryName, FileSink, TreeWriter } from './tree-writer.ts';

/** Headers, padding and the end mark, per entry and generously: a longer tar is not a package but a bomb. */
const overheadPerEntryBytes = 4096;

const compressedMagics = [Buffer.from([0x1f, 0x8b]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd])];

/** Writes every entry; throws `ArchiveRefused` for what the archive is to blame for. */
export async function untar(
  archive: string,
  gzipped: boolean,
  writer: TreeWriter,
  limits: ArchiveLimits,
): Promise<void> {
  using reader = new TarReader(writer);
  const maxBytes = limits.maxUnzippedBytes + limits.maxEntries * overheadPerEntryBytes;
  let bytes = 0;
  for await (const chunk of tarBytes(archive, gzipped)) {
    if (bytes === 0 && compressedMagics.some((magic) => chunk.indexOf(magic) === 0)) {
      refuse('compressed more than once');
    }
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new ArchiveRefused('tooLarge', `a tar of more than ${maxBytes} bytes`);
    }
    reader.read(chunk);
  }
  reader.end();
}

async function* tarBytes(archive: string, gzipped: boolean): AsyncGenerator<Buffer> {
  const file = createReadStream(archive, { highWaterMark: 256 * 1024 });
  // The callback has nothing to add: an error of either stream reaches the loop below.
  const bytes: AsyncIterable<Buffer> = gzipped ? pipeline(file, createGunzip(), () => {}) : file;
  try {
    yield* bytes;
  } catch (cause) {
    throw readingFault(cause);
  }
}

/** Feeds tar's parser and takes its entries. All of it is synchronous, so no more than one chunk is ever held. */
class TarReader implements Disposable {
  readonly #writer: TreeWriter;
  readonly #parser: Parser;
  /** The file being written, or the last one. */
  #sink: FileSink | undefined;
  #ended = false;

  constructor(writer: TreeWriter) {
    this.#writer = writer;
    // Strict: what tar would only warn of is thrown. Of compressed forms we let in gzip alone, and undo it ourselves.
    this.#parser = new Parser({ strict: true, brotli: false, zstd: false });
    this.#parser.on('error', (cause: Error) => {
      throw new ArchiveRefused('malformed', cause.message, { cause });
    });
    this.#parser.on('ignoredEntry', (entry: ReadEntry) => {
      refuse(`tar entry of type ${entry.type}`, entry.path);
    });
    this.#parser.on('eof', () => {
      this.#ended = true;
    });
    this.#parser.on('entry', (entry: ReadEntry) => this.#take(entry));
  }

  /** What follows the end mark is padding: tar keeps it in memory, we drop it. */
  read(chunk: Buffer): void {
    if (!this.#ended) this.#parser.write(chunk);
  }

  end(): void {
    this.#parser.end();
  }

  [Symbol.dispose](): void {
    this.#sink?.[Symbol.dispose]();
  }

  #take(entry: ReadEntry): void {
    if (entry.path.includes('\ufffd')) refuse('name not in UTF-8', entry.path);
    const path = withoutDots(entry.path);
    const name = { path, raw: Buffer.from(path) };
    switch (entry.type) {
      case 'File':
      case 'OldFile':
      case 'ContiguousFile':
        this.#takeFile(entry, name);
        return;
      case 'Directory':
        if (path !== '') this.#writer.directory(name);
        break;
      case 'SymbolicLink':
        this.#writer.symlink(name, entry.linkpath ?? '');
        break;
      case 'Link':
        this.#writer.hardLink(name, withoutDots(entry.linkpath ?? ''));
        break;
      default:
        refuse(`tar entry of type ${entry.type}`, path);
    }
    if (entry.remain > 0) refuse(`${entry.type} with content`, path);
    entry.resume();
  }

  #takeFile(entry: ReadEntry, name: EntryName): void {
    const sink = this.#writer.file(name, { mode: entry.mode ?? 0, modified: entry.mtime });
    this.#sink = sink;
    entry.on('end', () => {
      sink.end();
      sink[Symbol.dispose]();
    });
    entry.on('data', (chunk: Buffer) => sink.write(chunk));
  }
}

/** `./a/` is `a`, `./` is the root itself, the empty path. */
function withoutDots(path: string): string {
  return path.replace(/^(?:\.\/)+/, '').replace(/\/$/, '');
}
