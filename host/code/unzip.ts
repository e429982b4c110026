// Reads a zip archive into a TreeWriter. yauzl refuses what is structurally wrong or lies about sizes; kinds, names, encodings
// and checksums are checked here. Runs in a worker thread.
import { isUtf8 } from 'node:buffer';
import { crc32, inflateRawSync } from 'node:zlib';
import {
  type Entry,
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  type ZipFile,
} from 'yauzl';
import { type ArchiveLimits, type NodeKind, readingFault, refuse, show } from './entry-rules.ts';
import { FileReader } from './file-reader.ts';
import type { EntryName, TreeWriter } from './tree-writer.ts';

const utf8Flag = 0x800;
const unicodePathField = 0x7075;
const stored = 0;
const deflated = 8;

/** The file type bits of a Unix mode. */
const typeMask = 0o170000;
const regularType = 0o100000;
const directoryType = 0o040000;
const symlinkType = 0o120000;

/** Entries up to this size, packed and unpacked, are read in one go; a stream for each would take longer than its content. */
const maxWholeBytes = 1024 * 1024;

/**
 * Writes every entry; throws `ArchiveRefused` for what the archive is to blame for. `warn` gets remarks for the log on archives
 * that are taken nevertheless.
 */
export async function unzip(
  archive: string,
  writer: TreeWriter,
  limits: ArchiveLimits,
  warn: (remark: string) => void,
): Promise<void> {
  using reader = new FileReader(archive);
  const options = { autoClose: false, decodeStrings: false, strictFileNames: true };
  const file = await readingArchive(() =>
    fromRandomAccessReaderPromise(reader, reader.size, options),
  );
  if (file.entryCount > limits.maxEntries) refuse('too many entries');
  const unzipper = new Unzipper({ reader, file, writer, limits, warn });
  const entries = file.eachEntry();
  for (;;) {
    const next = await readingArchive(() => entries.next());
    if (next.done === true) return;
    await unzipper.take(next.value);
  }
}

interface UnzipperParts {
  readonly reader: FileReader;
  readonly file: ZipFile;
  readonly writer: TreeWriter;
  readonly limits: ArchiveLimits;
  readonly warn: (remark: string) => void;
}

class Unzipper {
  readonly #parts: UnzipperParts;

  constructor(parts: UnzipperParts) {
    this.#parts = parts;
  }

  async take(entry: Entry): Promise<void> {
    const { writer, warn } = this.#parts;
    const { name, isDirectory } = decodeName(entry, warn);
    if (entry.isEncrypted()) refuse('encrypted entry', name.path);
    if (entry.compressionMethod !== stored && entry.compressionMethod !== deflated) {
      refuse(`compression method ${entry.compressionMethod}`, name.path);
    }
    const mode = entry.externalFileAttributes >>> 16;
    switch (kindOf(name, isDirectory, mode & typeMask)) {
      case 'directory':
        if (entry.uncompressedSize > 0) refuse('directory with content', name.path);
        writer.directory(name);
        return;
      case 'symlink':
        writer.symlink(name, await this.#linkTarget(entry, name.path));
        return;
      case 'file':
        await this.#takeFile(entry, name, mode);
    }
  }

  async #takeFile(entry: Entry, name: EntryName, mode: number): Promise<void> {
    const modified = entry.getLastModDate({ timezone: 'UTC' });
    using sink = this.#parts.writer.file(name, { mode, modified });
    await this.#content(entry, name.path, (chunk) => sink.write(chunk));
    sink.end();
  }

  async #linkTarget(entry: Entry, path: string): Promise<string> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    await this.#content(entry, path, (chunk) => {
      length += chunk.length;
      if (length > this.#parts.limits.maxNameBytes) refuse('symbolic link too long', path);
      chunks.push(chunk);
    });
    return Buffer.concat(chunks).toString();
  }

  /** Hands on the content in pieces; it is complete and of the right checksum when this resolves. */
  async #content(entry: Entry, path: string, take: (chunk: Uint8Array) => void): Promise<void> {
    let checksum = 0;
    const check = (chunk: Uint8Array): void => {
      checksum = crc32(chunk, checksum);
      take(chunk);
    };
    if (Math.max(entry.compressedSize, entry.uncompressedSize) <= maxWholeBytes) {
      check(await readingArchive(() => this.#whole(entry)));
    } else {
      await this.#stream(entry, check);
    }
    if (checksum !== entry.crc32) refuse('checksum does not match', path);
  }

  async #whole(entry: Entry): Promise<Uint8Array> {
    const { file, reader } = this.#parts;
    const { fileDataStart } = await file.readLocalFileHeaderPromise(entry, { minimal: true });
    const data = reader.bytes(fileDataStart, entry.compressedSize);
    if (entry.compressionMethod === stored) return data;
    // The declared size is only ever a bound here: more is refused by zlib before it is in memory, less below.
    const content = inflateRawSync(data, { maxOutputLength: Math.max(1, entry.uncompressedSize) });
    if (content.length !== entry.uncompressedSize) throw new Error('size is not as declared');
    return content;
  }

  async #stream(entry: Entry, take: (chunk: Uint8Array) => void): Promise<void> {
    const stream = await readingArchive(() => this.#parts.file.openReadStreamPromise(entry));
    const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await readingArchive(() => chunks.next());
        if (next.done === true) return;
        take(next.value);
      }
    } finally {
      stream.destroy();
    }
  }
}

function kindOf(name: EntryName, isDirectory: boolean, type: number): NodeKind {
  if (type === 0 || type === regularType) return isDirectory ? 'directory' : 'file';
  if (type === directoryType) return 'directory';
  if (type === symlinkType && !isDirectory) return 'symlink';
  return refuse('device, pipe, socket or contradiction', name.path);
}

function decodeName(entry: Entry, warn: (remark: string) => void): DecodedName {
  const raw = entry.fileNameRaw;
  const flagged = (entry.generalPurposeBitFlag & utf8Flag) !== 0;
  const decoded = getFileNameLowLevel(entry.generalPurposeBitFlag, raw, entry.extraFields, true);
  const isDirectory = decoded.endsWith('/');
  const name = { path: isDirectory ? decoded.slice(0, -1) : decoded, raw };
  if ((flagged && !isUtf8(raw)) || decoded.includes('\ufffd')) refuse('name not in UTF-8', decoded);
  const hasUnicodePath = entry.extraFields.some((field) => field.id === unicodePathField);
  if (!flagged && !hasUnicodePath && raw.some((byte) => byte > 0x7f)) {
    warn(`name without the UTF-8 flag, read as code page 437: ${show(decoded)}`);
  }
  return { name, isDirectory };
}

interface DecodedName {
  readonly name: EntryName;
  readonly isDirectory: boolean;
}

async function readingArchive<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw readingFault(cause);
  }
}
