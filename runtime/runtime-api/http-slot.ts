// A slot whose program speaks the HTTP Runtime API: a shell that waits (bootstrap/provided), then the function's `bootstrap`.
import type { Clock } from '../clock.ts';
import { IdleFreeze } from '../idle-freeze.ts';
import type { InvokeOutcome } from '../invocation.ts';
import { commandLines, withVariables } from '../late-start.ts';
import type { Message } from '../messages.ts';
import type { Specialise } from '../protocol.ts';
import { settledWithin } from '../reading.ts';
import type { Sandbox, SlotShape } from '../sandbox/sandbox.ts';
import { type Slot, SlotBoot, type SlotEvent, type SlotEvents } from '../slot.ts';
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
  readonly #session: RuntimeSession;
  readonly #api: RuntimeApi;
  readonly #freeze: IdleFreeze;
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
      onMessage: (message) => this.#tell(message),
      onIdle: () => this.#freeze.idle(),
    });
    const { onProblem } = options;
    const isPeer = sandbox.isPeer.bind(sandbox);
    const isEnding = () => endsWithin(sandbox, ENDING_MS);
    this.#api = new RuntimeApi({ session: this.#session, isPeer, isEnding, onProblem });
    this.runtimeApi = this.#api.listen();
    this.booted = Promise.all([boot.booted, this.runtimeApi]).then(() => {});
    // Seen by whoever takes the slot.
    this.runtimeApi.catch(() => {});
    this.booted.catch(() => {});
    sandbox.control.once('data', () => boot.isUp());
    // One that ends before it has read what it is to become; its exit says the rest.
    sandbox.control.on('error', () => {});
    sandbox.output.on('data', (chunk: Buffer) => this.#events.onOutput(chunk));
    sandbox.output.on('error', () => {});
  }

  get isLastEventUnread(): boolean {
    return this.#session.hasPending;
  }

  listen(events: SlotEvents): void {
    this.#events = events;
  }

  specialise({ env }: Specialise): void {
    const { control, paths } = this.sandbox;
    const entrypoint = findEntrypoint(this.sandbox, process.arch);
    if (entrypoint.kind === 'none') {
      this.#tell({ kind: 'noEntrypoint', reason: entrypoint.reason });
      return;
    }
    const command = withVariables(env, [entrypoint.path]);
    control.end(commandLines(paths.taskRoot, command));
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
    this.#session.invoke(event);
  }

  /** A runtime of this sort is not known to have hooks: there is nothing to be done. */
  restore(): void {
    this.#tell({ kind: 'ready', maxRssKib: 0 });
  }

  /** No event is ever sent ahead. */
  withdraw(): void {}

  shutDown(): void {
    this.sandbox.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#freeze[Symbol.dispose]();
    await this.sandbox[Symbol.asyncDispose]();
    await this.#api[Symbol.asyncDispose]();
  }

  #tell(message: Message): void {
    this.#events.onMessage(message);
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
