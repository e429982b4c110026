// Writes ustar archives by hand, so that every field can lie. What is not said is said truthfully.

export interface TarEntry {
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  /** Type flag: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 directory, 6 FIFO. Default: file. */
  readonly type?: string;
  readonly linkTarget?: string;
  /** What the header says instead of the truth. */
  readonly declaredSize?: number;
  /** Seconds since 1970. */
  readonly modified?: number;
}

const blockBytes = 512;

/** The archive, entries in the order given, with the end mark unless told otherwise. */
export function tar(entries: readonly TarEntry[], { endMark = true } = {}): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
    return [header(entry, content.length), content, padding];
  });
  if (endMark) parts.push(Buffer.alloc(2 * blockBytes));
  return Buffer.concat(parts);
}

/** A pax header that goes before the entry it speaks of. */
export function pax(records: Readonly<Record<string, string>>): TarEntry {
  const content = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + String(rest).length;
    length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return { name: 'PaxHeader', type: 'x', content: content.join('') };
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.set(Buffer.from(entry.name), 0);
  octal(block, entry.mode ?? 0o644, 100, 8);
  octal(block, 0, 108, 8);
  octal(block, 0, 116, 8);
  octal(block, entry.declaredSize ?? size, 124, 12);
  octal(block, entry.modified ?? 0, 136, 12);
  block.fill(' ', 148, 156);
  block.write(entry.type ?? '0', 156, 'latin1');
  block.write(entry.linkTarget ?? '', 157, 100, 'utf8');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, value: number, at: number, width: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
}
