// Cuts a stream of bytes into lines, without making strings of them. What it holds is one line at most.

const LINE_FEED = 0x0a;
const FIRST_CAPACITY = 1024;

/** A larger buffer is given back after the line it was needed for. */
const KEPT_CAPACITY = 16 * 1024;

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: Buffer) => void;
  /** The line that has no end yet; a copy, since a view would keep the whole chunk it came with. */
  #open = Buffer.alloc(0);
  #openBytes = 0;

  /**
   * A line is delivered with its LF and is at most `maxBytes` long, LF included; a longer one is cut between characters and each
   * part given an LF. The bytes are valid during the call only.
   */
  constructor(maxBytes: number, onLine: (line: Buffer) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Only what is new is searched: a line that comes byte by byte is not read again for each of them. */
  push(chunk: Buffer): void {
    let at = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, at);
      if (end < 0) break;
      if (this.#openBytes === 0 && end - at < this.#maxBytes)
        this.#onLine(chunk.subarray(at, end + 1));
      else {
        this.#keep(chunk.subarray(at, end));
        this.#deliver(this.#openBytes);
      }
      at = end + 1;
    }
    if (at < chunk.length) this.#keep(at === 0 ? chunk : chunk.subarray(at));
  }

  /** Ends the line that has no LF yet, if there is one. */
  flush(): void {
    if (this.#openBytes > 0) this.#deliver(this.#openBytes);
  }

  /** `bytes` are without LF. */
  #keep(bytes: Buffer): void {
    let rest = bytes;
    for (;;) {
      const room = this.#maxBytes - 1 - this.#openBytes;
      this.#append(rest.length <= room ? rest : rest.subarray(0, room));
      if (rest.length <= room) return;
      this.#deliver(characterStart(this.#open, this.#openBytes, rest[room]));
      rest = rest.subarray(room);
    }
  }

  #append(bytes: Buffer): void {
    const wanted = this.#openBytes + bytes.length + 1;
    if (wanted > this.#open.length) {
      const capacity = Math.max(wanted, FIRST_CAPACITY, 2 * this.#open.length);
      const larger = Buffer.allocUnsafeSlow(Math.min(capacity, this.#maxBytes));
      larger.set(this.#open.subarray(0, this.#openBytes));
      this.#open = larger;
    }
    this.#open.set(bytes, this.#openBytes);
    this.#openBytes += bytes.length;
  }

  /** Delivers the first `bytes` of the open line; the others, the beginning of a character, stay. */
  #deliver(bytes: number): void {
    const open = this.#open;
    const isCut = bytes < this.#openBytes;
    const rest = isCut ? Buffer.from(open.subarray(bytes, this.#openBytes)) : undefined;
    open[bytes] = LINE_FEED;
    this.#openBytes = 0;
    if (open.length > KEPT_CAPACITY) this.#open = Buffer.alloc(0);
    this.#onLine(open.subarray(0, bytes + 1));
    if (rest !== undefined) this.#append(rest);
  }
}

/**
 * Where to cut bytes of which `end` are there and `next` follows: at `end`, or up to three bytes before it where a character would
 * be torn.
 */
export function characterStart(bytes: Uint8Array, end: number, next: number | undefined): number {
  let start = end;
  for (let byte = next; isContinuation(byte) && start > 0 && end - start < 3; byte = bytes[start])
    start -= 1;
  return start === 0 ? end : start;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
