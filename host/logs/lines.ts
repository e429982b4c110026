// Reading a file of lines in pieces, so that memory does not grow with the file.
import { open } from 'node:fs/promises';

const PIECE_BYTES = 262_144;
const LINE_FEED = 0x0a;

/**
 * Calls back for each whole line within the first `endBytes` of a file; the bytes are valid during the call only. Returns the
 * length of what ends in a line feed: what is behind it is a torn line. Throws what the file system throws.
 */
export async function readLines(
  path: string,
  endBytes: number,
  onLine: (bytes: Buffer, start: number, end: number) => void,
): Promise<number> {
  await using file = await open(path, 'r');
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Math.max(endBytes, 1)));
  let unfinished = Buffer.alloc(0);
  let position = 0;
  while (position < endBytes) {
    const wanted = Math.min(piece.length, endBytes - position);
    const { bytesRead } = await file.read(piece, 0, wanted, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const bytes = Buffer.concat([unfinished, piece.subarray(0, bytesRead)]);
    unfinished = bytes.subarray(eachLine(bytes, onLine));
  }
  return position - unfinished.length;
}

function eachLine(
  bytes: Buffer,
  onLine: (bytes: Buffer, start: number, end: number) => void,
): number {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(LINE_FEED, start);
    if (end === -1) return start;
    onLine(bytes, start, end);
    start = end + 1;
  }
}
