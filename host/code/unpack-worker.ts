// What the worker threads for packages run: reading, checking and unpacking archives. One export per task.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { type ArchiveFormat, archiveFormat, FORMAT_BYTES } from './archive-format.ts';
import { type ArchiveLimits, ArchiveRefused, type Refusal } from './entry-rules.ts';
import { type TreeSize, TreeWriter } from './tree-writer.ts';

export interface UnpackTask {
  /** A file nobody writes to. */
  readonly archive: string;
  /** Must not exist; below a directory of mode 0700. */
  readonly tree: string;
  readonly limits: ArchiveLimits;
}

/** A value and not an error, since a class does not survive the way out of a worker. */
export type UnpackResult =
  | ({ readonly kind: 'unpacked'; readonly warnings: readonly string[] } & TreeSize)
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly reason: string };

/** Remarks kept of one archive: enough to see what is odd about it. */
const maxWarnings = 10;
const chunkBytes = 1024 * 1024;

/** Lower-case hex SHA-256 of a file. */
export function digest(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const descriptor = openSync(path, 'r');
  try {
    for (;;) {
      const length = readSync(descriptor, buffer);
      if (length === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
}

export async function unpack(task: UnpackTask): Promise<UnpackResult> {
  const warnings: string[] = [];
  try {
    const size = await unpackInto(task, (remark) => {
      if (warnings.length < maxWarnings) warnings.push(remark);
    });
    return { kind: 'unpacked', ...size, warnings };
  } catch (error) {
    if (!(error instanceof ArchiveRefused)) throw error;
    return { kind: 'refused', refusal: error.refusal, reason: error.message };
  }
}

/** Readers are loaded when they are needed: most hosts never see a tar. */
async function unpackInto(
  { archive, tree, limits }: UnpackTask,
  warn: (remark: string) => void,
): Promise<TreeSize> {
  const format = formatOf(archive);
  const writer = new TreeWriter(tree, limits);
  if (format === 'zip') {
    const { unzip } = await import('./unzip.ts');
    await unzip(archive, writer, limits, warn);
  } else {
    const { untar } = await import('./untar.ts');
    await untar(archive, format === 'tgz', writer, limits);
  }
  return writer.finish();
}

function formatOf(path: string): ArchiveFormat {
  const head = Buffer.alloc(FORMAT_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    const length = readSync(descriptor, head);
    if (length === 0) throw new ArchiveRefused('empty', 'no bytes');
  } finally {
    closeSync(descriptor);
  }
  return archiveFormat(head);
}
