// What surrounds the runtime of a slot with extensions: starts them before it, holds back the end of each phase until they are done,
// and gives them their time when the environment ends.
import type { Clock } from '../clock.ts';
import { settledWithin } from '../environment/reading.ts';
import { whyNotStartable } from '../runtime-api/entrypoint.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { END_LINE, linesFor, withVariables } from '../slots/late-start.ts';
import type { Message } from '../slots/messages.ts';
import type { EndReason, SlotEvent } from '../slots/slot.ts';
import { Extensions, type FunctionFacts, MAX_EXTENSIONS } from './extensions.ts';
import { extensionFiles, variablesForExtensions } from './files.ts';

/** How long the end of an environment may take altogether, and its runtime of that; the service's figures. */
const END_MS = 2_000;
const RUNTIME_END_MS = 300;
/** The same where extensions live in the runtime's process only. */
const INTERNAL_END_MS = 500;

const NO_FACTS: FunctionFacts = {
  accountId: '',
  functionName: '',
  functionVersion: '',
  handler: '',
};

export interface ExtensionHostOptions {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  /** A UUID. */
  readonly newId: () => string;
  /** For the environment. */
  readonly onMessage: (message: Message) => void;
  /**
   * Whose end of a phase is waited for. Extensions within a runtime that blocks while it waits for its next event could not tell of it.
   */
  readonly waitsFor: 'all' | 'external';
  /** Asks the runtime to end. */
  readonly stopRuntime: () => void;
}

export class ExtensionHost {
  readonly extensions: Extensions;
  readonly #options: ExtensionHostOptions;
  #facts = NO_FACTS;
  #phase: 'init' | 'idle' | 'invoke' = 'init';
  #ready: Message | undefined;
  #isRuntimeDone = false;
  #beganAtMs = 0;
  readonly #runtimeEnd = Promise.withResolvers<void>();
  #isRuntimeSupervised = false;
  #hasRuntimeEnded = false;
  #end: Promise<void> | undefined;
  #changed = Promise.withResolvers<void>();
  #hasFailed = false;

  constructor(options: ExtensionHostOptions) {
    this.#options = options;
    this.extensions = new Extensions({
      newId: options.newId,
      facts: () => this.#facts,
      onChange: () => this.#onChange(),
      onFailed: (failure) => this.#onFailed(failure),
    });
  }

  /** Whether the runtime must run under the shell, so that its end is not that of the extensions. Reads the disk. */
  hasFiles(): boolean {
    return extensionFiles(this.#options.sandbox.optDir).length > 0;
  }

  setFacts(facts: FunctionFacts): void {
    this.#facts = facts;
  }

  /** Starts all processes; resolves when each has registered, with false when that has failed or cannot come any more. */
  async launch(variables: Readonly<Record<string, string>>): Promise<boolean> {
    const { sandbox } = this.#options;
    const names = extensionFiles(sandbox.optDir);
    this.#isRuntimeSupervised = true;
    if (names.length > MAX_EXTENSIONS) {
      const reason = `Extension limit (${MAX_EXTENSIONS}) reached`;
      this.#onFailed({ kind: 'broken', errorType: 'Extension.TooManyExtensions', reason });
      return false;
    }
    const own = variablesForExtensions(variables);
    for (const name of names) if (!this.#launchOne(name, own)) return false;
    const isOver = () => this.#hasFailed || this.#end !== undefined;
    await this.#until(() => this.extensions.areRegistered || isOver());
    return !isOver();
  }

  /** What the runtime says, on its way to the environment. */
  pass(message: Message): void {
    const { onMessage } = this.#options;
    switch (message.kind) {
      case 'ready':
        this.extensions.closeRegistration();
        this.#ready = message;
        this.#check();
        return;
      case 'answer':
        if (this.extensions.size === 0) return onMessage(message);
        onMessage({ ...message, staysBusy: true });
        if (!message.staysBusy) this.#runtimeDone();
        return;
      case 'free':
        if (this.extensions.size === 0) return onMessage(message);
        return this.#runtimeDone();
      default:
        onMessage(message);
    }
  }

  invoke({ invocation, remainingMs }: SlotEvent): void {
    if (this.extensions.size === 0) return;
    const { clock } = this.#options;
    this.#phase = 'invoke';
    this.#isRuntimeDone = false;
    this.#beganAtMs = clock.monotonicMs();
    const { requestId, invokedFunctionArn, traceId } = invocation;
    const tracing = { type: 'X-Amzn-Trace-Id', value: traceId };
    this.extensions.invoke({
      deadlineMs: Math.round(clock.epochMs() + remainingMs),
      requestId,
      invokedFunctionArn,
      ...(traceId === '' ? {} : { tracing }),
    });
  }

  /** A process that the shell has started has ended; without a label it is the runtime. */
  processEnded(label: string, status: number): void {
    if (label !== '') return this.extensions.ended(label, status);
    this.#hasRuntimeEnded = true;
    this.#runtimeEnd.resolve();
    // Who has not been told of the end yet is told now; then the sandbox ends as the runtime did.
    if (this.#end === undefined) void this.#endWithRuntime();
    return undefined;
  }

  /** Resolves when everybody has had their time; the caller kills. */
  end(reason: EndReason): Promise<void> {
    this.#end ??= this.#ended(reason);
    this.#wake();
    return this.#end;
  }

  #launchOne(name: string, variables: Readonly<Record<string, string>>): boolean {
    const { sandbox } = this.#options;
    const program = `${sandbox.paths.optDir}/extensions/${name}`;
    const refusal = whyNotStartable(sandbox, program, process.arch);
    if (refusal !== undefined) {
      const type = refusal === 'permission denied' ? 'PermissionDenied' : 'UnknownError';
      this.extensions.launchFailed(name, type, `fork/exec ${program}: ${refusal}`);
      return false;
    }
    this.extensions.expect(name);
    const command = withVariables(variables, [program]);
    sandbox.control.write(linesFor({ directory: '/', command, how: 'beside', label: name }));
    return true;
  }

  #runtimeDone(): void {
    this.#isRuntimeDone = true;
    this.#check();
  }

  #onChange(): void {
    this.#wake();
    this.#check();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #check(): void {
    const { onMessage, clock } = this.#options;
    if (!this.extensions.areReady(this.#options.waitsFor)) return;
    if (this.#phase === 'init' && this.#ready !== undefined) {
      this.#phase = 'idle';
      this.#record();
      onMessage(this.#ready);
    } else if (this.#phase === 'invoke' && this.#isRuntimeDone) {
      this.#phase = 'idle';
      onMessage({ kind: 'free', ownMs: clock.monotonicMs() - this.#beganAtMs });
    }
  }

  #onFailed(failure: Extract<Message, { kind: 'broken' }>): void {
    this.#hasFailed = true;
    this.#wake();
    if (this.#end !== undefined) return;
    if (this.#phase === 'init') this.#record();
    this.#options.onMessage(failure);
  }

  #record(): void {
    for (const record of this.extensions.records()) this.#options.onMessage(record);
  }

  async #endWithRuntime(): Promise<void> {
    await this.end('FAILURE');
    this.#options.sandbox.control.write(END_LINE);
  }

  async #ended(reason: EndReason): Promise<void> {
    if (this.extensions.size === 0) return;
    const { sandbox, clock, stopRuntime } = this.#options;
    const startedAt = clock.monotonicMs();
    const leftMs = () => Math.max(0, END_MS - (clock.monotonicMs() - startedAt));
    sandbox.thaw();
    if (!this.#hasRuntimeEnded) stopRuntime();
    if (!this.#isRuntimeSupervised) return settledWithin(sandbox.exit, INTERNAL_END_MS);
    await settledWithin(this.#runtimeEnd.promise, RUNTIME_END_MS);
    const deadlineMs = Math.round(clock.epochMs() + leftMs());
    this.extensions.shutDown({ deadlineMs, shutdownReason: reason });
    const all = Promise.race([this.#until(() => this.extensions.haveEnded), sandbox.exit]);
    return settledWithin(all, leftMs());
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }
}
