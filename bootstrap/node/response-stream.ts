// The responseStream of a streaming handler whose response is buffered: what was written becomes the payload when it ends.
import type { Writable } from 'node:stream';
import { runtimeError } from './errors.ts';
import type { Generation } from './generation.ts';
import { stringifyJson } from './primordials.ts';

type FirstWriteHook = (write: (chunk: string | Uint8Array) => void) => void;

/** What the handler is given. */
export interface ResponseStream extends Writable {
  setContentType(contentType: string): void;
  /** Set by HttpResponseStream.from: what goes out ahead of the first byte. */
  _onBeforeFirstWrite?: FirstWriteHook | undefined;
}

export interface BufferedResponse {
  readonly stream: ResponseStream;
  /** All that was written so far. */
  readonly payload: () => Buffer;
}

/** Type of a response that begins with the prelude of {@link HttpResponseStream.from}. */
const HTTP_INTEGRATION_TYPE = 'application/vnd.awslambda.http-integration-response';
const PRELUDE_END = new Uint8Array(8);

/** Loads `node:stream` on first use: only streaming functions pay for it. */
export function createBufferedResponse(
  generation: Generation,
  highWaterMark: number | undefined,
): BufferedResponse {
  const { Writable } = process.getBuiltinModule('node:stream');
  const chunks: Buffer[] = [];
  let isStarted = false;

  const stream = new Writable({
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk)); // a copy: the function may use its buffer again
      done();
    },
  }) as ResponseStream; // completed below
  const write = stream.write.bind(stream) as (...parameters: unknown[]) => boolean; // overloads do not survive bind
  const end = stream.end.bind(stream) as (...parameters: unknown[]) => ResponseStream; // as above

  /** Runs the hook at the first write, and turns what is no bytes into JSON. */
  const prepare = (chunk: unknown): string | Uint8Array => {
    if (!isStarted) stream._onBeforeFirstWrite?.((first) => write(first));
    isStarted = true;
    return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : stringifyJson(chunk);
  };

  stream.write = (chunk: unknown, ...rest: unknown[]) => write(prepare(chunk), ...rest);
  stream.end = (chunk?: unknown, ...rest: unknown[]) => {
    const hasChunk = chunk !== undefined && chunk !== null && typeof chunk !== 'function';
    return end(hasChunk ? prepare(chunk) : chunk, ...rest);
  };
  stream.setContentType = (_contentType) => {
    // A buffered answer is application/json whatever the function says; only the order of calls is checked.
    if (!isStarted) return;
    throw runtimeError(
      generation,
      'Runtime.InvalidStreamingOperation',
      'Cannot set content-type, too late.',
    );
  };
  return { stream, payload: () => Buffer.concat(chunks) };
}

/** `awslambda.HttpResponseStream`: puts status, headers and cookies ahead of a streamed body. */
export class HttpResponseStream {
  /** Returns `stream`, changed so that its first write is preceded by the prelude's JSON and eight NUL bytes. */
  static from(stream: ResponseStream, prelude: unknown): ResponseStream {
    stream.setContentType(HTTP_INTEGRATION_TYPE);
    const text = stringifyJson(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(text);
      write(PRELUDE_END);
    };
    return stream;
  }
}
