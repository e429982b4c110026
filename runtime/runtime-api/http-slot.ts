// A slot whose program speaks the HTTP Runtime API: a shell that waits (bootstrap/provided), then the function's `bootstrap`.
import type { Clock } from '../clock.ts';
import { settledWithin } from '../environment/reading.ts';
import { ExtensionHost } from '../extensions/extension-host.ts';
import { factsIn } from '../extensions/extensions.ts';
import type { InvokeOutcome } from '../invocation.ts';
import type { Specialise } from '../protocol.ts';
import type { Sandbox, SlotShape } from '../sandbox/sandbox.ts';
import { FrameDecoder } from '../slots/frames.ts';
import { IdleFreeze } from '../slots/idle-freeze.ts';
import {
  endIn,
  type HowToRun,
  linesFor,
  readBehindSign,
  withVariables,
} from '../slots/late-start.ts';
import type { Message } from '../slots/messages.ts';
import {
  type EndReason,
  type Slot,
  SlotBoot,
  type SlotEvent,
  type SlotEvents,
} from '../slots/slot.ts';
import { findEntrypoint } from './entrypoint.ts';
import { RuntimeApi } from './server.ts';
import { RuntimeSession } from './session.ts';

/** A process that has died is known to have ended within this, if that is why its connections have. */
const ENDING_MS = 100;

export interface HttpSlotOptions {
  readonly clock: Clock;
  /** A UUID. */
  readonly newId: () => string;
  readonly onProblem: (text: string, cause: unknown) => void;
}

export class HttpSlot implements Slot {
  readonly sandbox: Sandbox;
  readonly shape: SlotShape;
  readonly booted: Promise<void>;
  readonly runtimeApi: Promise<string>;
  readonly bootKib = 0;
  /** It asks for each event when it is done with the one before. */
  readonly takesAhead = false;
  readonly #session: RuntimeSession;
  readonly #api: RuntimeApi;
  readonly #freeze: IdleFreeze;
  readonly #extensions: ExtensionHost;
  #end: Promise<void> | undefined;
  #events: SlotEvents;

  constructor(sandbox: Sandbox, shape: SlotShape, options: HttpSlotOptions) {
    this.sandbox = sandbox;
    this.shape = shape;
    const boot = new SlotBoot(sandbox);
    this.#freeze = new IdleFreeze(sandbox);
    this.#events = { onMessage: () => sandbox.kill(), onOutput: (chunk) => boot.addOutput(chunk) };
    this.#session = new RuntimeSession({
      ...options,
      residentKib: () => sandbox.residentKib(),
      onMessage: (message) => this.#extensions.pass(message),
    });
    this.#extensions = new ExtensionHost({
      ...options,
      sandbox,
      onMessage: (message) => this.#tell(message),
      waitsFor: 'all',
      stopRuntime: () => sandbox.terminate(),
    });
    const { onProblem } = options;
    const isPeer = sandbox.isPeer.bind(sandbox);
    const isEnding = () => endsWithin(sandbox, ENDING_MS);
    const { extensions } = this.#extensions;
    this.#api = new RuntimeApi({
      session: this.#session,
      extensions,
      isPeer,
      isEnding,
      onProblem,
    });
    this.runtimeApi = this.#api.listen();
    this.booted = Promise.all([boot.booted, this.runtimeApi]).then(() => {});
    // Seen by whoever takes the slot.
    this.runtimeApi.catch(() => {});
    this.booted.catch(() => {});
    readBehindSign(sandbox.control, () => boot.isUp(), this.#endsDecoder());
    // One that ends before it has read what it is to become; its exit says the rest.
    sandbox.control.on('error', () => {});
    sandbox.output.on('data', (chunk: Buffer) => this.#events.onOutput(chunk));
    sandbox.output.on('error', () => {});
  }

  get hasExtensions(): boolean {
    return this.#extensions.extensions.size > 0;
  }

  get isLastEventUnread(): boolean {
    return this.#session.hasPending;
  }

  listen(events: SlotEvents): void {
    this.#events = events;
  }

  specialise({ env }: Specialise, accountId: string): void {
    const entrypoint = findEntrypoint(this.sandbox, process.arch);
    if (entrypoint.kind === 'none') {
      const { reason } = entrypoint;
      this.#tell({ kind: 'broken', errorType: 'Runtime.InvalidEntrypoint', reason });
      return;
    }
    this.#extensions.setFacts({ ...factsIn(env), accountId });
    const command = withVariables(env, [entrypoint.path]);
    if (this.#extensions.hasFiles()) void this.#startBehindExtensions(env, command);
    else this.#start(command, 'instead');
  }

  #start(command: readonly string[], how: HowToRun): void {
    const { control, paths } = this.sandbox;
    control.write(linesFor({ directory: paths.taskRoot, command, how }));
  }

  async #startBehindExtensions(env: Specialise['env'], command: readonly string[]): Promise<void> {
    if (await this.#extensions.launch(env)) this.#start(command, 'under');
  }

  /** Ends of programs that the shell has run. What is none does not come from it. */
  #endsDecoder(): FrameDecoder {
    return new FrameDecoder((kind, body) => {
      const end = kind === 'C' ? endIn(body) : undefined;
      if (end === undefined) this.sandbox.kill();
      else this.#extensions.processEnded(end.label, end.status);
    });
  }

  invoke(event: SlotEvent): void {
    const { invocation } = event;
    const reason = invocation.isUnchecked === true ? whyNotJson(invocation.payload) : undefined;
    if (reason !== undefined) {
      // Not before the caller knows that it has handed the event over.
      setImmediate(() => this.#refuse(event, { kind: 'notJson', reason }));
      return;
    }
    this.#freeze.busy();
    this.#extensions.invoke(event);
    this.#session.invoke(event);
  }

  /** A runtime of this sort is not known to have hooks: there is nothing to be done. */
  restore(): void {
    this.#tell({ kind: 'ready', maxRssKib: 0 });
  }

  /** No event is ever sent ahead. */
  withdraw(): void {}

  end(reason: EndReason): Promise<void> {
    this.#end ??= this.#ended(reason);
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#freeze[Symbol.dispose]();
    await this.sandbox[Symbol.asyncDispose]();
    await this.#api[Symbol.asyncDispose]();
  }

  async #ended(reason: EndReason): Promise<void> {
    this.#freeze.busy();
    if (this.hasExtensions) await this.#extensions.end(reason);
    this.sandbox.kill();
  }

  #tell(message: Message): void {
    this.#events.onMessage(message);
    // Unless its owner had another event for it at once.
    const mayIdle = message.kind === 'ready' || message.kind === 'free';
    if (mayIdle && this.#session.state === 'Ready' && !this.#session.hasPending)
      this.#freeze.idle();
  }

  /** Answers in the runtime's place, which does not get to see the event. */
  #refuse({ invocation }: SlotEvent, outcome: InvokeOutcome): void {
    this.#tell({
      kind: 'answer',
      requestId: invocation.requestId,
      outcome,
      maxRssKib: 0,
      ownMs: 0,
      isFatal: false,
      staysBusy: false,
    });
  }
}

async function endsWithin({ exit }: Sandbox, ms: number): Promise<boolean> {
  let hasEnded = false;
  const ended = exit.then(() => {
    hasEnded = true;
  });
  await settledWithin(ended, ms);
  return hasEnded;
}

function whyNotJson(payload: Uint8Array): string | undefined {
  try {
    JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString());
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}
