// What a runtime is answered: statuses, error types and texts of the service.
import { MAX_RESPONSE_BYTES } from '../environment/platform-error.ts';
import { type RuntimeState, transitionRefusal } from './state.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export const ACCEPTED = json(202, { status: 'OK' });

export const NOT_FOUND: Reply = text(404, '404 page not found\n');

export const METHOD_NOT_ALLOWED: Reply = { status: 405, headers: {}, body: '' };

export const PONG: Reply = text(200, 'pong');

/** The snapshot has been restored, or there is none to wait for. */
export const RESTORED: Reply = { status: 200, headers: {}, body: '' };

export const INVALID_REQUEST_ID = refusal(400, 'InvalidRequestID', 'Invalid request ID');

export const INVALID_INVOCATION_ID = refusal(400, 'InvalidInvocationId', 'Invalid invocation ID');

export const INVALID_RESPONSE_MODE = refusal(
  400,
  'InvalidFunctionResponseMode',
  'Invalid function response mode',
);

export const TOO_LARGE = refusal(
  413,
  'RequestEntityTooLarge',
  `Exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
);

export const TRUNCATED = refusal(400, 'TruncatedHTTPRequest', 'HTTP request detected as truncated');

export const INTERNAL_ERROR = refusal(500, 'InternalServerError', 'Internal Server Error');

export function invalidTransition(from: RuntimeState, to: RuntimeState): Reply {
  return refusal(403, 'InvalidStateTransition', transitionRefusal(from, to));
}

export function refusal(status: number, errorType: string, errorMessage: string): Reply {
  return json(status, { errorMessage, errorType });
}

export function json(status: number, body: object): Reply {
  return {
    status,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
}

function text(status: number, body: string): Reply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}
