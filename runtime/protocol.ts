// The words and messages that host, runtime and bootstrap share. Types only, so that a bootstrap can be mounted on its own.

/**
 * One frame on the control socket (descriptor 3 of every slot): u32 LE length of all that follows, u8 kind (an ASCII
 * letter), body. Integers are little-endian; `text16` is a u16 length followed by UTF-8; `id` is a 36-byte ASCII UUID.
 *
 * Down, host to bootstrap:
 * - `S` specialise: JSON of {@link Specialise}. Sent once, after the code is in place. Answered by `R` or `F`.
 * - `I` invoke: id, u32 remainingMs, text16 invokedFunctionArn, text16 traceId, text16 clientContext, text16 tenantId,
 *   then the payload (the rest). Empty text means absent. remainingMs counts from the moment the bootstrap takes the frame up.
 * - `P` prefetched: u64 number, then the same as `I`. An event that was sent while another one was in hand; up to
 *   {@link PrefetchDepth} may lie unread in the socket and run strictly one at a time. Numbers rise. Before the bootstrap
 *   begins one, and after it has written the answer of the one before, it reads {@link Specialise.withdrawnFile}; if the
 *   number there is not less than the event's own it answers `N` instead.
 * - `T` restored: the hooks that a function has for that run, then `R` or `F`. Only after an init of type `snap-start`.
 * - `Q` shutdown: leave the blocking read, emit `SIGTERM` to the function's listeners, or exit if there are none.
 *
 * Up, bootstrap to host:
 * - `U` up: the slot has booted and waits for `S`. No body.
 * - `R` ready: init has succeeded. Body: u32 maxRssKib.
 * - `F` init failed: u32 maxRssKib, text16 errorType, then the error body (JSON bytes). The process exits by itself afterwards.
 * - `O` result: id, u32 maxRssKib, u32 durationUs (from taking the event up to here), then the payload (the rest).
 * - `E` function error: id, u32 maxRssKib, u32 durationUs, text16 errorType, then the error body (JSON bytes).
 * - `X` fatal function error: as `E`, but the process exits by itself afterwards (uncaught exception, unhandled rejection).
 * - `J` the payload is not JSON and nothing ran: id, u32 maxRssKib, u32 durationUs, then the parser's text.
 * - `N` not begun: id. A prefetched event that was withdrawn in time.
 * - `L` log: u8 {@link LogLevelByte}, f64 timestamp in epoch ms, then the text. For level 0 (what the function wrote to
 *   process.stdout or process.stderr) it is a piece of a byte stream; for a console level it is one whole log event that
 *   ends in LF and may have further LFs inside.
 * Logs of an invocation precede its `O`, `E`, `X` or `J` on the socket, so the tail is complete without a timer. Output that does not
 * pass through the bootstrap's own streams (child processes, native code) arrives on descriptors 1 and 2 instead.
 */
export type FrameKind =
  | 'S'
  | 'T'
  | 'I'
  | 'P'
  | 'Q'
  | 'U'
  | 'R'
  | 'F'
  | 'O'
  | 'E'
  | 'X'
  | 'J'
  | 'N'
  | 'L';

/** 0: raw output; 1 TRACE, 2 DEBUG, 3 INFO, 4 WARN, 5 ERROR, 6 FATAL: a console method. */
export type LogLevelByte = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** Events that may lie in one environment's socket, the running one included. */
export type PrefetchDepth = 4;

/** What turns a generic slot into an environment of one function version. */
export interface Specialise {
  /** The whole environment; replaces what the process was started with. Holds `_HANDLER` and `LAMBDA_TASK_ROOT`. */
  readonly env: Readonly<Record<string, string>>;
  /** The process has been started with that environment, perhaps by a wrapper that has changed it: what it has now counts. */
  readonly keepsEnvironment?: boolean | undefined;
  /** {@link SandboxPaths.withdrawnFile}. */
  readonly withdrawnFile: string;
  /** {@link SandboxPaths.optDir}. */
  readonly optDir: string;
  /** Makes Node's `import` look for packages in the folders of NODE_PATH, as `require` does. Only where there may be some. */
  readonly importsFromNodePath?: boolean | undefined;
}

/**
 * Why an environment was lost, as the caller sees it in `errorType`; the words are the service's.
 * - `Sandbox.Timedout`: the deadline passed in the invoke phase
 * - `Runtime.ExitError`: the process ended by itself or by a signal
 * - `Runtime.OutOfMemory`: MemorySize was exceeded
 * - `Runtime.InvalidEntrypoint`: there was no program to start, or none that this machine can
 * - `Runtime.TruncatedResponse`: the connection ended in the middle of a result
 * - `Runtime.InvalidResponseModeHeader`: a result in a mode that there is not
 * - `Extension.LaunchError`, `Extension.TooManyExtensions`: an extension could not be started, or there were more than ten
 * - `Extension.InitError`, `Extension.ExitError`: an extension has said so of itself
 * - `Extension.Crash`: the process of an extension has ended before it was told to
 * - `Runtime.Unknown`: init timed out for a reason that has no name of its own
 * - `Function.ResponseSizeTooLarge`: the result was over the limit; the environment lives on
 */
export type PlatformErrorType =
  | 'Sandbox.Timedout'
  | 'Runtime.ExitError'
  | 'Runtime.OutOfMemory'
  | 'Runtime.InvalidEntrypoint'
  | 'Extension.LaunchError'
  | 'Extension.TooManyExtensions'
  | 'Extension.InitError'
  | 'Extension.ExitError'
  | 'Extension.Crash'
  | 'Runtime.TruncatedResponse'
  | 'Runtime.InvalidResponseModeHeader'
  | 'Runtime.Unknown'
  | 'Function.ResponseSizeTooLarge';

/** Where things are as the function sees them. Constants under a mount view; real paths in the tiers without one. */
export interface SandboxPaths {
  /** `/var/task`: the function's code, read-only, the working directory. */
  readonly taskRoot: string;
  /** `/var/runtime`: the bootstrap. */
  readonly runtimeDir: string;
  /** `/opt`: layers. */
  readonly optDir: string;
  /** `/tmp`: scratch of EphemeralStorage. */
  readonly tmpDir: string;
  /** A u64 that the host writes and the function can only read: prefetched events up to it are withdrawn unless begun. */
  readonly withdrawnFile: string;
}
