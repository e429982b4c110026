// One execution environment and its phases: init, then one event at a time, until it is shut down or lost.
// It owns its slot from the moment it is created. The pool decides which event it gets and when it ends.
import { rename } from 'node:fs/promises';
import { type AnswerKind, answerOutcome, recordedType, typedBody } from './answers.ts';
import type { Clock } from './clock.ts';
import { invokeFrame, shutdownFrame, specialiseFrame } from './frames.ts';
import { FunctionLog } from './function-log.ts';
import { HeldFrames } from './held-frames.ts';
import { type InitOutcome, initError, initStatus } from './init-outcome.ts';
import type { EnvironmentSpec, Invocation, InvokeOutcome, InvokeResult } from './invocation.ts';
import { placeLayers } from './place-layers.ts';
import { processEnded, responseTooLarge, timedOut } from './platform-error.ts';
import {
  endLine,
  type InitPhase,
  initReportLine,
  initStartLine,
  type PhaseStatus,
  type PlatformLogFormat,
  type Report,
  reportLine,
  startLine,
} from './platform-log.ts';
import { isHeapExhaustion } from './sandbox/exit-status.ts';
import type { SandboxExit } from './sandbox/sandbox.ts';
import type { Slot } from './slot.ts';

/** How long a planned shutdown lets `SIGTERM` listeners run before the tree is killed. */
const SHUTDOWN_GRACE_MS = 500;

/** After the process has ended, its last frames are still in the socket; they are read for at most this long. */
const LAST_FRAMES_MS = 100;

/** An environment is replaced after this long, as on the service. */
const MAX_LIFE_MS = 4 * 60 * 60 * 1000;

/** An environment is not used when its credentials end within this time. */
const CREDENTIALS_MARGIN_MS = 5 * 60 * 1000;

/** What is kept of what a process last printed: V8's last words with their stack trace. */
const LAST_OUTPUT_CHARS = 16_384;

const INITIALIZATION_TYPE = 'on-demand';
const ID_BYTES = 36;

/** Which phase may follow which. Only {@link Environment} changes a phase, through one function. */
const NEXT_PHASES = {
  created: ['init', 'gone'],
  init: ['idle', 'shutdown', 'gone'],
  idle: ['invoke', 'shutdown', 'gone'],
  invoke: ['idle', 'shutdown', 'gone'],
  shutdown: ['gone'],
  gone: [],
} as const satisfies Record<string, readonly string[]>;

export type Phase = keyof typeof NEXT_PHASES;

/** An invocation with whoever waits for it. */
export interface Call {
  readonly invocation: Invocation;
  /** What a re-run init has used of the function's timeout; 0 otherwise. */
  readonly spentMs: number;
  /** When it was admitted, on the monotonic clock. */
  readonly admittedAtMs: number;
  /** Exactly one of these is called, once. `fail` is for faults of the host. */
  settle(result: InvokeResult): void;
  fail(error: unknown): void;
}

export interface EnvironmentOwner {
  /** The environment has answered and has room for another event; it may have others in hand. */
  onAnswered(environment: Environment, durationMs: number): void;
  /** It will serve no more. Calls that it had not begun come back. Disposal is still the owner's. */
  onLost(environment: Environment, unstarted: readonly Call[]): void;
}

export interface EnvironmentOptions {
  readonly spec: EnvironmentSpec;
  readonly slot: Slot;
  readonly logStreamName: string;
  readonly owner: EnvironmentOwner;
  readonly clock: Clock;
}

export class Environment implements AsyncDisposable {
  readonly spec: EnvironmentSpec;
  readonly #createdAtMs: number;
  /** When it last became idle, on the monotonic clock. */
  idleSinceMs = 0;
  readonly #slot: Slot;
  readonly #owner: EnvironmentOwner;
  readonly #clock: Clock;
  readonly #log: FunctionLog;
  readonly #format: PlatformLogFormat;
  readonly #logStreamName: string;
  #phase: Phase = 'created';
  /** The first one is running; the others lie in the socket. */
  readonly #inHand: Call[] = [];
  #startedAtMs = 0;
  #expiresAtMs = Number.POSITIVE_INFINITY;
  #maxRssKib = 0;
  #initDurationMs: number | undefined;
  #initSettled: ((outcome: InitOutcome) => void) | undefined;
  /** One timer, refreshed for each invocation: arming a new one each time would show on the hot path. */
  #deadline: NodeJS.Timeout | undefined;
  #deadlineMs = 0;
  readonly #frames = new HeldFrames((kind, body, oversize) => this.#onFrame(kind, body, oversize));
  /** It has printed past the bootstrap: child processes, native code. */
  #hasOutput = false;
  #lastOutput = '';
  #hasExited = false;
  #disposal: Promise<void> | undefined;
  /** Settled once the code is in place, or will not come. */
  #specialised: Promise<void> | undefined;

  constructor(options: EnvironmentOptions) {
    const { spec, slot, clock } = options;
    this.spec = spec;
    this.#slot = slot;
    this.#owner = options.owner;
    this.#clock = clock;
    this.#logStreamName = options.logStreamName;
    this.#createdAtMs = clock.monotonicMs();
    this.#format = { format: spec.logFormat, level: spec.systemLogLevel };
    this.#log = new FunctionLog({
      sink: spec.openLogStream(options.logStreamName),
      format: spec.logFormat,
      applicationLogLevel: spec.applicationLogLevel,
      epochMs: () => clock.epochMs(),
      pauseReading: (paused) => this.#pauseReading(paused),
    });
    slot.listen({
      onFrame: (kind, body, oversize) =>
        this.#frames.take([kind, body, oversize], this.#mayPrecedeOutput(kind)),
      onOutput: (chunk) => this.#onOutput(chunk),
    });
    void slot.sandbox.exit.then((exit) => this.#onExit(exit));
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** When the running event began, on the monotonic clock. */
  get runningSinceMs(): number {
    return this.#startedAtMs;
  }

  /** Events taken and not yet answered, the running one included. */
  get inHand(): number {
    return this.#inHand.length;
  }

  /** Too old to be given another event: past its life, or its credentials are about to end. */
  get isStale(): boolean {
    if (this.#clock.monotonicMs() - this.#createdAtMs > MAX_LIFE_MS) return true;
    return this.#clock.epochMs() > this.#expiresAtMs - CREDENTIALS_MARGIN_MS;
  }

  /** Resident memory it was last known to use, in KiB. */
  get residentKib(): number {
    return Math.max(this.#maxRssKib, this.#slot.sandbox.peakKib);
  }

  /**
   * Puts the code in place and runs the static code. Never rejects for a fault of the function; rejects with SlotBootError when
   * the slot itself does not come up.
   */
  async init(phase: InitPhase, limitMs: number): Promise<InitOutcome> {
    this.#enter('init');
    const startedAt = this.#clock.monotonicMs();
    if (phase === 'init') this.#log.platform(this.#clock.epochMs(), this.#initStart());
    this.#slot.sandbox.watchMemory(true);
    const settled = new Promise<InitOutcome>((resolve) => {
      this.#initSettled = resolve;
    });
    this.#specialised = this.#specialise();
    await this.#specialised;
    const limit = setTimeout(() => {
      this.#settleInit({ kind: 'timedOut' });
    }, limitMs);
    // With variables that act at process start, a slot that does not come up is the function's own doing.
    const isGeneric = this.spec.startVariables === undefined;
    const outcome = await (isGeneric ? this.#slot.booted.then(() => settled) : settled).finally(
      () => clearTimeout(limit),
    );
    const durationMs =
      outcome.kind === 'timedOut' ? limitMs : this.#clock.monotonicMs() - startedAt;
    this.#reportInit(phase, outcome, durationMs);
    if (outcome.kind !== 'ready') return outcome;
    if (phase === 'init') this.#initDurationMs = durationMs;
    this.#slot.sandbox.watchMemory(false);
    this.#enter('idle');
    return { kind: 'ready', durationMs };
  }

  /** Hands over one event; it runs when those before it are answered. Only when idle or in the invoke phase. */
  invoke(call: Call): void {
    const { invocation } = call;
    this.#inHand.push(call);
    if (this.#inHand.length === 1) this.#begin(call);
    this.#slot.send(
      invokeFrame({
        requestId: invocation.requestId,
        remainingMs: this.spec.timeoutMs - call.spentMs,
        invokedFunctionArn: invocation.invokedFunctionArn,
        traceId: invocation.traceId,
        clientContext: invocation.clientContext,
        tenantId: invocation.tenantId,
        payload: invocation.payload,
      }),
      this.#inHand.length > 1,
    );
  }

  /** The re-run init has failed too: the waiting call gets its error, with the log lines of an invocation. */
  failInvocation(call: Call, init: Exclude<InitOutcome, { kind: 'ready' }>): void {
    const { requestId } = call.invocation;
    if (call.invocation.wantsLogTail) this.#log.beginTail();
    const now = this.#clock.epochMs();
    this.#log.platform(now, startLine(this.#format, now, requestId, this.spec.functionVersion));
    const { status } = initStatus(init);
    const durationMs = status === 'timeout' ? this.spec.timeoutMs : call.spentMs;
    this.#finish(call, initError(requestId, this.spec.timeoutMs, init), status, durationMs);
  }

  /** A planned end: the shutdown frame, a grace for `SIGTERM` listeners, then the kill. Resolves when all is gone. */
  async shutDown(): Promise<void> {
    if (this.#phase === 'idle') {
      this.#enter('shutdown');
      this.#slot.send([shutdownFrame()]);
      await settledWithin(this.#slot.sandbox.exit, SHUTDOWN_GRACE_MS);
    }
    await this[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    // The owner may dispose again from within onLost; by then this promise is in its place.
    await Promise.resolve();
    this.#lose(undefined);
    clearTimeout(this.#deadline);
    this.#slot.sandbox.kill();
    // The code must not be renamed into a slot directory that is being removed.
    await Promise.allSettled([this.#specialised]);
    await this.#slot[Symbol.asyncDispose]();
    this.#log[Symbol.dispose]();
  }

  #enter(next: Phase): void {
    const allowed: readonly Phase[] = NEXT_PHASES[this.#phase];
    if (!allowed.includes(next))
      throw new Error(`an environment cannot go from ${this.#phase} to ${next}`);
    this.#phase = next;
  }

  async #specialise(): Promise<void> {
    const { sandbox } = this.#slot;
    const discard = (directory: string) => this.spec.discardCode(directory);
    const staged = this.spec.stageCode();
    const layers = this.spec.stageLayers?.();
    // Seen below, or overtaken by the failure of the variables.
    staged.catch(() => {});
    layers?.catch(() => {});
    try {
      const { variables, expiresAtMs } = await this.spec.variables({
        logStreamName: this.#logStreamName,
        initializationType: INITIALIZATION_TYPE,
        paths: sandbox.paths,
      });
      // Ahead of the code, for which slots with start variables wait: these may name files of layers.
      if (layers !== undefined) await placeLayers(await layers, sandbox.optDir);
      await rename(await staged, sandbox.taskDir);
      this.#expiresAtMs = expiresAtMs ?? Number.POSITIVE_INFINITY;
      const { importsFromNodePath } = this.spec;
      this.#slot.send([specialiseFrame({ env: variables, importsFromNodePath })]);
    } catch (error) {
      void staged.then(discard, () => {});
      throw error;
    } finally {
      void layers?.then(discard, () => {});
    }
  }

  #initStart(): string {
    const { spec } = this;
    return initStartLine(this.#format, this.#clock.epochMs(), {
      functionName: spec.functionName,
      functionVersion: spec.functionVersion,
      runtimeVersion: spec.runtimeVersion,
      runtimeVersionArn: spec.runtimeVersionArn,
      initializationType: INITIALIZATION_TYPE,
    });
  }

  #settleInit(outcome: InitOutcome): void {
    this.#initSettled?.(outcome);
    this.#initSettled = undefined;
  }

  #reportInit(phase: InitPhase, outcome: InitOutcome, durationMs: number): void {
    this.#log.endInvocation();
    const { status, errorType } = initStatus(outcome);
    const report = {
      phase,
      status,
      errorType,
      durationMs,
      initializationType: INITIALIZATION_TYPE,
    };
    const now = this.#clock.epochMs();
    this.#log.platform(now, initReportLine(this.#format, now, report));
  }

  #begin(call: Call): void {
    if (this.#phase !== 'invoke') this.#enter('invoke');
    this.#startedAtMs = this.#clock.monotonicMs() - call.spentMs;
    this.#slot.sandbox.watchMemory(true);
    if (call.invocation.wantsLogTail) this.#log.beginTail();
    const now = this.#clock.epochMs();
    const { requestId } = call.invocation;
    this.#log.platform(now, startLine(this.#format, now, requestId, this.spec.functionVersion));
    this.#armDeadline(call);
  }

  #armDeadline(call: Call): void {
    const remainingMs = this.spec.timeoutMs - call.spentMs;
    if (remainingMs === this.#deadlineMs) {
      this.#deadline?.refresh();
      return;
    }
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#onDeadline(), remainingMs);
    this.#deadlineMs = remainingMs;
  }

  /** One turn of the loop later, so that an answer which lies in the socket at this moment still counts. */
  #onDeadline(): void {
    const call = this.#inHand[0];
    setImmediate(() => {
      this.#frames.flush();
      if (call === undefined || call !== this.#inHand[0]) return;
      const outcome = timedOut(call.invocation.requestId, this.spec.timeoutMs);
      this.#lose({ outcome, status: 'timeout', durationMs: this.spec.timeoutMs });
    });
  }

  #onFrame(kind: string, body: Buffer, oversize: boolean): void {
    if (this.#phase === 'gone' || this.#phase === 'shutdown') {
      if (kind === 'L' && this.#phase === 'shutdown') this.#onLogFrame(body);
      return;
    }
    switch (kind) {
      case 'O':
      case 'E':
      case 'X':
      case 'J':
        this.#onAnswer(kind, body, oversize);
        return;
      case 'L':
        this.#onLogFrame(body);
        return;
      case 'R':
        if (this.#phase === 'init' && body.length >= 4) this.#onReady(body);
        else this.#breach();
        return;
      case 'F':
        if (this.#phase === 'init' && !oversize) this.#onInitFailed(body);
        else this.#breach();
        return;
      default:
        this.#breach();
    }
  }

  /** The function speaks on our socket; whatever it meant, the environment cannot be trusted any more. */
  #breach(): void {
    this.#slot.sandbox.kill();
  }

  #onReady(body: Buffer): void {
    this.#maxRssKib = body.readUInt32LE(0);
    this.#settleInit({ kind: 'ready', durationMs: 0 });
  }

  #onInitFailed(body: Buffer): void {
    const parsed = typedBody(body, 0);
    if (parsed === undefined) return this.#breach();
    return this.#settleInit({ kind: 'failed', ...parsed });
  }

  #onLogFrame(body: Buffer): void {
    if (body.length < 9) return this.#breach();
    const level = body[0] ?? 0;
    const text = body.subarray(9);
    if (level === 0) this.#log.raw(text);
    else this.#log.event(body.readDoubleLE(1), text);
    return undefined;
  }

  /** An answer that was read before what the invocation printed past the bootstrap, where that matters. */
  #mayPrecedeOutput(kind: string): boolean {
    const isAnswer = kind === 'O' || kind === 'E';
    return isAnswer && (this.#hasOutput || this.#inHand[0]?.invocation.wantsLogTail === true);
  }

  #onOutput(chunk: Buffer): void {
    this.#hasOutput = true;
    const from = Math.max(0, chunk.length - LAST_OUTPUT_CHARS);
    this.#lastOutput = (this.#lastOutput + chunk.toString('latin1', from)).slice(
      -LAST_OUTPUT_CHARS,
    );
    if (this.#phase !== 'gone') this.#log.raw(chunk);
  }

  #onAnswer(kind: AnswerKind, body: Buffer, oversize: boolean): void {
    const call = this.#inHand[0];
    const head = ID_BYTES + 8;
    if (
      call === undefined ||
      body.length < head ||
      body.toString('latin1', 0, ID_BYTES) !== call.invocation.requestId
    ) {
      this.#breach();
      return;
    }
    const hasGrown = this.#noteMaxRss(body.readUInt32LE(ID_BYTES));
    const outcome = oversize ? responseTooLarge() : answerOutcome(kind, body, head);
    if (outcome === undefined) {
      this.#breach();
      return;
    }
    // Its own figure: ours has the time in it that both sides wait for a processor. It cannot be longer than what we saw.
    const ownMs = body.readUInt32LE(ID_BYTES + 4) / 1000 + call.spentMs;
    const durationMs = Math.min(ownMs, this.#elapsedMs());
    if (kind === 'X') {
      this.#lose({ outcome, status: 'error', durationMs });
      return;
    }
    if (hasGrown && this.#slot.sandbox.exceedsMemory()) {
      const end = processEnded(call.invocation.requestId, { kind: 'outOfMemory' });
      this.#lose({ outcome: end, status: 'error', durationMs });
      return;
    }
    this.#inHand.shift();
    this.#finish(call, outcome, outcome.kind === 'returned' ? 'success' : 'error', durationMs);
    const next = this.#inHand[0];
    if (next !== undefined) this.#begin(next);
    else {
      this.#enter('idle');
      this.#slot.sandbox.watchMemory(false);
      this.idleSinceMs = this.#clock.monotonicMs();
    }
    this.#owner.onAnswered(this, durationMs);
  }

  /** Whether it has grown to where MemorySize may be exceeded; many short invocations leak faster than the poll looks. */
  #noteMaxRss(maxRssKib: number): boolean {
    const hasGrown = maxRssKib > this.#maxRssKib && maxRssKib > this.spec.memoryMib * 1024;
    this.#maxRssKib = Math.max(this.#maxRssKib, maxRssKib);
    return hasGrown;
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedAtMs;
  }

  #finish(call: Call, outcome: InvokeOutcome, status: PhaseStatus, durationMs: number): void {
    const report: Report = {
      requestId: call.invocation.requestId,
      status,
      errorType: recordedType(outcome),
      durationMs,
      memorySizeMb: this.spec.memoryMib,
      maxMemoryUsedMb: Math.min(this.spec.memoryMib, Math.ceil(this.residentKib / 1024)),
      initDurationMs: this.#initDurationMs,
    };
    this.#initDurationMs = undefined;
    this.#log.endInvocation();
    const now = this.#clock.epochMs();
    this.#log.platform(now, endLine(this.#format, now, report));
    this.#log.platform(now, reportLine(this.#format, now, report));
    const logTail = call.invocation.wantsLogTail ? this.#log.takeTail() : undefined;
    call.settle({ outcome, logTail });
  }

  /** The process has ended, by itself or by our hand: read what it still said, then settle what it had in hand. */
  async #onExit(exit: SandboxExit): Promise<void> {
    const { control, output } = this.#slot.sandbox;
    // What is left is bounded by the sockets' buffers: no reason to hold it back any more.
    this.#pauseReading(false);
    this.#hasExited = true;
    await settledWithin(Promise.all([streamClosed(control), streamClosed(output)]), LAST_FRAMES_MS);
    this.#frames.flush();
    // V8 says so on stderr before it aborts; the exit code alone does not tell.
    const isOutOfMemory = isHeapExhaustion(exit, this.#lastOutput);
    const end: SandboxExit = isOutOfMemory ? { kind: 'outOfMemory' } : exit;
    this.#settleInit({ kind: 'ended', exit: end });
    const running = this.#inHand[0];
    if (running === undefined) return this.#lose(undefined);
    const outcome = processEnded(running.invocation.requestId, end);
    return this.#lose({ outcome, status: 'error', durationMs: this.#elapsedMs() });
  }

  /** The end of service: settles the running event, gives the others back, tells the owner. Once. */
  #lose(
    last: { outcome: InvokeOutcome; status: PhaseStatus; durationMs: number } | undefined,
  ): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    const [running, ...unstarted] = this.#inHand.splice(0);
    this.#slot.sandbox.watchMemory(false);
    this.#slot.sandbox.kill();
    if (running !== undefined) {
      const killed = { kind: 'signalled', signal: 'killed' } as const;
      const end = last ?? {
        outcome: processEnded(running.invocation.requestId, killed),
        status: 'error' as const,
        durationMs: this.#elapsedMs(),
      };
      this.#finish(running, end.outcome, end.status, end.durationMs);
    }
    this.#owner.onLost(this, unstarted);
  }

  #pauseReading(paused: boolean): void {
    if (this.#hasExited) return;
    const { control, output } = this.#slot.sandbox;
    for (const stream of [control, output]) {
      if (paused) stream.pause();
      else stream.resume();
    }
  }
}

function streamClosed(stream: { closed: boolean; once(e: 'close', f: () => void): unknown }) {
  return new Promise<void>((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
}

/** Resolves when the promise does or the time is over, whichever is first; leaves no timer behind. */
async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  const time = Promise.withResolvers<void>();
  const timer = setTimeout(time.resolve, ms);
  await Promise.race([promise, time.promise]);
  clearTimeout(timer);
}
