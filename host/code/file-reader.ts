// Random access to an archive for yauzl, without its detour through the thread pool for every few bytes: a worker thread has
// nothing else to do while it reads, and thousands of small files mean tens of thousands of small reads.
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';

export class FileReader extends RandomAccessReader implements Disposable {
  readonly size: number;
  readonly #path: string;
  readonly #descriptor: number;
  #open = true;

  constructor(path: string) {
    super();
    this.#path = path;
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  /** The bytes at a position; throws when the file ends before. */
  bytes(position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    this.#fill(buffer, position);
    return buffer;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    try {
      this.#fill(buffer.subarray(offset, offset + length), position);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    callback(null);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return createReadStream(this.#path, { start, end: end - 1, highWaterMark: 256 * 1024 });
  }

  /** yauzl counts its users and would close us early when an archive fails to open; whoever created us disposes of us. */
  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  #fill(buffer: Buffer, position: number): void {
    // Positions come from the archive: beyond the file they are its fault, not that of the system call.
    if (position + buffer.length > this.size) throw new Error('archive ends too early');
    for (let filled = 0; filled < buffer.length; ) {
      const read = readSync(
        this.#descriptor,
        buffer,
        filled,
        buffer.length - filled,
        position + filled,
      );
      if (read === 0) throw new Error('archive ends too early');
      filled += read;
    }
  }
}
