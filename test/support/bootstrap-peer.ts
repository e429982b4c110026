// The host's side of the frames for tests of a bootstrap: spawns the real program with descriptor 3 as a socket and speaks to it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { NOTHING_WITHDRAWN, writeWithdrawn } from '../../runtime/slots/withdrawn-file.ts';

const MAIN = fileURLToPath(new URL('../../bootstrap/node/main.ts', import.meta.url));
const FUNCTIONS = fileURLToPath(new URL('../fixtures/functions/', import.meta.url));

/** One frame as it came up. `text` is the body after the fields named here. */
export type UpFrame =
  | { readonly kind: 'U' | 'R'; readonly maxRssKib: number }
  | {
      readonly kind: 'F';
      readonly maxRssKib: number;
      readonly errorType: string;
      readonly text: string;
    }
  | { readonly kind: 'N'; readonly id: string }
  | (AnswerHead & { readonly kind: 'O' | 'J'; readonly text: string })
  | (AnswerHead & {
      readonly kind: 'E' | 'X';
      readonly errorType: string;
      readonly text: string;
    })
  | LogFrame;

interface AnswerHead {
  readonly id: string;
  readonly maxRssKib: number;
  readonly durationUs: number;
}

export interface LogFrame {
  readonly kind: 'L';
  readonly level: number;
  readonly timestampMs: number;
  readonly text: string;
  readonly bytes: number;
}

export interface PeerOptions {
  /** A directory below test/fixtures/functions, or an absolute path. */
  readonly code: string;
  readonly handler?: string | undefined;
  /** The generation by its runtime; v4 by default. */
  readonly runtime?: 'nodejs24.x' | 'nodejs22.x' | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly nodeArguments?: readonly string[] | undefined;
}

export interface InvokeOptions {
  readonly id?: string | undefined;
  readonly remainingMs?: number | undefined;
  readonly arn?: string | undefined;
  readonly traceId?: string | undefined;
  readonly clientContext?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Sent as a prefetched event with this number. */
  readonly number?: number | undefined;
}

export interface PeerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A bootstrap process. Everything that arrives is kept in `frames`; the exit and the closed socket are both waited for. */
export class BootstrapPeer implements AsyncDisposable {
  readonly frames: UpFrame[] = [];
  readonly exit: Promise<PeerExit>;
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #closed: Promise<unknown>;
  readonly #options: PeerOptions;
  readonly #tmpDir: string;
  #received: Buffer = Buffer.alloc(0);
  #output = '';
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  private constructor(options: PeerOptions, tmpDir: string) {
    this.#options = options;
    this.#tmpDir = tmpDir;
    this.#child = spawn(process.execPath, [...(options.nodeArguments ?? []), MAIN], {
      env: { TMPDIR: tmpDir },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.exit = once(this.#child, 'exit').then(([code, signal]) => ({
      code: code as number | null, // the documented arguments of 'exit'
      signal: signal as NodeJS.Signals | null,
    }));
    this.#control = this.#child.stdio[3] as Socket; // 'pipe' above
    this.#closed = new Promise((resolve) => this.#control.once('close', resolve));
    this.#control.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#control.on('error', () => {}); // ECONNRESET of a process that died with frames unread
    void this.#closed.then(() => {
      this.#hasEnded = true;
      this.#wake();
    });
    for (const stream of [this.#child.stdout, this.#child.stderr] as Readable[]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
  }

  /** Spawns and returns when `U` is there. */
  static async spawn(options: PeerOptions): Promise<BootstrapPeer> {
    const tmpDir = await mkdtemp(join(tmpdir(), 'bootstrap-'));
    await writeFile(join(tmpDir, 'withdrawn'), NOTHING_WITHDRAWN);
    const peer = new BootstrapPeer(options, tmpDir);
    await peer.next('U');
    return peer;
  }

  /** Spawns, specialises and returns when `R` is there; throws when init fails. */
  static async start(options: PeerOptions): Promise<BootstrapPeer> {
    const peer = await BootstrapPeer.spawn(options);
    peer.specialise();
    const answer = await peer.next('R', 'F');
    if (answer.kind === 'R') return peer;
    await peer[Symbol.asyncDispose]();
    throw new Error(`init failed: ${JSON.stringify(answer)}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get tmpDir(): string {
    return this.#tmpDir;
  }

  get taskRoot(): string {
    return this.#options.code.startsWith('/') ? this.#options.code : FUNCTIONS + this.#options.code;
  }

  /** What came through descriptors 1 and 2. */
  get output(): string {
    return this.#output;
  }

  get logs(): readonly LogFrame[] {
    return this.frames.filter((frame) => frame.kind === 'L');
  }

  /** Prefetched events up to this number are withdrawn. */
  withdraw(upTo: number): void {
    writeWithdrawn(this.#withdrawnFile, upTo);
  }

  get #withdrawnFile(): string {
    return join(this.#tmpDir, 'withdrawn');
  }

  specialise(): void {
    const { handler = 'index.handler', runtime = 'nodejs24.x', env } = this.#options;
    const body = {
      env: {
        PATH: '/usr/bin:/bin',
        TZ: ':UTC',
        TMPDIR: this.#tmpDir,
        AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
        AWS_LAMBDA_FUNCTION_NAME: 'fixture',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/fixture',
        AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef',
        LAMBDA_TASK_ROOT: this.taskRoot,
        _HANDLER: handler,
        ...env,
      },
      withdrawnFile: this.#withdrawnFile,
    };
    this.send('S', Buffer.from(JSON.stringify(body)));
  }

  /** Sends one event and waits for its answer: `O`, `E`, `X` or `J`. */
  async invoke(event: unknown, options: InvokeOptions = {}) {
    const id = this.push(event, options);
    return this.answer(id);
  }

  /** Sends one event without waiting; its id. */
  push(event: unknown, options: InvokeOptions = {}): string {
    const { id = randomUUID(), remainingMs = 3000, number } = options;
    const remaining = Buffer.alloc(4);
    remaining.writeUInt32LE(remainingMs);
    const payload = Buffer.isBuffer(event) ? event : Buffer.from(JSON.stringify(event));
    const texts = [
      options.arn ?? 'arn:aws:lambda:us-east-1:000000000000:function:fixture',
      options.traceId,
      options.clientContext,
      options.tenantId,
    ].map(text16);
    const body = Buffer.concat([Buffer.from(id), remaining, ...texts, payload]);
    if (number === undefined) this.send('I', body);
    else this.send('P', Buffer.concat([u64(number), body]));
    return id;
  }

  async answer(id: string) {
    const isAnswer = (frame: UpFrame) => 'id' in frame && frame.id === id;
    const frame = await this.until(isAnswer, `an answer to ${id}`);
    if (frame.kind === 'O' || frame.kind === 'E' || frame.kind === 'X' || frame.kind === 'J')
      return frame;
    throw new Error(`frame ${frame.kind} has an id`);
  }

  /** The value that the function returned; throws on a function error. */
  async result(event: unknown, options: InvokeOptions = {}): Promise<unknown> {
    const answer = await this.invoke(event, options);
    if (answer.kind === 'O') return JSON.parse(answer.text) as unknown;
    throw new Error(`function error: ${answer.text}`);
  }

  async next<Kind extends UpFrame['kind']>(
    ...kinds: readonly Kind[]
  ): Promise<UpFrame & { readonly kind: Kind }> {
    const wanted = (frame: UpFrame) => (kinds as readonly string[]).includes(frame.kind);
    return (await this.until(wanted, kinds.join(' or '))) as UpFrame & { readonly kind: Kind }; // checked by `wanted`
  }

  /** The first frame that fits, already there or still to come. */
  async until(accepts: (frame: UpFrame) => boolean, what: string): Promise<UpFrame> {
    for (;;) {
      const found = this.frames.find(accepts);
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`the bootstrap ended without ${what}: ${this.#output}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  send(kind: 'S' | 'I' | 'P' | 'Q', body: Buffer = Buffer.alloc(0)): void {
    const head = Buffer.alloc(5);
    head.writeUInt32LE(body.length + 1);
    head.write(kind, 4, 'latin1');
    this.#control.write(Buffer.concat([head, body]));
  }

  /** Stops reading, so that the socket fills up. */
  pause(): void {
    this.#control.pause();
  }

  resume(): void {
    this.#control.resume();
  }

  /** Closes the host's end, as a host that dies does. */
  hangUp(): void {
    this.#control.destroy();
  }

  /** Waits for the end of the process and for all that it wrote. */
  async ended(): Promise<PeerExit> {
    const exit = await this.exit;
    await this.#closed;
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exit;
    this.#control.destroy();
    await this.#closed;
    await rm(this.#tmpDir, { recursive: true, force: true });
  }

  #wake(): void {
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readUInt32LE(0);
      if (this.#received.length < end) break;
      this.frames.push(decode(this.#received.subarray(4, end)));
      this.#received = this.#received.subarray(end);
    }
    this.#wake();
  }
}

function text16(text = ''): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function decode(frame: Buffer): UpFrame {
  const kind = frame.toString('latin1', 0, 1);
  switch (kind) {
    case 'U':
    case 'R':
      return { kind, maxRssKib: frame.readUInt32LE(1) };
    case 'F': {
      const at = 7 + frame.readUInt16LE(5);
      return {
        kind,
        maxRssKib: frame.readUInt32LE(1),
        errorType: frame.toString('utf8', 7, at),
        text: frame.toString('utf8', at),
      };
    }
    case 'N':
      return { kind, id: frame.toString('latin1', 1) };
    case 'L': {
      const timestampMs = frame.readDoubleLE(2);
      const text = frame.toString('utf8', 10);
      return { kind, level: frame[1] ?? -1, timestampMs, text, bytes: frame.length - 10 };
    }
    case 'O':
    case 'J':
      return { kind, ...decodeHead(frame), text: frame.toString('utf8', 45) };
    case 'E':
    case 'X': {
      const at = 47 + frame.readUInt16LE(45);
      const errorType = frame.toString('utf8', 47, at);
      return { kind, ...decodeHead(frame), errorType, text: frame.toString('utf8', at) };
    }
    default:
      throw new Error(`unknown frame ${kind}`);
  }
}

function decodeHead(frame: Buffer): AnswerHead {
  const id = frame.toString('latin1', 1, 37);
  return { id, maxRssKib: frame.readUInt32LE(37), durationUs: frame.readUInt32LE(41) };
}
