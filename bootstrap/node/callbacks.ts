// The callback side of v3: callback, done, succeed, fail and callbackWaitsForEmptyEventLoop. Only the first call counts.

/** What the callbacks of one invocation may do to it. */
export interface CallbackPort {
  succeed(result: unknown): void;
  fail(error: unknown): void;
  /** Runs `action` once nothing is left to do in the event loop. */
  whenDrained(action: () => void): void;
}

export interface Callbacks {
  readonly callback: (error?: unknown, result?: unknown) => void;
  /** The members that open the context object. */
  readonly members: {
    callbackWaitsForEmptyEventLoop: unknown;
    succeed: (result?: unknown) => void;
    fail: (error?: unknown) => void;
    done: (error?: unknown, result?: unknown) => void;
  };
}

export function createCallbacks(port: CallbackPort): Callbacks {
  let isFinished = false;
  let waitsForEmptyEventLoop: unknown = true;

  const finish = (error: unknown, result: unknown, isHeld: boolean): void => {
    if (isFinished) return;
    isFinished = true;
    if (error !== undefined && error !== null) port.fail(error);
    else if (isHeld) port.whenDrained(() => port.succeed(result));
    else port.succeed(result);
  };

  return {
    callback: (error, result) => finish(error, result, Boolean(waitsForEmptyEventLoop)),
    members: {
      get callbackWaitsForEmptyEventLoop() {
        return waitsForEmptyEventLoop;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waitsForEmptyEventLoop = value;
      },
      succeed: (result) => finish(undefined, result, false),
      fail: (error) => finish(error ?? 'handled', undefined, false),
      done: (error, result) => finish(error, result, false),
    },
  };
}
