// One execution environment and its phases: init, then one event at a time, until it is shut down or lost.
// It owns its slot from the moment it is created. The pool decides which event it gets and when it ends.

import type { Clock } from '../clock.ts';
import type { Call, EnvironmentSpec, InvokeOutcome, NewInstance } from '../invocation.ts';
import { FunctionLog } from '../logs/function-log.ts';
import type { InitPhase, PhaseStatus } from '../logs/platform-log.ts';
import { PlatformRecords } from '../logs/platform-records.ts';
import { isHeapExhaustion } from '../sandbox/exit-status.ts';
import type { SandboxExit } from '../sandbox/sandbox.ts';
import type { Answer, Message } from '../slots/messages.ts';
import type { Slot } from '../slots/slot.ts';
import { Age } from './age.ts';
import { recordedType, statusOf } from './answers.ts';
import { Deadline } from './deadline.ts';
import { HeldMessages } from './held-messages.ts';
import { InHand } from './in-hand.ts';
import {
  AwaitedInit,
  type InitMessage,
  type InitOutcome,
  initError,
  initOutcome,
  initStatus,
} from './init-outcome.ts';
import { LastOutput } from './last-output.ts';
import { type Phase, phaseMayFollow } from './phases.ts';
import { broken, processEnded, timedOut } from './platform-error.ts';
import { Reading } from './reading.ts';
import { specialise } from './specialise.ts';

export interface EnvironmentOwner {
  /** The environment has answered and has room for another event; it may have others in hand. */
  onAnswered(environment: Environment, durationMs: number): void;
  /** These have not begun, and will not in this environment, which lives on: it is idle now or still runs another event. */
  onGivenBack(environment: Environment, calls: readonly Call[]): void;
  onProblem(text: string, cause: unknown): void;
  /** It will serve no more. Calls that it had not begun come back. Disposal is still the owner's. */
  onLost(environment: Environment, unstarted: readonly Call[]): void;
}

export interface EnvironmentOptions {
  readonly spec: EnvironmentSpec;
  readonly slot: Slot;
  readonly instance: NewInstance;
  readonly owner: EnvironmentOwner;
  readonly clock: Clock;
}

export class Environment implements AsyncDisposable {
  readonly spec: EnvironmentSpec;
  readonly instance: NewInstance;
  readonly age: Age;
  readonly #slot: Slot;
  readonly #owner: EnvironmentOwner;
  readonly #clock: Clock;
  readonly #log: FunctionLog;
  readonly #records: PlatformRecords;
  #phase: Phase = 'created';
  readonly #inHand = new InHand<Call>();
  #startedAtMs = 0;
  #idleSinceMs = 0;
  #maxRssKib = 0;
  readonly #awaitedInit = new AwaitedInit();
  readonly #deadline = new Deadline(() => void this.#onDeadline());
  readonly #messages = new HeldMessages((message) => this.#onMessage(message));
  readonly #lastOutput = new LastOutput();
  readonly #reading: Reading;
  #isTakingBack = false;
  /** It has been answered, but goes on: the runtime has not asked for another event yet. */
  #answered: { readonly call: Call; readonly outcome: InvokeOutcome } | undefined;
  #disposal: Promise<void> | undefined;
  /** Settled once the code is in place, or will not come. */
  #specialised: Promise<unknown> | undefined;

  constructor(options: EnvironmentOptions) {
    const { spec, slot, clock } = options;
    this.spec = spec;
    this.#slot = slot;
    this.#owner = options.owner;
    this.#clock = clock;
    this.instance = options.instance;
    this.#reading = new Reading(slot.sandbox, this.#messages);
    this.age = new Age(clock);
    this.#log = new FunctionLog({
      sink: spec.openLogStream(options.instance.logStreamName),
      format: spec.logFormat,
      applicationLogLevel: spec.applicationLogLevel,
      epochMs: () => clock.epochMs(),
      pauseReading: (paused) => this.#reading.pause(paused),
    });
    this.#records = new PlatformRecords({ ...options, log: this.#log });
    slot.listen({
      onMessage: (message) => this.#messages.take(message, this.#mayPrecedeOutput(message)),
      onOutput: (chunk) => this.#onOutput(chunk),
    });
    void slot.sandbox.exit.then((exit) => this.#onExit(exit));
  }

  get phase(): Phase {
    return this.#phase;
  }

  get isProvisioned(): boolean {
    return this.instance.initializationType === 'provisioned-concurrency';
  }

  /** It takes events, now or after what it has in hand. */
  get serves(): boolean {
    return this.#phase === 'idle' || this.#phase === 'invoke';
  }

  /** When it last became idle, on the monotonic clock. */
  get idleSinceMs(): number {
    return this.#idleSinceMs;
  }

  /** When the running event began, on the monotonic clock. */
  get runningSinceMs(): number {
    return this.#startedAtMs;
  }

  /** Whether others may lie behind the running event. */
  get takesAhead(): boolean {
    return this.#slot.takesAhead;
  }

  /** Events taken and not yet answered, the running one included. */
  get inHand(): number {
    return this.#inHand.length;
  }

  /** Resident memory it was last known to use, in KiB. */
  get residentKib(): number {
    return Math.max(this.#slot.bootKib, this.#maxRssKib, this.#slot.sandbox.peakKib);
  }

  /**
   * Puts the code in place and runs the static code. Never rejects for a fault of the function; rejects with SlotBootError when
   * the slot itself does not come up.
   */
  async init(phase: InitPhase | 'restore', limitMs: number): Promise<InitOutcome> {
    this.#enter('init');
    const startedAt = this.#clock.monotonicMs();
    if (phase === 'init') this.#records.initStart();
    if (phase === 'restore') this.#records.restoreStart();
    this.#slot.sandbox.watchMemory(true);
    const settled = this.#awaitedInit.next();
    const specialised = specialise(this.#slot, this.spec, this.instance);
    this.#specialised = specialised;
    this.age.expiresAtMs = await specialised;
    const outcome = await this.#awaitedInit.within(
      limitMs,
      this.#slot.booted.then(() => settled),
    );
    const durationMs =
      outcome.kind === 'timedOut' ? limitMs : this.#clock.monotonicMs() - startedAt;
    if (phase !== 'restore') this.#records.initReport(phase, outcome, durationMs);
    else if (outcome.kind !== 'ready') this.#records.restoreReport(outcome, durationMs);
    if (outcome.kind !== 'ready') return outcome;
    // One that is to be restored is not idle before.
    if (this.instance.initializationType !== 'snap-start') this.#becomeReady();
    return { kind: 'ready', durationMs };
  }

  /** After an init of type `snap-start`, which took part in it for `spentMs`: hooks of the function. Never rejects. */
  async restore(limitMs: number, spentMs: number): Promise<InitOutcome> {
    if (this.#phase !== 'init') return { kind: 'timedOut' };
    const startedAt = this.#clock.monotonicMs();
    if (spentMs === 0) this.#records.restoreStart();
    const settled = this.#awaitedInit.next();
    this.#slot.restore();
    const outcome = await this.#awaitedInit.within(limitMs, settled);
    const durationMs = spentMs + this.#clock.monotonicMs() - startedAt;
    this.#records.restoreReport(outcome, durationMs);
    if (outcome.kind !== 'ready') return outcome;
    this.#becomeReady();
    return { kind: 'ready', durationMs };
  }

  /** Hands over one event; it runs when those before it are answered. Only when idle or in the invoke phase. */
  invoke(call: Call): void {
    const { invocation } = call;
    const number = this.#inHand.push(call);
    if (number === 0) this.#begin(call);
    this.#slot.invoke({ number, invocation, remainingMs: this.spec.timeoutMs - call.spentMs });
  }

  /** The re-run init has failed too: the waiting call gets its error, with the log lines of an invocation. */
  failInvocation(call: Call, init: Exclude<InitOutcome, { kind: 'ready' }>): void {
    const { requestId } = call.invocation;
    this.#records.begin(call.invocation, false);
    const { status } = initStatus(init);
    const durationMs = status === 'timeout' ? this.spec.timeoutMs : call.spentMs;
    this.#finish(call, initError(requestId, this.spec.timeoutMs, init), status, durationMs);
  }

  /**
   * Gives back what lies behind the running event, unless that one turns out to be answered. To be called as often as it seems
   * stuck; the owner hears of it when it is certain.
   */
  async takeBack(): Promise<void> {
    if (this.#isTakingBack) return;
    this.#isTakingBack = true;
    const running = this.#inHand.first;
    await this.#reading.everything();
    if (running === this.#inHand.first) await this.#withdraw();
    this.#isTakingBack = false;
  }

  /** A planned end, with time for those who want to know of it. Resolves when all is gone. */
  async shutDown(): Promise<void> {
    if (this.#phase === 'idle') {
      this.#enter('shutdown');
      await this.#slot.end('SPINDOWN');
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
    this.#deadline[Symbol.dispose]();
    await this.#slot.end('FAILURE');
    // The code must not be renamed into a slot directory that is being removed.
    await Promise.allSettled([this.#specialised]);
    await this.#slot[Symbol.asyncDispose]();
    this.#log[Symbol.dispose]();
  }

  #enter(next: Phase): void {
    if (!phaseMayFollow(this.#phase, next))
      throw new Error(`an environment cannot go from ${this.#phase} to ${next}`);
    this.#phase = next;
    if (next === 'idle') this.#idleSinceMs = this.#clock.monotonicMs();
  }

  #becomeReady(): void {
    this.#slot.sandbox.watchMemory(false);
    this.#enter('idle');
  }

  #begin(call: Call): void {
    if (this.#phase === 'idle') this.#enter('invoke');
    this.#startedAtMs = this.#clock.monotonicMs() - call.spentMs;
    this.#slot.sandbox.watchMemory(true);
    const mayNotRun = this.#inHand.isFirstPrefetched || call.invocation.isUnchecked === true;
    this.#records.begin(call.invocation, mayNotRun);
    this.#deadline.arm(this.spec.timeoutMs - call.spentMs);
  }

  /** An answer that lies in the socket at this moment still counts; what lies behind must not begin before the kill. */
  async #onDeadline(): Promise<void> {
    if (this.#answered !== undefined) return this.#lose(undefined, 'timeout');
    const call = this.#inHand.first;
    if (call === undefined) return;
    await this.#withdraw();
    if (call !== this.#inHand.first) return;
    // With others still behind it nothing is certain while the process lives; its end tells.
    if (this.#inHand.length > 1) return this.#slot.sandbox.kill();
    const outcome = timedOut(call.invocation.requestId, this.spec.timeoutMs);
    return this.#lose({ outcome, status: 'timeout', durationMs: this.spec.timeoutMs });
  }

  /** Takes back what lies behind the first event, as far as that can be written down for the bootstrap. */
  async #withdraw(): Promise<void> {
    const upTo = this.#inHand.withdraw();
    try {
      if (upTo !== undefined) this.#slot.withdraw(upTo);
    } catch (cause) {
      this.#owner.onProblem('events could not be taken back from an environment', cause);
      return;
    }
    await this.#reading.everything();
    if (upTo === undefined) return;
    const calls = this.#inHand.takeBack(upTo);
    if (calls.length > 0) this.#owner.onGivenBack(this, calls);
  }

  #onMessage(message: Message): void {
    if (this.#phase === 'gone' || this.#phase === 'shutdown') {
      if (message.kind === 'log' && this.#phase === 'shutdown') this.#onLog(message);
      return;
    }
    switch (message.kind) {
      case 'answer':
        this.#onAnswer(message);
        return;
      case 'free':
        this.#onFree(message.ownMs);
        return;
      case 'log':
        this.#records.signOfLife();
        this.#onLog(message);
        return;
      case 'notBegun':
        this.#onNotBegun(message.requestId);
        return;
      case 'ready':
      case 'initFailed':
        this.#onInitMessage(message);
        return;
      case 'broken':
        this.#onBroken(message);
        return;
      case 'extension':
        this.#records.extension(message);
        return;
      case 'breach':
        this.#breach();
        return;
      default:
        message satisfies never;
    }
  }

  /** The function speaks on our socket; whatever it meant, the environment cannot be trusted any more. */
  #breach(): void {
    this.#slot.sandbox.kill();
  }

  #onInitMessage(message: InitMessage): void {
    if (this.#phase !== 'init') return this.#breach();
    if ('maxRssKib' in message) this.#maxRssKib = message.maxRssKib;
    return this.#awaitedInit.settle(initOutcome(message));
  }

  /** In an invocation its caller hears of it, unless it has its answer. */
  #onBroken(message: Extract<Message, { kind: 'broken' }>): void {
    if (this.#phase === 'init') return this.#onInitMessage(message);
    const running = this.#inHand.first;
    if (running === undefined) return this.#lose(undefined);
    const { errorType, reason } = message;
    const outcome = broken(running.invocation.requestId, errorType, reason);
    return this.#lose({ outcome, status: 'error', durationMs: this.#elapsedMs() });
  }

  #onLog({ level, epochMs, text }: Extract<Message, { kind: 'log' }>): void {
    if (level === 0) this.#log.raw(epochMs, text);
    else this.#log.event(epochMs, text);
  }

  /** The end of an invocation, read before what it has printed past the bootstrap, where that matters. */
  #mayPrecedeOutput(message: Message): boolean {
    if (message.kind === 'free')
      return this.#lastOutput.text !== '' || this.#answered?.call.invocation.wantsLogTail === true;
    if (message.kind !== 'answer' || message.isFatal || message.outcome.kind === 'notJson')
      return false;
    return this.#lastOutput.text !== '' || this.#inHand.first?.invocation.wantsLogTail === true;
  }

  #onOutput(chunk: Buffer): void {
    this.#lastOutput.add(chunk);
    // What is printed after the end belongs to nobody, but for what extensions say while they have their time.
    if (this.#phase === 'gone' && !this.#slot.hasExtensions) return;
    this.#records.signOfLife();
    this.#log.raw(this.#clock.epochMs(), chunk);
  }

  #onAnswer(answer: Answer): void {
    const call = this.#inHand.first;
    if (call === undefined || answer.requestId !== call.invocation.requestId) {
      this.#breach();
      return;
    }
    const { outcome } = answer;
    const hasGrown = this.#noteMaxRss(answer.maxRssKib);
    // Its own figure: ours has the time in it that both sides wait for a processor. It cannot be longer than what we saw.
    const durationMs = Math.min(answer.ownMs + call.spentMs, this.#elapsedMs());
    if (answer.isFatal) {
      this.#lose({ outcome, status: 'error', durationMs });
      return;
    }
    if (hasGrown && this.#phase !== 'ending' && this.#slot.sandbox.exceedsMemory()) {
      this.#endAfter(call, durationMs);
      return;
    }
    this.#inHand.shift();
    if (answer.staysBusy) {
      this.#answered = { call, outcome };
      // A log tail is complete when the invocation is.
      if (!call.invocation.wantsLogTail) call.settle({ outcome, logTail: undefined });
      return;
    }
    if (outcome.kind === 'notJson' && this.#records.forget(call.invocation))
      call.settle({ outcome, logTail: undefined });
    else this.#finish(call, outcome, statusOf(outcome), durationMs);
    this.#goOn(durationMs);
  }

  /** The runtime asks for its next event. */
  #onFree(ownMs: number): void {
    if (this.#answered === undefined) return this.#breach();
    const { call, outcome } = this.#answered;
    const durationMs = Math.min(ownMs + call.spentMs, this.#elapsedMs());
    this.#finishAnswered(statusOf(outcome), durationMs);
    return this.#goOn(durationMs);
  }

  #finishAnswered(status: PhaseStatus, durationMs: number): void {
    if (this.#answered === undefined) return;
    const { call, outcome } = this.#answered;
    this.#answered = undefined;
    const logTail = this.#report(call, status, recordedType(outcome), durationMs);
    if (call.invocation.wantsLogTail) call.settle({ outcome, logTail });
  }

  #goOn(durationMs: number): void {
    this.#advance();
    if (this.serves) this.#owner.onAnswered(this, durationMs);
  }

  /** It was answered but has grown beyond MemorySize. The next event may have begun by now and is let end. */
  #endAfter(call: Call, durationMs: number): void {
    this.#enter('ending');
    void this.#withdraw();
    this.#inHand.shift();
    const outcome = processEnded(call.invocation.requestId, { kind: 'outOfMemory' });
    this.#finish(call, outcome, 'error', durationMs);
    this.#advance();
  }

  /** The bootstrap has dropped an event. One that was taken back before is none of ours any more. */
  #onNotBegun(requestId: string): void {
    const meaning = this.#inHand.notBegun(requestId);
    if (meaning === 'lie') return this.#breach();
    if (meaning === 'takenBack') return undefined;
    const call = this.#inHand.shift();
    if (call === undefined) return undefined;
    this.#closeRecords(call);
    this.#advance();
    return this.#owner.onGivenBack(this, [call]);
  }

  /** The next event comes first, or there is none. */
  #advance(): void {
    const next = this.#inHand.first;
    if (next !== undefined) return this.#begin(next);
    if (this.#phase === 'ending') return this.#lose(undefined);
    this.#enter('idle');
    this.#slot.sandbox.watchMemory(false);
    return undefined;
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
    const logTail = this.#report(call, status, recordedType(outcome), durationMs);
    call.settle({ outcome, logTail });
  }

  /** Nothing of it ran here. What its START has promised is kept. */
  #closeRecords(call: Call): void {
    if (!this.#records.forget(call.invocation)) this.#report(call, 'error', undefined, 0);
  }

  #report(
    call: Call,
    status: PhaseStatus,
    errorType: string | undefined,
    durationMs: number,
  ): Buffer | undefined {
    return this.#records.end(call.invocation, {
      requestId: call.invocation.requestId,
      tenantId: call.invocation.tenantId,
      status,
      errorType,
      durationMs,
      memorySizeMb: this.spec.memoryMib,
      maxMemoryUsedMb: Math.min(this.spec.memoryMib, Math.ceil(this.residentKib / 1024)),
    });
  }

  /** The process has ended, by itself or by our hand: read what it still said, then settle what it had in hand. */
  async #onExit(exit: SandboxExit): Promise<void> {
    await this.#reading.lastWords();
    // V8 says so on stderr before it aborts; the exit code alone does not tell.
    const isOutOfMemory = isHeapExhaustion(exit, this.#lastOutput.text);
    const end: SandboxExit = isOutOfMemory ? { kind: 'outOfMemory' } : exit;
    this.#awaitedInit.settle({ kind: 'ended', exit: end });
    const running = this.#inHand.first;
    if (running === undefined) return this.#lose(undefined);
    const isUnread = this.#inHand.isFirstLastSent && this.#slot.isLastEventUnread;
    if (isUnread && running.isSecondTry !== true) return this.#loseUnread();
    const outcome = processEnded(running.invocation.requestId, end);
    return this.#lose({ outcome, status: 'error', durationMs: this.#elapsedMs() });
  }

  /** The end of service: settles the running event, gives the others back, tells the owner. Once. */
  #lose(
    last: { outcome: InvokeOutcome; status: PhaseStatus; durationMs: number } | undefined,
    answeredStatus: PhaseStatus = 'error',
  ): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    this.#finishAnswered(answeredStatus, this.#elapsedMs());
    const [running, ...unstarted] = this.#inHand.clear();
    this.#slot.sandbox.watchMemory(false);
    void this.#slot.end(
      last?.status === 'timeout' || answeredStatus === 'timeout' ? 'TIMEOUT' : 'FAILURE',
    );
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

  /** It has ended without having read the event that is in hand: another one may run it. */
  #loseUnread(): void {
    const unread = this.#inHand.clear();
    for (const call of unread) this.#closeRecords(call);
    this.#enter('gone');
    this.#owner.onLost(
      this,
      unread.map((call) => ({ ...call, isSecondTry: true })),
    );
  }
}
