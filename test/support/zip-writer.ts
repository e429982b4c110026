// Writes zip archives by hand, so that every field can lie. What is not said is said truthfully.
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  /** Bytes for names that are no UTF-8. */
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  /** Upper half of the external attributes: type and permissions. Default 0o100644. */
  readonly mode?: number;
  /** 0 stored, 8 deflated; another number is written as it is over stored bytes. Default 8. */
  readonly method?: number;
  /** General purpose flags; default: UTF-8 names. */
  readonly flags?: number;
  /** What the archive says instead of the truth. */
  readonly declared?: {
    readonly crc32?: number;
    readonly compressedSize?: number;
    readonly uncompressedSize?: number;
  };
  /** Sizes and offset in a zip64 extra field. */
  readonly zip64?: boolean;
  /** Extra fields of the central directory, whole. */
  readonly extra?: Uint8Array;
}

export interface ZipOptions {
  /** Before the first entry; offsets count it. */
  readonly prefix?: Uint8Array;
  /** After the end record. */
  readonly suffix?: Uint8Array;
  /** Entries the end record speaks of, instead of the truth. */
  readonly declaredEntries?: number;
  /** Where the central directory is said to be, instead of the truth. */
  readonly declaredOffset?: number;
  /** End records in their zip64 form. */
  readonly zip64?: boolean;
}

export const utf8Names = 0x800;
const max32 = 0xffffffff;

/** The archive, entries in the order given, duplicates and all. */
export function zip(entries: readonly ZipEntry[], options: ZipOptions = {}): Buffer {
  const parts: Uint8Array[] = options.prefix === undefined ? [] : [options.prefix];
  const directory: Uint8Array[] = [];
  let offset = options.prefix?.length ?? 0;
  for (const entry of entries) {
    const { local, central } = writeEntry(entry, offset);
    parts.push(local);
    directory.push(central);
    offset += local.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const count = options.declaredEntries ?? entries.length;
  const start = options.declaredOffset ?? offset;
  if (options.zip64 === true) {
    const recordAt = offset + directoryBytes.length;
    parts.push(directoryBytes, zip64End(count, directoryBytes.length, start, recordAt));
    parts.push(end(0xffff, max32, max32));
  } else {
    parts.push(directoryBytes, end(count, directoryBytes.length, start));
  }
  if (options.suffix !== undefined) parts.push(options.suffix);
  return Buffer.concat(parts);
}

function writeEntry(entry: ZipEntry, offset: number) {
  const name = Buffer.from(entry.name);
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? 8;
  const data = method === 8 ? deflateRawSync(content) : content;
  const sizes = {
    crc32: entry.declared?.crc32 ?? crc32(content),
    compressedSize: entry.declared?.compressedSize ?? data.length,
    uncompressedSize: entry.declared?.uncompressedSize ?? content.length,
  };
  const flags = entry.flags ?? utf8Names;
  const local = localHeader(name, method, flags, sizes);
  const extra = Buffer.concat([
    entry.extra ?? Buffer.alloc(0),
    entry.zip64 === true ? zip64Extra(sizes, offset) : Buffer.alloc(0),
  ]);
  const hidden = entry.zip64 === true;
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE((3 << 8) | 45, 4); // made on Unix
  central.writeUInt16LE(45, 6);
  central.writeUInt16LE(flags, 8);
  central.writeUInt16LE(method, 10);
  central.writeUInt16LE((1 << 5) | 1, 14); // 1 January 1980
  central.writeUInt32LE(sizes.crc32, 16);
  central.writeUInt32LE(hidden ? max32 : sizes.compressedSize, 20);
  central.writeUInt32LE(hidden ? max32 : sizes.uncompressedSize, 24);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  central.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
  central.writeUInt32LE(hidden ? max32 : offset, 42);
  return {
    local: Buffer.concat([local, name, data]),
    central: Buffer.concat([central, name, extra]),
  };
}

interface Sizes {
  readonly crc32: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
}

function localHeader(name: Buffer, method: number, flags: number, sizes: Sizes): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(45, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(method, 8);
  header.writeUInt16LE((1 << 5) | 1, 12);
  header.writeUInt32LE(sizes.crc32, 14);
  header.writeUInt32LE(sizes.compressedSize, 18);
  header.writeUInt32LE(sizes.uncompressedSize, 22);
  header.writeUInt16LE(name.length, 26);
  return header;
}

function zip64Extra(sizes: Sizes, offset: number): Buffer {
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(0x0001, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(BigInt(sizes.uncompressedSize), 4);
  extra.writeBigUInt64LE(BigInt(sizes.compressedSize), 12);
  extra.writeBigUInt64LE(BigInt(offset), 20);
  return extra;
}

function zip64End(count: number, size: number, start: number, recordAt: number): Buffer {
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(recordAt), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator]);
}

function end(count: number, size: number, start: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(start, 16);
  return record;
}
