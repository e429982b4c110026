// A slot: a sandbox that has booted its bootstrap and waits to be told which function it is. Generic until specialised.
import { FrameDecoder, type OnFrame } from './frames.ts';
import type { Sandbox, SandboxExit, SlotShape } from './sandbox/sandbox.ts';

/** A slot that has not said `U` by now is broken. Boot takes some 60 ms, far more on a machine that thrashes. */
const BOOT_LIMIT_MS = 20_000;

/** The slot ended before it came up; `output` is what it printed, for the host's log. */
export class SlotBootError extends Error {
  override readonly name = 'SlotBootError';
}

export interface SlotEvents {
  onFrame: OnFrame;
  /** Bytes on descriptors 1 and 2. */
  onOutput: (chunk: Buffer) => void;
}

/** Owns its sandbox. Frames and output go to whoever called {@link listen} last. */
export class Slot implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly shape: SlotShape;
  /** Resolves when the slot is up; rejects with {@link SlotBootError}. */
  readonly booted: Promise<void>;
  /** Resident memory of the bootstrap when it came up, in KiB; 0 before. */
  bootKib = 0;
  #events: SlotEvents;
  #early = '';
  #isGathering = false;
  #isLastFrameUnread = false;

  constructor(sandbox: Sandbox, shape: SlotShape) {
    this.sandbox = sandbox;
    this.shape = shape;
    const up = Promise.withResolvers<void>();
    this.booted = up.promise;
    this.#events = {
      // A slot that speaks before it is anybody's cannot be trusted.
      onFrame: () => sandbox.kill(),
      onOutput: (chunk) => {
        this.#early = (this.#early + chunk.toString()).slice(-4096);
      },
    };
    const decoder = new FrameDecoder((kind, body, oversize) => {
      if (kind === 'U' && this.bootKib === 0 && body.length >= 4) {
        this.bootKib = body.readUInt32LE(0);
        up.resolve();
      } else this.#events.onFrame(kind, body, oversize);
    });
    sandbox.control.on('data', (chunk: Buffer) => decoder.push(chunk));
    // A process that dies with frames unread, or before they are written; its exit says the rest.
    sandbox.control.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNRESET' || code === 'EPIPE') this.#isLastFrameUnread = true;
    });
    sandbox.output.on('data', (chunk: Buffer) => this.#events.onOutput(chunk));
    sandbox.output.on('error', () => {});
    const limit = setTimeout(
      () => up.reject(new SlotBootError(`no sign of life for ${BOOT_LIMIT_MS} ms`)),
      BOOT_LIMIT_MS,
    );
    void sandbox.exit.then((exit) => up.reject(new SlotBootError(this.#bootText(exit))));
    this.booted.then(
      () => clearTimeout(limit),
      () => clearTimeout(limit),
    );
  }

  /**
   * Known once the socket is closed: the other side had not read the last frame, or not all of it, when it ended. The kernel
   * says so by resetting the connection.
   */
  get isLastFrameUnread(): boolean {
    return this.#isLastFrameUnread;
  }

  listen(events: SlotEvents): void {
    this.#events = events;
  }

  /**
   * Sends one frame, given in one or two pieces. With `later` it leaves at the end of this turn of the event loop, together
   * with others of the turn: right when the other side is busy anyway, since each write of its own wakes somebody up.
   */
  send(pieces: readonly Uint8Array[], later = false): void {
    const { control } = this.sandbox;
    if (!control.writable) {
      this.#isLastFrameUnread = true;
      return;
    }
    if (later && !this.#isGathering) {
      this.#isGathering = true;
      control.cork();
      setImmediate(this.#release);
    }
    const isJoined = pieces.length > 1 && !this.#isGathering;
    if (isJoined) control.cork();
    for (const piece of pieces) control.write(piece);
    if (isJoined) control.uncork();
  }

  readonly #release = (): void => {
    this.#isGathering = false;
    this.sandbox.control.uncork();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
  }

  #bootText(exit: SandboxExit): string {
    return `the slot ended while booting (${JSON.stringify(exit)}): ${this.#early.trim()}`;
  }
}
