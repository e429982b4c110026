// The lines that the platform itself writes into a function's log: INIT_START, INIT_REPORT, START, END, REPORT.
// Texts and fields are the service's. Pure; whoever calls owns the log stream.

export type LogFormat = 'Text' | 'JSON';
export type SystemLogLevel = 'DEBUG' | 'INFO' | 'WARN';
export type InitPhase = 'init' | 'invoke';
export type PhaseStatus = 'success' | 'error' | 'timeout';

const SEVERITY = { DEBUG: 0, INFO: 1, WARN: 2 } as const satisfies Record<SystemLogLevel, number>;

const PLATFORM_TYPE = /(Runtime|Function|Sandbox|Extension)\.[A-Z][a-zA-Z]+/;

export interface PlatformLogFormat {
  readonly format: LogFormat;
  /** Least level that is written with format JSON; Text has no levels. */
  readonly level: SystemLogLevel;
}

export interface InitStart {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly runtimeVersion: string;
  readonly runtimeVersionArn: string;
  readonly initializationType: string;
}

export interface InitReport {
  readonly phase: InitPhase;
  readonly status: PhaseStatus;
  readonly errorType: string | undefined;
  readonly durationMs: number;
  readonly initializationType: string;
}

export interface ExtensionRecord {
  readonly name: string;
  readonly state: string;
  readonly events: readonly string[];
  readonly errorType: string | undefined;
}

export interface Report {
  readonly requestId: string;
  readonly status: PhaseStatus;
  readonly errorType: string | undefined;
  readonly durationMs: number;
  readonly memorySizeMb: number;
  readonly maxMemoryUsedMb: number;
  /** In JSON records only; empty or undefined where the function has no tenants. */
  readonly tenantId?: string | undefined;
  /** Only for the first invocation of an environment whose init succeeded. */
  readonly initDurationMs?: number | undefined;
  /** Only for the first invocation of an environment that was restored. */
  readonly restoreDurationMs?: number | undefined;
}

export function initStartLine(to: PlatformLogFormat, epochMs: number, start: InitStart): string {
  if (to.format === 'Text')
    return `INIT_START Runtime Version: ${start.runtimeVersion}\tRuntime Version ARN: ${start.runtimeVersionArn}\n`;
  return json(to, 'INFO', epochMs, 'platform.initStart', {
    initializationType: start.initializationType,
    phase: 'init',
    runtimeVersion: start.runtimeVersion,
    runtimeVersionArn: start.runtimeVersionArn,
    functionName: start.functionName,
    functionVersion: start.functionVersion,
  });
}

/** What has become of an extension when init ends. */
export function extensionLine(
  to: PlatformLogFormat,
  epochMs: number,
  { name, state, events, errorType }: ExtensionRecord,
): string {
  const failed = errorType !== undefined;
  if (to.format === 'Text') {
    const type = failed ? `\tError Type: ${errorType}` : '';
    return `EXTENSION\tName: ${name}\tState: ${state}\tEvents: [${events.join(', ')}]${type}\n`;
  }
  const record = { name, state, events, errorType };
  return json(to, failed ? 'WARN' : 'INFO', epochMs, 'platform.extension', record);
}

/** Empty for a successful on-demand init in Text format: the figure is in the first REPORT instead. */
export function initReportLine(to: PlatformLogFormat, epochMs: number, report: InitReport): string {
  const failed = report.status !== 'success';
  if (to.format === 'Text') {
    if (!failed && report.initializationType === 'on-demand') return '';
    return `INIT_REPORT Init Duration: ${report.durationMs.toFixed(2)} ms\tPhase: ${report.phase}\tStatus: ${report.status}${errorTypeField(report.errorType)}\n`;
  }
  const level = failed ? 'WARN' : report.initializationType === 'on-demand' ? 'DEBUG' : 'INFO';
  return json(to, level, epochMs, 'platform.initReport', {
    initializationType: report.initializationType,
    phase: report.phase,
    status: report.status,
    errorType: platformErrorType(report.errorType),
    metrics: { durationMs: round3(report.durationMs) },
  });
}

export function restoreStartLine(
  to: PlatformLogFormat,
  epochMs: number,
  { runtimeVersion, runtimeVersionArn, functionName, functionVersion }: InitStart,
): string {
  if (to.format === 'Text')
    return `RESTORE_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}\n`;
  const start = { runtimeVersion, runtimeVersionArn, functionName, functionVersion };
  return json(to, 'INFO', epochMs, 'platform.restoreStart', start);
}

export function restoreReportLine(
  to: PlatformLogFormat,
  epochMs: number,
  { status, errorType, durationMs }: Pick<InitReport, 'status' | 'errorType' | 'durationMs'>,
): string {
  if (to.format === 'Text') {
    const failure = status === 'success' ? '' : `\tStatus: ${status}${errorTypeField(errorType)}`;
    return `RESTORE_REPORT Restore Duration: ${durationMs.toFixed(2)} ms${failure}\n`;
  }
  return json(to, status === 'success' ? 'INFO' : 'WARN', epochMs, 'platform.restoreReport', {
    status,
    errorType: platformErrorType(errorType),
    metrics: { durationMs: round3(durationMs) },
  });
}

export function startLine(
  to: PlatformLogFormat,
  epochMs: number,
  requestId: string,
  version: string,
  tenantId?: string,
): string {
  if (to.format === 'Text') return `START RequestId: ${requestId} Version: ${version}\n`;
  return json(to, 'INFO', epochMs, 'platform.start', {
    requestId,
    version,
    tenantId: shownTenant(tenantId),
  });
}

/** END in Text format; its JSON counterpart is platform.runtimeDone. */
export function endLine(to: PlatformLogFormat, epochMs: number, report: Report): string {
  if (to.format === 'Text') return `END RequestId: ${report.requestId}\n`;
  return json(to, report.status === 'success' ? 'DEBUG' : 'WARN', epochMs, 'platform.runtimeDone', {
    requestId: report.requestId,
    status: report.status,
    errorType: platformErrorType(report.errorType),
    tenantId: shownTenant(report.tenantId),
    metrics: { durationMs: round3(report.durationMs) },
  });
}

/** Billing is per started millisecond and includes init. A Text line ends with a tab before its LF, as the service's does. */
export function reportLine(to: PlatformLogFormat, epochMs: number, report: Report): string {
  const billedMs = Math.ceil(report.durationMs + (report.initDurationMs ?? 0));
  if (to.format === 'Text') {
    const init =
      report.initDurationMs === undefined
        ? ''
        : `Init Duration: ${report.initDurationMs.toFixed(2)} ms\t`;
    const restore =
      report.restoreDurationMs === undefined
        ? ''
        : `Restore Duration: ${report.restoreDurationMs.toFixed(2)} ms\tBilled Restore Duration: ${Math.ceil(report.restoreDurationMs)} ms\t`;
    const status = statusFields(report.status, report.errorType);
    return `REPORT RequestId: ${report.requestId}\tDuration: ${report.durationMs.toFixed(2)} ms\tBilled Duration: ${billedMs} ms\tMemory Size: ${report.memorySizeMb} MB\tMax Memory Used: ${report.maxMemoryUsedMb} MB\t${init}${restore}${status}\n`;
  }
  return json(to, report.status === 'success' ? 'INFO' : 'WARN', epochMs, 'platform.report', {
    requestId: report.requestId,
    status: report.status,
    errorType: platformErrorType(report.errorType),
    tenantId: shownTenant(report.tenantId),
    metrics: {
      durationMs: round3(report.durationMs),
      billedDurationMs: billedMs,
      memorySizeMB: report.memorySizeMb,
      maxMemoryUsedMB: report.maxMemoryUsedMb,
      initDurationMs:
        report.initDurationMs === undefined ? undefined : round3(report.initDurationMs),
      ...restoreMetrics(report.restoreDurationMs),
    },
  });
}

function restoreMetrics(durationMs: number | undefined): object {
  if (durationMs === undefined) return {};
  return { restoreDurationMs: round3(durationMs), billedRestoreDurationMs: Math.ceil(durationMs) };
}

function shownTenant(tenantId: string | undefined): string | undefined {
  return tenantId === '' ? undefined : tenantId;
}

/** The platform's own records keep an error type only in this form; the caller's body is never touched. */
export function platformErrorType(errorType: string | undefined): string | undefined {
  if (errorType === undefined) return undefined;
  if (PLATFORM_TYPE.test(errorType)) return errorType;
  return errorType.startsWith('Function.') ? 'Function.Unknown' : 'Runtime.Unknown';
}

/** An exception that the handler threw leaves a plain REPORT line; only platform-relevant types are named in it. */
function statusFields(status: PhaseStatus, errorType: string | undefined): string {
  if (status === 'timeout') return 'Status: timeout';
  if (status === 'success' || errorType === undefined || !PLATFORM_TYPE.test(errorType)) return '';
  return `Status: ${status}${errorTypeField(errorType)}`;
}

function errorTypeField(errorType: string | undefined): string {
  return errorType === undefined ? '' : `\tError Type: ${platformErrorType(errorType)}`;
}

function json(
  to: PlatformLogFormat,
  level: SystemLogLevel,
  epochMs: number,
  type: string,
  record: object,
): string {
  if (SEVERITY[level] < SEVERITY[to.level]) return '';
  return `${JSON.stringify({ time: new Date(epochMs).toISOString(), type, record })}\n`;
}

function round3(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
