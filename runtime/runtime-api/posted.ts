// What a runtime posts, as an outcome: buffered and streamed results, errors in their headers, bodies and trailers.
import type { IncomingHttpHeaders } from 'node:http';
import { responseTooLarge, truncatedResponse } from '../environment/platform-error.ts';
import type { InvokeOutcome } from '../invocation.ts';
import type { Body } from './body.ts';
import { ACCEPTED, type Reply, TOO_LARGE, TRUNCATED } from './replies.ts';
import type { PostedError } from './session.ts';

export const ERROR_TYPE_HEADER = 'lambda-runtime-function-error-type';
const ERROR_BODY_TRAILER = 'lambda-runtime-function-error-body';

/** Its bodies carry a cause for X-Ray beside what the caller gets. */
const WITH_CAUSE = 'application/vnd.aws.lambda.error.cause+json';

/** What the caller gets, and what the runtime does. */
export interface Result {
  readonly outcome: InvokeOutcome;
  readonly reply: Reply;
}

/** A result that was posted; `trailers` can say that it broke off with an error. */
export function resultOf(body: Body, trailers: NodeJS.Dict<string>): Result {
  const failed = notWhole(body);
  if (failed !== undefined) return failed;
  const errorType = trailers[ERROR_TYPE_HEADER];
  if (errorType === undefined)
    return { outcome: { kind: 'returned', payload: bytesOf(body) }, reply: ACCEPTED };
  const payload = Buffer.from(trailers[ERROR_BODY_TRAILER] ?? '', 'base64');
  return { outcome: { kind: 'functionError', errorType, payload }, reply: ACCEPTED };
}

/** An error that was posted in place of a result. */
export function errorResultOf(body: Body, headers: IncomingHttpHeaders): Result {
  const failed = notWhole(body);
  if (failed !== undefined) return failed;
  return {
    outcome: { kind: 'functionError', ...postedError(bytesOf(body), headers) },
    reply: ACCEPTED,
  };
}

export function postedError(bytes: Buffer, headers: IncomingHttpHeaders): PostedError {
  const errorType = headers[ERROR_TYPE_HEADER];
  return {
    errorType: typeof errorType === 'string' ? errorType : '',
    payload: headers['content-type'] === WITH_CAUSE ? withoutCause(bytes) : bytes,
  };
}

/** The bytes of a whole body, none of another. */
export function bytesOf(body: Body): Buffer {
  return body.kind === 'whole' ? body.bytes : Buffer.alloc(0);
}

function notWhole(body: Body): Result | undefined {
  switch (body.kind) {
    case 'whole':
      return undefined;
    case 'tooLarge':
      return { outcome: responseTooLarge(), reply: TOO_LARGE };
    case 'truncated':
      return { outcome: truncatedResponse(), reply: TRUNCATED };
    default:
      return body satisfies never;
  }
}

/** A body that cannot be read goes to the caller as it is. */
function withoutCause(bytes: Buffer): Uint8Array {
  try {
    const { errorMessage, errorType, stackTrace } = JSON.parse(bytes.toString()) as PostedCause; // members that are missing stay out
    return Buffer.from(JSON.stringify({ errorMessage, errorType, stackTrace }));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return bytes;
    throw error;
  }
}

interface PostedCause {
  readonly errorMessage?: unknown;
  readonly errorType?: unknown;
  readonly stackTrace?: unknown;
}
