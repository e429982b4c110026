// The invoke loop: take an event up, run the handler, answer, block in read(2) again. That blocking read is the freeze.
import { type CallbackPort, type Callbacks, createCallbacks } from './callbacks.ts';
import type { Logger } from './console.ts';
import {
  createContextV4,
  extendContextV3,
  type FunctionFacts,
  type InvocationHead,
} from './context.ts';
import { runtimeError, serialiseError } from './errors.ts';
import { type AnswerHead, FrameByte, type FrameReader, type FrameWriter } from './frames.ts';
import type { Generation } from './generation.ts';
import type { CurrentInvocation } from './invocation.ts';
import type { Handler, LoadedHandler } from './load-handler.ts';
import {
  ErrorConstructor,
  emit,
  exit,
  monotonicMs,
  now,
  parseJson,
  setImmediate,
  stringifyJson,
} from './primordials.ts';
import { createBufferedResponse } from './response-stream.ts';

export interface InvokeLoopOptions {
  readonly reader: FrameReader;
  readonly writer: FrameWriter;
  readonly logger: Logger;
  readonly generation: Generation;
  readonly loaded: LoadedHandler;
  readonly facts: FunctionFacts;
  readonly invocation: CurrentInvocation;
  readonly maxRssKib: () => number;
  /** Up to which number prefetched events are withdrawn. */
  readonly withdrawnUpTo: () => number;
}

/** Node's code for a main module that never settles; v4 ends so when a handler never settles. */
export const EXIT_UNSETTLED = 13;

/** What fits the frame; no invocation runs for so long. */
const MAX_DURATION_US = 0xffff_ffff;

const NODEJS_EXIT =
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';
const NOT_FINISHED = 'Response stream is not finished.';
const NOT_ASYNC = 'Streaming does not support non-async handlers.';
const ALREADY_DONE =
  'Invocation has already been reported as done. Cannot call complete more than once per invocation.';

/** The handler's receiver: gives stack traces the service's `at Runtime.handler`, and the handler nothing else. */
class Runtime {
  readonly handler: Handler;

  constructor(handler: Handler) {
    this.handler = handler;
  }
}

export class InvokeLoop {
  readonly #options: InvokeLoopOptions;
  readonly #runtime: Runtime;
  readonly #isAsyncFunction: boolean;
  /** The invocation that still waits for its answer. */
  #unanswered: string | undefined;
  #outcome: { readonly result: unknown } | { readonly error: unknown } | undefined;
  #whenDrained: (() => void) | undefined;
  #hasTraceId = true;
  #startedAtMs = 0;

  constructor(options: InvokeLoopOptions) {
    this.#options = options;
    this.#runtime = new Runtime(options.loaded.handler);
    this.#isAsyncFunction = options.loaded.handler.constructor?.name === 'AsyncFunction';
  }

  /** Blocks until the next frame and starts what it asks for. Runs inside a turn of the event loop. */
  readonly takeNext = (): void => {
    for (;;) {
      switch (this.#options.reader.next()) {
        case FrameByte.I:
          return this.#invoke();
        case FrameByte.P:
          if (this.#isWithdrawn()) break;
          return this.#invoke();
        case FrameByte.Q:
          return shutDown();
        default:
          return exit(0); // the host has closed its end
      }
    }
  };

  /** A withdrawn event is reported and dropped. Every answer has been written by now: the host relies on that order. */
  #isWithdrawn(): boolean {
    const { reader, writer, withdrawnUpTo } = this.#options;
    if (reader.u64() > withdrawnUpTo()) return false;
    writer.notBegun(reader.id());
    return true;
  }

  /** Answers the invocation in flight, if any, with `error` and without a log line, just before the process ends. */
  abort(error: unknown): void {
    if (this.#unanswered !== undefined) this.#answerError(error, true);
  }

  /** Nothing is left in the event loop: decides what becomes of an invocation without an answer. */
  drained(): void {
    const action = this.#whenDrained;
    this.#whenDrained = undefined;
    if (action !== undefined) action();
    else if (this.#unanswered !== undefined) this.#neverSettled();
  }

  #invoke(): void {
    const { reader, generation, loaded, invocation } = this.#options;
    const head: InvocationHead = {
      id: reader.id(),
      deadlineMs: now() + reader.u32(),
      invokedFunctionArn: reader.text16(),
      traceId: reader.text16(),
      clientContext: reader.text16(),
      tenantId: reader.text16(),
    };
    const payload = reader.rest();
    this.#startedAtMs = monotonicMs();
    this.#unanswered = head.id;
    invocation.sequence += 1;
    invocation.requestId = head.id;
    invocation.traceId = head.traceId;
    invocation.tenantId = head.tenantId;
    this.#exposeTraceId(head.traceId);
    const event = this.#parse(payload);
    if (event === undefined) setImmediate(this.takeNext);
    else if (generation === 'v3' && !loaded.isStreaming) this.#runWithCallbacks(head, event.value);
    else void this.#run(head, event.value); // settles always: it catches everything
  }

  /** `undefined` when it is not JSON, which is the caller's fault and is answered as that. */
  #parse(payload: string): { readonly value: unknown } | undefined {
    try {
      return { value: parseJson(payload) };
    } catch (error) {
      this.#options.writer.notJson(this.#answerHead(), (error as Error).message); // JSON.parse throws SyntaxErrors
      return undefined;
    }
  }

  #exposeTraceId(traceId: string | undefined): void {
    if (traceId !== undefined) process.env['_X_AMZN_TRACE_ID'] = traceId;
    else if (this.#hasTraceId) delete process.env['_X_AMZN_TRACE_ID'];
    this.#hasTraceId = traceId !== undefined;
  }

  /** v4, and streaming of both generations: the promise is the answer. */
  async #run(head: InvocationHead, event: unknown): Promise<void> {
    const { generation, facts, loaded } = this.#options;
    try {
      const context =
        generation === 'v4'
          ? createContextV4(head, facts)
          : extendContextV3({ callbackWaitsForEmptyEventLoop: true }, head, facts);
      const result = loaded.isStreaming
        ? await this.#stream(event, context)
        : await this.#runtime.handler(event, context);
      this.#outcome = { result };
    } catch (error) {
      this.#outcome = { error };
    }
    // One turn before the answer, as v4 has it: a rejection that nobody handles then fails this very invocation.
    setImmediate(this.#finish);
  }

  readonly #finish = (): void => {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    if (outcome !== undefined && 'result' in outcome) this.#succeed(outcome.result);
    else this.#fail(outcome?.error);
    this.takeNext();
  };

  /** Runs a streaming handler with a stream that collects; resolves with the bytes once the stream has ended. */
  async #stream(event: unknown, context: object): Promise<Uint8Array> {
    const { generation, loaded, logger } = this.#options;
    const { stream, payload } = createBufferedResponse(generation, loaded.highWaterMark);
    const finished = new Promise<void>((resolve, reject) => {
      const notFinished = () => reject(new ErrorConstructor(NOT_FINISHED));
      stream.once('finish', resolve).once('error', reject).once('close', notFinished);
    });
    finished.catch(() => {}); // seen below, or overtaken by the handler's own error
    const returned = this.#runtime.handler(event, stream, context);
    // v3 reports this one as a string.
    if (!isThenable(returned))
      throw generation === 'v4' ? new ErrorConstructor(NOT_ASYNC) : NOT_ASYNC;
    if ((await returned) !== undefined) logger.warn('Streaming handlers ignore return values.');
    this.#whenDrained = () => stream.destroy();
    await finished;
    this.#whenDrained = undefined;
    return payload();
  }

  /** v3: whoever comes first of callback, context methods, promise and an empty event loop. */
  #runWithCallbacks(head: InvocationHead, event: unknown): void {
    const { callback, members } = createCallbacks(this.#callbackPort(head.id));
    try {
      const context = extendContextV3(members, head, this.#options.facts);
      const result = this.#runtime.handler(event, context, callback);
      if (isThenable(result)) void settleWith(result, context); // catches everything
    } catch (error) {
      members.fail(error);
    }
  }

  #callbackPort(id: string): CallbackPort {
    const settle = (answer: () => void): void => {
      if (this.#unanswered !== id) return this.#options.logger.error(ALREADY_DONE);
      this.#whenDrained = undefined;
      answer();
      setImmediate(this.takeNext);
    };
    return {
      succeed: (result) => settle(() => this.#succeed(result)),
      fail: (error) => settle(() => this.#fail(error)),
      whenDrained: (action) => {
        this.#whenDrained = () => setImmediate(action);
      },
    };
  }

  #neverSettled(): void {
    const { generation } = this.#options;
    if (generation === 'v3' && !this.#isAsyncFunction && !this.#options.loaded.isStreaming) {
      this.#succeed(null);
      setImmediate(this.takeNext);
      return;
    }
    const error = runtimeError(generation, 'Runtime.NodeJsExit', NODEJS_EXIT);
    this.#options.logger.failure('Invoke Error', error);
    // v4 posts nothing: the caller gets Runtime.ExitError with the status.
    if (generation === 'v3') this.#answerError(error, true);
    exit(EXIT_UNSETTLED);
  }

  #succeed(result: unknown): void {
    const { writer, loaded } = this.#options;
    const payload = loaded.isStreaming ? (result as Uint8Array) : this.#serialise(result); // #stream resolves with bytes
    if (payload === undefined) return;
    writer.result(this.#answerHead(), payload);
  }

  /** `undefined` after a failure, which is then answered already. A function or symbol gives an empty payload. */
  #serialise(result: unknown): string | undefined {
    try {
      return (stringifyJson(result === undefined ? null : result) as string | undefined) ?? '';
    } catch {
      const message = 'Unable to stringify response body';
      const { generation } = this.#options;
      this.#fail(
        generation === 'v4'
          ? runtimeError(generation, 'Runtime.JSONStringifyError', message)
          : new ErrorConstructor(message),
      );
      return undefined;
    }
  }

  #fail(error: unknown): void {
    this.#options.logger.failure('Invoke Error', error);
    this.#answerError(error, false);
  }

  #answerError(error: unknown, isFatal: boolean): void {
    const { writer, generation } = this.#options;
    const { errorType, json } = serialiseError(error, generation);
    writer.functionError(this.#answerHead(), errorType, json, isFatal);
  }

  #answerHead(): AnswerHead {
    const elapsedUs = (monotonicMs() - this.#startedAtMs) * 1000;
    const durationUs = elapsedUs < MAX_DURATION_US ? elapsedUs : MAX_DURATION_US;
    return { id: this.#takeUnanswered(), maxRssKib: this.#options.maxRssKib(), durationUs };
  }

  #takeUnanswered(): string {
    const id = this.#unanswered;
    if (id === undefined) throw new ErrorConstructor('an invocation was answered twice');
    this.#unanswered = undefined;
    return id;
  }
}

/** Wakes the function for its last turn, or ends at once where it does not listen. */
function shutDown(): void {
  // Listeners get the name and the number, as from a real signal; the number is missing in Node's types.
  if (!Reflect.apply(emit, process, ['SIGTERM', 'SIGTERM', 15])) exit(0);
}

/** `await` instead of `then`: it stays right when the function has replaced the method on promises. */
async function settleWith(
  promise: PromiseLike<unknown>,
  { succeed, fail }: Pick<Callbacks['members'], 'succeed' | 'fail'>,
): Promise<void> {
  try {
    succeed(await promise);
  } catch (error) {
    fail(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return Boolean(value) && typeof (value as { then?: unknown }).then === 'function'; // truthy values all have properties
}
