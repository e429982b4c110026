// One event on its way through an environment, and what becomes of it.
import type { LogFormat, SystemLogLevel } from './logs/platform-log.ts';
import type { SandboxPaths } from './protocol.ts';

export interface Invocation {
  readonly requestId: string;
  /** The ARN as the caller wrote it, qualifier included only if one was given. */
  readonly invokedFunctionArn: string;
  /** X-Ray header text; empty when there is none. */
  readonly traceId: string;
  /** Decoded client context JSON; empty when there is none. */
  readonly clientContext: string;
  readonly tenantId: string;
  readonly payload: Uint8Array;
  /** Nobody has looked whether the payload is JSON: the runtime will, before it calls the handler. */
  readonly isUnchecked?: boolean;
  /** Whether the caller wants the last 4 KB of this invocation's log. */
  readonly wantsLogTail: boolean;
}

/**
 * - `returned`: the handler's result.
 * - `functionError`: the function reported it (thrown, rejected, posted): *handled* in the words of the 2015 API.
 * - `notJson`: found by the bootstrap, so that the host need not parse large payloads.
 * - `platformError`: the platform detected it (timeout, memory, exit, failed init, oversize response): *unhandled*.
 */
export type InvokeOutcome =
  | { readonly kind: 'returned'; readonly payload: Uint8Array }
  | { readonly kind: 'functionError'; readonly errorType: string; readonly payload: Uint8Array }
  /** The payload is not JSON: nothing ran. `reason` is the parser's text. */
  | { readonly kind: 'notJson'; readonly reason: string }
  | {
      readonly kind: 'platformError';
      /** A `PlatformErrorType`, or what the runtime posted for a failed init. */
      readonly errorType: string;
      readonly payload: Uint8Array;
    };

export interface InvokeResult {
  readonly outcome: InvokeOutcome;
  /** At most the last 4,096 bytes; undefined when the caller did not ask. */
  readonly logTail: Buffer | undefined;
}

/** An invocation with whoever waits for it. */
export interface Call {
  readonly invocation: Invocation;
  /** What a re-run init has used of the function's timeout; 0 otherwise. */
  readonly spentMs: number;
  /** An environment ended with it before it began. Once is bad luck; what ends each of them is the function's doing. */
  readonly isSecondTry?: boolean;
  /** When it was admitted, on the monotonic clock. */
  readonly admittedAtMs: number;
  /** Exactly one of these is called, once. `fail` is for faults of the host. */
  settle(result: InvokeResult): void;
  fail(error: unknown): void;
}

/** Receives whole log events of one environment, each ending in LF. Must be cheap and must not throw. */
export interface LogSink {
  /** So much waits to be written that it would be better not to read on for a while. */
  readonly isBehind: boolean;
  /** Bytes are UTF-8, and valid during the call only. */
  write(epochMs: number, message: string | Uint8Array): void;
  close(): void;
}

/** Whether an environment was started for a call, ahead of calls to be kept, or as if from a snapshot. */
export type InitializationType = 'on-demand' | 'provisioned-concurrency' | 'snap-start';

/** What is known of one environment before it has a place. */
export interface NewInstance {
  readonly logStreamName: string;
  readonly initializationType: InitializationType;
}

/** What one environment tells its function of itself. */
export interface EnvironmentInstance extends NewInstance {
  readonly paths: SandboxPaths;
  /** Where its Runtime API listens, `host:port`; undefined when it has none. */
  readonly runtimeApi: string | undefined;
}

/** The whole environment of one process, and until when the credentials in it hold. */
export interface EnvironmentVariables {
  readonly variables: Readonly<Record<string, string>>;
  /** Epoch milliseconds; undefined: for ever. */
  readonly expiresAtMs?: number | undefined;
}

/**
 * Everything the runtime needs to know of one function version. A changed configuration is a new spec with a new key;
 * stored records never travel down here.
 */
export interface EnvironmentSpec {
  /** Environments with equal keys are interchangeable; one environment never serves two keys. */
  readonly key: string;
  /** Groups the keys of one function, for fairness and concurrency. */
  readonly functionKey: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly accountId: string;
  readonly runtime: string;
  readonly memoryMib: number;
  readonly ephemeralStorageMib: number;
  readonly timeoutMs: number;
  /** Whether its environments begin as if each came from one snapshot. */
  readonly snapStart: boolean;
  /** Some of its variables must be there when its program starts. */
  readonly startsLate: boolean;
  readonly logFormat: LogFormat;
  readonly systemLogLevel: SystemLogLevel;
  readonly applicationLogLevel: string;
  /** As INIT_START names the runtime: `nodejs:24.v21`. */
  readonly runtimeVersion: string;
  readonly runtimeVersionArn: string;
  /** A directory with the code, ready to be renamed into a slot; the caller owns it. */
  stageCode(): Promise<string>;
  /** A directory with what is to be in /opt, ready to be renamed into a slot entry by entry; undefined without layers. */
  readonly stageLayers: (() => Promise<string>) | undefined;
  /** Whether Node's `import` looks for packages in the folders of NODE_PATH, too. */
  readonly importsFromNodePath: boolean;
  /** Gives back a staged directory that was not used, or what is left of it. */
  discardCode(directory: string): void;
  variables(instance: EnvironmentInstance): Promise<EnvironmentVariables>;
  openLogStream(logStreamName: string): LogSink;
}
