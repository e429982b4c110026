// What the platform itself writes into one environment's log: around its init, and around each event. START of an event that
// may turn out not to run is held back until there is a sign of life.
import type { Clock } from '../clock.ts';
import { type InitOutcome, initStatus } from '../environment/init-outcome.ts';
import type {
  EnvironmentSpec,
  InitializationType,
  Invocation,
  NewInstance,
} from '../invocation.ts';
import type { FunctionLog } from './function-log.ts';
import {
  type ExtensionRecord,
  endLine,
  extensionLine,
  type InitPhase,
  type InitStart,
  initReportLine,
  initStartLine,
  type PlatformLogFormat,
  type Report,
  reportLine,
  restoreReportLine,
  restoreStartLine,
  startLine,
} from './platform-log.ts';

export interface PlatformRecordsOptions {
  readonly spec: EnvironmentSpec;
  readonly instance: NewInstance;
  readonly log: FunctionLog;
  readonly clock: Clock;
}

type Startup = Pick<Report, 'initDurationMs' | 'restoreDurationMs'>;

export class PlatformRecords {
  readonly #spec: EnvironmentSpec;
  readonly #initializationType: InitializationType;
  readonly #log: FunctionLog;
  readonly #clock: Clock;
  readonly #format: PlatformLogFormat;
  /** How the environment came up, until a REPORT has told it. */
  #startup: Startup = {};
  #held: { readonly invocation: Invocation; readonly epochMs: number } | undefined;

  constructor({ spec, instance, log, clock }: PlatformRecordsOptions) {
    this.#spec = spec;
    this.#initializationType = instance.initializationType;
    this.#log = log;
    this.#clock = clock;
    this.#format = { format: spec.logFormat, level: spec.systemLogLevel };
  }

  initStart(): void {
    const now = this.#clock.epochMs();
    this.#log.platform(now, initStartLine(this.#format, now, this.#beginning()));
  }

  restoreStart(): void {
    const now = this.#clock.epochMs();
    this.#log.platform(now, restoreStartLine(this.#format, now, this.#beginning()));
  }

  restoreReport(outcome: InitOutcome, durationMs: number): void {
    this.#log.endInvocation();
    if (outcome.kind === 'ready') this.#startup = { restoreDurationMs: durationMs };
    const now = this.#clock.epochMs();
    const report = { ...initStatus(outcome), durationMs };
    this.#log.platform(now, restoreReportLine(this.#format, now, report));
  }

  extension(extension: ExtensionRecord): void {
    const now = this.#clock.epochMs();
    this.#log.platform(now, extensionLine(this.#format, now, extension));
  }

  initReport(phase: InitPhase, outcome: InitOutcome, durationMs: number): void {
    this.#log.endInvocation();
    const isReported = phase === 'init' && this.#initializationType === 'on-demand';
    if (isReported && outcome.kind === 'ready') this.#startup = { initDurationMs: durationMs };
    const { status, errorType } = initStatus(outcome);
    const now = this.#clock.epochMs();
    const report = { phase, status, errorType, durationMs };
    const line = initReportLine(this.#format, now, {
      ...report,
      initializationType: this.#initializationType,
    });
    this.#log.platform(now, line);
  }

  /** START, and the beginning of the tail for who wants one. */
  begin(invocation: Invocation, isHeld: boolean): void {
    if (invocation.wantsLogTail) this.#log.beginTail();
    const epochMs = this.#clock.epochMs();
    if (isHeld) this.#held = { invocation, epochMs };
    else this.#start(invocation, epochMs);
  }

  /** The event runs, or something else does that prints: START is due. */
  signOfLife(): void {
    if (this.#held === undefined) return;
    const { invocation, epochMs } = this.#held;
    this.#held = undefined;
    this.#start(invocation, epochMs);
  }

  /** END and REPORT; the tail for who wanted one. */
  end({ wantsLogTail }: Invocation, ended: Omit<Report, keyof Startup>): Buffer | undefined {
    const report = { ...ended, ...this.#startup };
    this.#startup = {};
    this.signOfLife();
    this.#log.endInvocation();
    const now = this.#clock.epochMs();
    this.#log.platform(now, endLine(this.#format, now, report));
    this.#log.platform(now, reportLine(this.#format, now, report));
    return wantsLogTail ? this.#log.takeTail() : undefined;
  }

  /** Nothing ran. False when START is in the log already: then the event needs its {@link end} there. */
  forget({ wantsLogTail }: Invocation): boolean {
    if (this.#held === undefined) return false;
    this.#held = undefined;
    if (wantsLogTail) this.#log.takeTail();
    return true;
  }

  #beginning(): InitStart {
    const { functionName, functionVersion, runtimeVersion, runtimeVersionArn } = this.#spec;
    const initializationType = this.#initializationType;
    return { functionName, functionVersion, runtimeVersion, runtimeVersionArn, initializationType };
  }

  #start({ requestId, tenantId }: Invocation, epochMs: number): void {
    const { functionVersion } = this.#spec;
    const line = startLine(this.#format, epochMs, requestId, functionVersion, tenantId);
    this.#log.platform(epochMs, line);
  }
}
