// The file through which the host tells a sandbox up to which number prefetched events are withdrawn; see protocol.ts.
import { writeFileSync } from 'node:fs';

const BYTES = 8;
const HALF = 2 ** 32;

/** What the file holds at first: nothing is withdrawn. */
export const NOTHING_WITHDRAWN: Uint8Array = new Uint8Array(BYTES);

/**
 * Whoever reads the file after this sees `upTo`. Throws what the file system says. Blocks for some microseconds, and is rare:
 * two writes in flight could pass one another.
 */
export function writeWithdrawn(file: string, upTo: number): void {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeUInt32LE(upTo % HALF, 0);
  bytes.writeUInt32LE(Math.floor(upTo / HALF), 4);
  writeFileSync(file, bytes, { flag: 'r+' });
}
