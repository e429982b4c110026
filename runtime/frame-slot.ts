// A slot whose program is a bootstrap of ours: frames of protocol.ts on the control socket.
import {
  FrameDecoder,
  invokeFrame,
  restoredFrame,
  shutdownFrame,
  specialiseFrame,
} from './frames.ts';
import { IdleFreeze } from './idle-freeze.ts';
import { lateCommand, linesFor } from './late-start.ts';
import { type Message, messageOf } from './messages.ts';
import type { Specialise } from './protocol.ts';
import { settledWithin } from './reading.ts';
import type { Sandbox, SlotShape } from './sandbox/sandbox.ts';
import { type EndReason, type Slot, SlotBoot, type SlotEvent, type SlotEvents } from './slot.ts';
import { writeWithdrawn } from './withdrawn-file.ts';

/** How long a planned end lets `SIGTERM` listeners run before the tree is killed. */
const SHUTDOWN_GRACE_MS = 500;

export class FrameSlot implements Slot {
  readonly sandbox: Sandbox;
  readonly shape: SlotShape;
  readonly booted: Promise<void>;
  readonly runtimeApi = Promise.resolve(undefined);
  readonly hasExtensions = false;
  bootKib = 0;
  #events: SlotEvents;
  readonly #freeze: IdleFreeze;
  /** Events that it has been sent and has not told the end of. */
  #inHand = 0;
  #end: Promise<void> | undefined;
  #isGathering = false;
  #isLastFrameUnread = false;

  constructor(sandbox: Sandbox, shape: SlotShape) {
    this.sandbox = sandbox;
    this.shape = shape;
    this.#freeze = new IdleFreeze(sandbox, true);
    const boot = new SlotBoot(sandbox);
    this.booted = boot.booted;
    this.#events = {
      // A slot that speaks before it is anybody's cannot be trusted.
      onMessage: () => sandbox.kill(),
      onOutput: (chunk) => boot.addOutput(chunk),
    };
    const decoder = new FrameDecoder((kind, body, oversize) => {
      if (kind === 'U' && this.bootKib === 0 && body.length >= 4) {
        this.bootKib = body.readUInt32LE(0);
        boot.isUp();
      } else this.#tell(messageOf(kind, body, oversize));
    });
    if (sandbox.lateProgram === undefined) this.#readFrames(decoder);
    // The sign of the shell that waits; frames come from the program that it becomes.
    else
      sandbox.control.once('data', () => {
        boot.isUp();
        this.#readFrames(decoder);
      });
    // A process that dies with frames unread, or before they are written; its exit says the rest.
    sandbox.control.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNRESET' || code === 'EPIPE') this.#isLastFrameUnread = true;
    });
    sandbox.output.on('data', (chunk: Buffer) => this.#events.onOutput(chunk));
    sandbox.output.on('error', () => {});
  }

  /** Known once the socket is closed: the kernel says so by resetting the connection. */
  get isLastEventUnread(): boolean {
    return this.#isLastFrameUnread;
  }

  listen(events: SlotEvents): void {
    this.#events = events;
  }

  /** A program that starts late does so now. What is for itself lies behind what is for the shell, which reads no further. */
  specialise(message: Specialise): void {
    const { lateProgram, paths } = this.sandbox;
    if (lateProgram === undefined) return this.#send([specialiseFrame(message)]);
    const command = lateCommand(lateProgram, message.env);
    return this.#send([
      Buffer.from(linesFor({ directory: paths.taskRoot, command, how: 'insteadWithControl' })),
      specialiseFrame({ ...message, keepsEnvironment: true }),
    ]);
  }

  invoke({ number, invocation, remainingMs }: SlotEvent): void {
    const { requestId, invokedFunctionArn, traceId, clientContext, tenantId, payload } = invocation;
    const frame = invokeFrame({
      number,
      requestId,
      remainingMs,
      invokedFunctionArn,
      traceId,
      clientContext,
      tenantId,
      payload,
    });
    this.#inHand += 1;
    this.#freeze.busy();
    this.#send(frame, number > 0);
  }

  restore(): void {
    this.#freeze.busy();
    this.#send([restoredFrame()]);
  }

  withdraw(upTo: number): void {
    writeWithdrawn(this.sandbox.withdrawnFile, upTo);
  }

  end(reason: EndReason): Promise<void> {
    this.#end ??= this.#ended(reason);
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#freeze[Symbol.dispose]();
    await this.sandbox[Symbol.asyncDispose]();
  }

  #tell(message: Message): void {
    switch (message.kind) {
      case 'answer':
      case 'notBegun':
        this.#inHand -= 1;
        break;
      case 'ready':
        break;
      default:
        this.#events.onMessage(message);
        return;
    }
    // The owner first: it may have another event at once.
    this.#events.onMessage(message);
    if (this.#inHand === 0) this.#freeze.idle();
  }

  async #ended(reason: EndReason): Promise<void> {
    if (reason === 'SPINDOWN') {
      this.#freeze.busy();
      this.#send([shutdownFrame()]);
      await settledWithin(this.sandbox.exit, SHUTDOWN_GRACE_MS);
    }
    this.sandbox.kill();
  }

  #readFrames(decoder: FrameDecoder): void {
    this.sandbox.control.on('data', (chunk: Buffer) => decoder.push(chunk));
  }

  /**
   * Sends one frame, given in one or two pieces. With `later` it leaves at the end of this turn of the event loop, together
   * with others of the turn: right when the other side is busy anyway, since each write of its own wakes somebody up.
   */
  #send(pieces: readonly Uint8Array[], later = false): void {
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
}
