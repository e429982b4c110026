// What one environment's function and platform write, made into log events for its stream and into the 4 KB tail.
// Bounds what a function that prints without end can cost: raw lines are split, and the reader pauses above a rate.
import { StringDecoder } from 'node:string_decoder';
import type { LogSink } from './invocation.ts';
import type { LogFormat } from './platform-log.ts';

/** `X-Amz-Log-Result` carries the last 4 KB, cut by bytes. */
export const LOG_TAIL_BYTES = 4096;

/** One event is at most this long; longer lines are split. */
const MAX_EVENT_CHARS = 262_144;

/** A function may log this much per window on average; beyond it the reading of its output pauses. */
const WINDOW_MS = 50;
const WINDOW_BYTES = 2 * 1024 * 1024;

/** What each piece and each event counts beside its bytes: the host's work for an empty one is not nothing. */
const OVERHEAD_BYTES = 128;

const LEVELS: Readonly<Record<string, number>> = {
  TRACE: 1,
  DEBUG: 2,
  INFO: 3,
  WARN: 4,
  ERROR: 5,
  FATAL: 6,
};

export interface FunctionLogOptions {
  readonly sink: LogSink;
  readonly format: LogFormat;
  /** With format JSON, lines that are JSON objects below this level are left out, as the platform does. */
  readonly applicationLogLevel: string;
  readonly epochMs: () => number;
  /** Stops or resumes reading what the function writes. */
  readonly pauseReading: (paused: boolean) => void;
}

export class FunctionLog implements Disposable {
  readonly #options: FunctionLogOptions;
  readonly #leastLevel: number;
  readonly #decoder = new StringDecoder('utf8');
  #partialLine = '';
  #tail: string[] | undefined;
  #tailChars = 0;
  #debtBytes = 0;
  #paidOffAt: number;
  #resume: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: FunctionLogOptions) {
    this.#options = options;
    this.#paidOffAt = options.epochMs();
    this.#leastLevel = LEVELS[options.applicationLogLevel.toUpperCase()] ?? 1;
  }

  /** From here to {@link takeTail} every event is also kept for the tail. */
  beginTail(): void {
    this.#tail = [];
    this.#tailChars = 0;
  }

  /** At most the last 4,096 bytes since {@link beginTail}; the first line may be partial. */
  takeTail(): Buffer {
    const bytes = Buffer.from((this.#tail ?? []).join(''));
    this.#tail = undefined;
    return bytes.subarray(Math.max(0, bytes.length - LOG_TAIL_BYTES));
  }

  /** A line of the platform; empty text is left out. */
  platform(epochMs: number, line: string): void {
    if (line !== '') this.#emit(epochMs, line);
  }

  /** One whole event of a console method, its LF included. */
  event(epochMs: number, text: Buffer): void {
    this.#account(text.length);
    this.#flushPartialLine();
    let rest = text.toString();
    while (rest.length > MAX_EVENT_CHARS) {
      this.#emit(epochMs, `${rest.slice(0, MAX_EVENT_CHARS)}\n`);
      rest = rest.slice(MAX_EVENT_CHARS);
    }
    this.#emit(epochMs, rest);
  }

  /** A piece of the byte stream of stdout and stderr; each line becomes one event. */
  raw(chunk: Buffer): void {
    this.#account(chunk.length);
    // Only what is new is searched: a line that comes byte by byte is not read again for each of them.
    const text = this.#decoder.write(chunk);
    let at = 0;
    for (;;) {
      const end = text.indexOf('\n', at);
      if (end < 0) break;
      const line = text.slice(at, end + 1);
      this.#rawLine(this.#partialLine === '' ? line : this.#partialLine + line);
      this.#partialLine = '';
      at = end + 1;
    }
    this.#partialLine += at === 0 ? text : text.slice(at);
    while (this.#partialLine.length > MAX_EVENT_CHARS) {
      this.#rawLine(`${this.#partialLine.slice(0, MAX_EVENT_CHARS)}\n`);
      this.#partialLine = this.#partialLine.slice(MAX_EVENT_CHARS);
    }
  }

  /** Ends a line that has no LF yet, as the end of an invocation does. */
  endInvocation(): void {
    this.#flushPartialLine();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#resume);
    this.#flushPartialLine();
    this.#isClosed = true;
    this.#options.sink.close();
  }

  #flushPartialLine(): void {
    if (this.#partialLine === '') return;
    const line = this.#partialLine;
    this.#partialLine = '';
    this.#rawLine(`${line}\n`);
  }

  #rawLine(line: string): void {
    this.#account(0);
    let rest = line;
    while (rest.length > MAX_EVENT_CHARS + 1) {
      this.#emit(this.#options.epochMs(), `${rest.slice(0, MAX_EVENT_CHARS)}\n`);
      rest = rest.slice(MAX_EVENT_CHARS);
    }
    if (this.#isFilteredOut(rest)) return;
    this.#emit(this.#options.epochMs(), rest);
  }

  /** The platform itself filters lines that are JSON objects; a missing or unknown level counts as INFO. */
  #isFilteredOut(line: string): boolean {
    if (this.#options.format !== 'JSON' || this.#leastLevel <= 1 || !line.startsWith('{'))
      return false;
    try {
      const level: unknown = (JSON.parse(line) as { level?: unknown }).level; // narrowed on the next line
      const name = typeof level === 'string' ? level.toUpperCase() : 'INFO';
      return (LEVELS[name] ?? LEVELS['INFO'] ?? 0) < this.#leastLevel;
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  }

  /** What comes after the end has no invocation and no stream to belong to. */
  #emit(epochMs: number, text: string): void {
    if (this.#isClosed) return;
    this.#options.sink.write(epochMs, text);
    const tail = this.#tail;
    if (tail === undefined) return;
    tail.push(text);
    this.#tailChars += text.length;
    // A character is at least one byte, so what precedes the last 4,096 characters cannot be in the tail.
    for (;;) {
      const first = tail[0];
      if (first === undefined || this.#tailChars - first.length < LOG_TAIL_BYTES) return;
      tail.shift();
      this.#tailChars -= first.length;
    }
  }

  /** Counts work for the host; more than it should do at once is paid off by not reading on. */
  #account(bytes: number): void {
    this.#debtBytes += bytes + OVERHEAD_BYTES;
    if (this.#debtBytes <= WINDOW_BYTES || this.#resume !== undefined) return;
    this.#payOff();
    if (this.#debtBytes <= WINDOW_BYTES) return;
    this.#options.pauseReading(true);
    this.#resumeLater();
  }

  #payOff(): void {
    const now = this.#options.epochMs();
    const paid = (Math.max(0, now - this.#paidOffAt) * WINDOW_BYTES) / WINDOW_MS;
    this.#debtBytes = Math.max(0, this.#debtBytes - paid);
    this.#paidOffAt = now;
  }

  #resumeLater(): void {
    this.#resume = setTimeout(() => {
      this.#resume = undefined;
      this.#payOff();
      if (this.#debtBytes > WINDOW_BYTES) this.#resumeLater();
      else this.#options.pauseReading(false);
    }, WINDOW_MS);
  }
}
