// Replaces the console methods by ones that write whole log events as frames, in the text or the JSON format.
import { format } from 'node:util';
import type { LogLevelByte } from '../../runtime/protocol.ts';
import { className, errorLogJson, errorLogReplacer, intoError } from './errors.ts';
import type { Generation } from './generation.ts';
import type { CurrentInvocation } from './invocation.ts';
import {
  DateConstructor,
  ErrorConstructor,
  now,
  stringifyJson,
  toISOString,
} from './primordials.ts';

/** Levels by name with their byte on the wire, which is their rank too. */
const Level = {
  TRACE: 1,
  DEBUG: 2,
  INFO: 3,
  WARN: 4,
  ERROR: 5,
  FATAL: 6,
} as const satisfies Record<string, LogLevelByte>;

type LevelName = keyof typeof Level;

/** What the runtime reports under its own titles. */
export type ErrorTitle =
  | 'Invoke Error'
  | 'Uncaught Exception'
  | 'Unhandled Promise Rejection'
  | 'Init Error';

/** Where log events go: the frame writer. */
export interface LogSink {
  logEvent(level: LogLevelByte, timestampMs: number, text: string): void;
}

export interface LoggerOptions {
  readonly sink: LogSink;
  readonly invocation: Readonly<CurrentInvocation>;
  readonly generation: Generation;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Formats and filters; reads AWS_LAMBDA_LOG_FORMAT and AWS_LAMBDA_LOG_LEVEL once. */
export class Logger {
  readonly #sink: LogSink;
  readonly #invocation: Readonly<CurrentInvocation>;
  readonly #generation: Generation;
  readonly #isJson: boolean;
  readonly #minLevel: LogLevelByte;

  constructor({ sink, invocation, generation, env }: LoggerOptions) {
    this.#sink = sink;
    this.#invocation = invocation;
    this.#generation = generation;
    this.#isJson = env['AWS_LAMBDA_LOG_FORMAT']?.toUpperCase() === 'JSON';
    this.#minLevel = levelNamed(env['AWS_LAMBDA_LOG_LEVEL']);
  }

  /** Installs the methods on `target`; `fatal` is added. Levels below the configured one become no-ops. */
  patch(target: Console): void {
    const method = (name: LevelName) =>
      Level[name] < this.#minLevel
        ? () => {}
        : (message?: unknown, ...parameters: unknown[]) => this.#log(name, message, parameters);
    const info = method('INFO');
    target.trace = method('TRACE');
    target.debug = method('DEBUG');
    target.info = info;
    target.warn = method('WARN');
    target.error = method('ERROR');
    target.log = info;
    Object.assign(target, { fatal: method('FATAL') });
  }

  warn(message: string): void {
    if (Level.WARN >= this.#minLevel) this.#log('WARN', message, []);
  }

  error(message: string): void {
    if (Level.ERROR >= this.#minLevel) this.#log('ERROR', message, []);
  }

  /** Reports a failure as the service's runtime does. Never throws, whatever `reason` is. */
  failure(title: ErrorTitle, reason: unknown): void {
    if (Level.ERROR < this.#minLevel) return;
    const error = readableError(reason);
    if (this.#isJson) this.#log('ERROR', error, []);
    else this.#log('ERROR', `${title} \t${errorLogJson(error, this.#generation)}`, []);
  }

  #log(name: LevelName, message: unknown, parameters: readonly unknown[]): void {
    const timestampMs = now();
    const time = toISOString(new DateConstructor(timestampMs));
    const text = this.#isJson
      ? this.#json(time, name, message, parameters)
      : `${time}\t${this.#invocation.requestId}\t${name}\t${formatAll(message, parameters)}`;
    this.#sink.logEvent(Level[name], timestampMs, `${text}\n`);
  }

  #json(time: string, level: LevelName, message: unknown, parameters: readonly unknown[]): string {
    const { requestId, tenantId } = this.#invocation;
    const record: Record<string, unknown> = { timestamp: time, level, requestId };
    if (tenantId !== undefined) record['tenantId'] = tenantId;
    if (parameters.length === 0) return singleJson(record, message);
    record['message'] = format(message, ...parameters);
    const error = parameters.find((parameter) => parameter instanceof ErrorConstructor);
    return stringifyJson(error === undefined ? record : { ...record, ...errorMembers(error) });
  }
}

/** A single argument stays what it is: objects remain objects; what JSON cannot hold is formatted. */
function singleJson(record: Record<string, unknown>, message: unknown): string {
  record['message'] = message;
  try {
    return stringifyJson(record, errorLogReplacer);
  } catch {
    record['message'] = format(message);
    return stringifyJson(record);
  }
}

function errorMembers(error: Error): Record<string, unknown> {
  const stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  return { errorType: className(error), errorMessage: error.message, stackTrace };
}

function formatAll(message: unknown, parameters: readonly unknown[]): string {
  if (parameters.length === 0 && typeof message === 'string') return message;
  return format(message, ...parameters);
}

function readableError(reason: unknown): Error {
  try {
    return intoError(reason);
  } catch {
    return new ErrorConstructor('a value that cannot be shown was thrown');
  }
}

function levelNamed(name: string | undefined): LogLevelByte {
  const upper = name?.toUpperCase() ?? '';
  return Object.hasOwn(Level, upper) ? Level[upper as LevelName] : Level.TRACE; // hasOwn has checked it
}
