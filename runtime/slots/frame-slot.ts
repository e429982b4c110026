// A slot whose program is a bootstrap of ours: frames of protocol.ts on the control socket.
import type { Clock } from '../clock.ts';
import { settledWithin } from '../environment/reading.ts';
import { ExtensionHost } from '../extensions/extension-host.ts';
import { factsIn } from '../extensions/extensions.ts';
import type { Specialise } from '../protocol.ts';
import { RuntimeApi } from '../runtime-api/server.ts';
import type { LateProgram, Sandbox, SlotShape } from '../sandbox/sandbox.ts';
import {
  FrameDecoder,
  invokeFrame,
  restoredFrame,
  shutdownFrame,
  specialiseFrame,
} from './frames.ts';
import { IdleFreeze } from './idle-freeze.ts';
import { endIn, type HowToRun, lateCommand, linesFor, readBehindSign } from './late-start.ts';
import { type Message, messageOf } from './messages.ts';
import { type EndReason, type Slot, SlotBoot, type SlotEvent, type SlotEvents } from './slot.ts';
import { writeWithdrawn } from './withdrawn-file.ts';

/** How long a planned end lets `SIGTERM` listeners run before the tree is killed. */
const SHUTDOWN_GRACE_MS = 500;

export interface FrameSlotOptions {
  readonly clock: Clock;
  /** A UUID. */
  readonly newId: () => string;
  readonly onProblem: (text: string, cause: unknown) => void;
}

/** What a program that starts late may have around it. */
interface Surroundings {
  readonly extensions: ExtensionHost;
  readonly api: RuntimeApi;
}

export class FrameSlot implements Slot {
  readonly sandbox: Sandbox;
  readonly shape: SlotShape;
  readonly booted: Promise<void>;
  readonly runtimeApi: Promise<string | undefined>;
  bootKib = 0;
  #events: SlotEvents;
  readonly #freeze: IdleFreeze;
  /** Only of a program that starts late: others are under way when their function is known. */
  readonly #surroundings: Surroundings | undefined;
  /** Events that it has been sent and has not told the end of. */
  #inHand = 0;
  #end: Promise<void> | undefined;
  #isGathering = false;
  #isLastFrameUnread = false;

  constructor(sandbox: Sandbox, shape: SlotShape, options: FrameSlotOptions) {
    this.sandbox = sandbox;
    this.shape = shape;
    this.#freeze = new IdleFreeze(sandbox, true);
    const boot = new SlotBoot(sandbox);
    this.#surroundings = this.#makeSurroundings(options);
    this.runtimeApi = this.#surroundings?.api.listen() ?? Promise.resolve(undefined);
    this.runtimeApi.catch(() => {}); // seen by whoever specialises the slot
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
      } else this.#hear(kind, body, oversize);
    });
    const { control } = sandbox;
    if (sandbox.lateProgram === undefined)
      control.on('data', (chunk: Buffer) => decoder.push(chunk));
    else readBehindSign(control, () => boot.isUp(), decoder);
    // A process that dies with frames unread, or before they are written; its exit says the rest.
    sandbox.control.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNRESET' || code === 'EPIPE') this.#isLastFrameUnread = true;
    });
    sandbox.output.on('data', (chunk: Buffer) => this.#events.onOutput(chunk));
    sandbox.output.on('error', () => {});
  }

  get hasExtensions(): boolean {
    return (this.#surroundings?.extensions.extensions.size ?? 0) > 0;
  }

  get takesAhead(): boolean {
    return !this.hasExtensions;
  }

  /** Known once the socket is closed: the kernel says so by resetting the connection. */
  get isLastEventUnread(): boolean {
    return this.#isLastFrameUnread;
  }

  listen(events: SlotEvents): void {
    this.#events = events;
  }

  /** A program that starts late does so now. What is for itself lies behind what is for the shell, which reads no further. */
  specialise(message: Specialise, accountId: string): void {
    const { lateProgram } = this.sandbox;
    if (lateProgram === undefined || this.#surroundings === undefined)
      return this.#send([specialiseFrame(message)]);
    const { extensions } = this.#surroundings;
    extensions.setFacts({ ...factsIn(message.env), accountId });
    if (extensions.hasFiles()) void this.#startBehindExtensions(extensions, lateProgram, message);
    else this.#start(lateProgram, message, 'insteadWithControl');
    return undefined;
  }

  async #startBehindExtensions(
    extensions: ExtensionHost,
    program: LateProgram,
    message: Specialise,
  ): Promise<void> {
    if (await extensions.launch(message.env)) this.#start(program, message, 'underWithControl');
  }

  #start(program: LateProgram, message: Specialise, how: HowToRun): void {
    const { taskRoot } = this.sandbox.paths;
    const command = lateCommand(program, message.env);
    this.#send([
      Buffer.from(linesFor({ directory: taskRoot, command, how })),
      specialiseFrame({ ...message, keepsEnvironment: true }),
    ]);
  }

  invoke(event: SlotEvent): void {
    const { number, invocation, remainingMs } = event;
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
    this.#surroundings?.extensions.invoke(event);
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
    await this.#surroundings?.api[Symbol.asyncDispose]();
  }

  #tell(message: Message): void {
    switch (message.kind) {
      case 'answer':
      case 'notBegun':
        this.#inHand -= 1;
        break;
      case 'ready':
      case 'free':
        break;
      default:
        this.#events.onMessage(message);
        return;
    }
    const goesOn = message.kind === 'answer' && message.staysBusy;
    // The owner first: it may have another event at once.
    this.#events.onMessage(message);
    if (this.#inHand === 0 && !goesOn) this.#freeze.idle();
  }

  #makeSurroundings({ onProblem, ...options }: FrameSlotOptions): Surroundings | undefined {
    const { sandbox } = this;
    if (sandbox.lateProgram === undefined) return undefined;
    const extensions = new ExtensionHost({
      ...options,
      sandbox,
      onMessage: (message) => this.#tell(message),
      waitsFor: 'external',
      stopRuntime: () => this.#send([shutdownFrame()]),
    });
    const api = new RuntimeApi({
      session: undefined,
      extensions: extensions.extensions,
      isPeer: sandbox.isPeer.bind(sandbox),
      isEnding: () => Promise.resolve(false),
      onProblem,
    });
    return { extensions, api };
  }

  #hear(kind: string, body: Buffer, oversize: boolean): void {
    const { extensions } = this.#surroundings ?? {};
    const end = kind === 'C' && extensions !== undefined ? endIn(body) : undefined;
    if (end !== undefined) extensions?.processEnded(end.label, end.status);
    else if (extensions !== undefined) extensions.pass(messageOf(kind, body, oversize));
    else this.#tell(messageOf(kind, body, oversize));
  }

  async #ended(reason: EndReason): Promise<void> {
    if (this.hasExtensions) {
      this.#freeze.busy();
      await this.#surroundings?.extensions.end(reason);
    } else if (reason === 'SPINDOWN') {
      this.#freeze.busy();
      this.#send([shutdownFrame()]);
      await settledWithin(this.sandbox.exit, SHUTDOWN_GRACE_MS);
    }
    this.sandbox.kill();
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
