// What one environment's function and platform write, made into log events for its stream and into the 4 KB tail.
// Bounds what a function that prints without end can cost: its bytes stay bytes, long lines are split, and the reader pauses above
// a rate.
import { isUtf8 } from 'node:buffer';
import type { LogSink } from '../invocation.ts';
import { characterStart, LineSplitter } from './line-splitter.ts';
import { LogTail } from './log-tail.ts';
import type { LogFormat } from './platform-log.ts';

/** One event is at most this long, its LF included; longer ones are split. */
const MAX_EVENT_BYTES = 262_144;

/** A function may log this much per window on average; beyond it the reading of its output pauses. */
const WINDOW_MS = 40;
const WINDOW_BYTES = 2 * 1024 * 1024;

/** A sink that is behind is waited for, for so long at a time: a function must not hang with the disk of its host. */
const MAX_BEHIND_MS = 1000;

/** What each piece and each event counts beside its bytes: the host's work for an empty one is not nothing. */
const OVERHEAD_BYTES = 96;

const BRACE = '{'.charCodeAt(0);
const LINE_FEED = Buffer.from('\n');

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
  readonly #lines = new LineSplitter(MAX_EVENT_BYTES, (line) => this.#rawLine(line));
  /** Made when the first caller asks for one. */
  #tail: LogTail | undefined;
  #isTailWanted = false;
  /** When the platform last had a line, for the log or left out. */
  #platformEpochMs = 0;
  /** When the last piece of raw output was written. */
  #rawEpochMs = 0;
  #debtBytes = 0;
  #paidOffAt: number;
  #resume: NodeJS.Timeout | undefined;
  /** How long the sink has been behind while nothing was read. */
  #waitedMs = 0;
  #isClosed = false;

  constructor(options: FunctionLogOptions) {
    this.#options = options;
    this.#paidOffAt = options.epochMs();
    this.#leastLevel = LEVELS[options.applicationLogLevel.toUpperCase()] ?? 1;
  }

  /** From here to {@link takeTail} every event is also kept for the tail. */
  beginTail(): void {
    this.#tail ??= new LogTail();
    this.#tail.clear();
    this.#isTailWanted = true;
  }

  /** At most the last 4,096 bytes since {@link beginTail}; the first line may be partial. */
  takeTail(): Buffer {
    this.#isTailWanted = false;
    return this.#tail?.take() ?? Buffer.alloc(0);
  }

  /** A line of the platform; empty text is left out. */
  platform(epochMs: number, line: string): void {
    this.#platformEpochMs = epochMs;
    if (line !== '') this.#emit(epochMs, line);
  }

  /** One whole event of a console method, its LF included. */
  event(epochMs: number, text: Buffer): void {
    this.#account(text.length);
    this.#lines.flush();
    let rest = text;
    while (rest.length > MAX_EVENT_BYTES) {
      const most = MAX_EVENT_BYTES - 1;
      const end = characterStart(rest, most, rest[most]);
      this.#emitOutput(epochMs, Buffer.concat([rest.subarray(0, end), LINE_FEED]));
      rest = rest.subarray(end);
    }
    this.#emitOutput(epochMs, rest);
  }

  /** A piece of the byte stream of stdout and stderr; each line becomes one event, of the time at which its end was written. */
  raw(epochMs: number, chunk: Buffer): void {
    this.#account(chunk.length);
    this.#rawEpochMs = epochMs;
    this.#lines.push(chunk);
  }

  /** Ends a line that has no LF yet, as the end of an invocation does. */
  endInvocation(): void {
    this.#lines.flush();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#resume);
    this.#lines.flush();
    this.#isClosed = true;
    this.#options.sink.close();
  }

  #rawLine(line: Buffer): void {
    this.#account(0);
    if (!this.#isFilteredOut(line)) this.#emitOutput(this.#rawEpochMs, line);
  }

  /** The platform itself filters lines that are JSON objects; a missing or unknown level counts as INFO. */
  #isFilteredOut(line: Buffer): boolean {
    if (this.#options.format !== 'JSON' || this.#leastLevel <= 1 || line[0] !== BRACE) return false;
    try {
      const level: unknown = (JSON.parse(line.toString()) as { level?: unknown }).level; // narrowed on the next line
      const name = typeof level === 'string' ? level.toUpperCase() : 'INFO';
      return (LEVELS[name] ?? LEVELS['INFO'] ?? 0) < this.#leastLevel;
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  }

  /**
   * What an event writes that was sent ahead can be older than the reading of the answer before it. It comes after that one's END
   * and its own START by time as well: logs are read in the order of their times.
   */
  #emitOutput(epochMs: number, message: Buffer): void {
    this.#emit(Math.max(epochMs, this.#platformEpochMs), message);
  }

  /** What comes after the end has no invocation and no stream to belong to. Bytes that are no UTF-8 are replaced. */
  #emit(epochMs: number, message: string | Buffer): void {
    if (this.#isClosed) return;
    const isText = typeof message === 'string' || isUtf8(message);
    const text = isText ? message : Buffer.from(message.toString());
    this.#options.sink.write(epochMs, text);
    if (this.#isTailWanted) this.#tail?.add(text);
  }

  /** Counts work for the host; more than it should do at once is paid off by not reading on. */
  #account(bytes: number): void {
    this.#debtBytes += bytes + OVERHEAD_BYTES;
    if (this.#resume !== undefined) return;
    const { isBehind } = this.#options.sink;
    if (!isBehind) this.#waitedMs = 0;
    if (!this.#mustWait(isBehind)) return;
    this.#options.pauseReading(true);
    this.#resumeLater();
  }

  #mustWait(isBehind: boolean): boolean {
    if (isBehind && this.#waitedMs < MAX_BEHIND_MS) return true;
    if (this.#debtBytes > WINDOW_BYTES) this.#payOff();
    return this.#debtBytes > WINDOW_BYTES;
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
      const { isBehind } = this.#options.sink;
      this.#waitedMs = isBehind ? this.#waitedMs + WINDOW_MS : 0;
      if (this.#mustWait(isBehind)) this.#resumeLater();
      else this.#options.pauseReading(false);
    }, WINDOW_MS);
  }
}
