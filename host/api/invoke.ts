// Invoke: the one operation that sees the request and makes its answer itself, since its payload is bytes both ways.
// Stop 2 of the way of an invoke (ARCHITECTURE.md).
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { InvokeOutcome, InvokeResult } from '../../runtime/invocation.ts';
import type { Dispatcher, InvokeTarget } from '../dispatch/dispatcher.ts';
import { requireRegion, type Scope } from '../functions/names.ts';
import { ServiceError } from '../service-error.ts';
import { decodeInput } from './decode.ts';
import type { Answer } from './encode.ts';
import type { OperationInput } from './model/types.ts';
import type { OperationRequest } from './operation.ts';

const MAX_PAYLOAD_BYTES = 6_291_456;
const MAX_CLIENT_CONTEXT_CHARS = 3583;

/** Payloads up to this size are checked here, before anything runs; larger ones by the runtime, off this thread. */
const PARSED_HERE_BYTES = 4096;

/** A trace header is some hundred characters; a longer one is not handed on, since it would not fit into the answer's headers. */
const MAX_TRACE_HEADER_CHARS = 1024;

const EMPTY_EVENT = Buffer.from('{}');

export interface InvokeParts {
  readonly dispatcher: Dispatcher;
  /** `LAMBKIN_FUNCTION_ERROR`: `classic` tells Handled from Unhandled in `X-Amz-Function-Error`. */
  readonly functionError: 'modern' | 'classic';
  readonly epochMs: () => number;
}

type InvokeInput = OperationInput<'Invoke'>;

/** Answers one Invoke. Throws ServiceError when nothing ran; errors of the function are answers. */
export async function answerInvoke(
  request: OperationRequest & { readonly body: Buffer },
  scope: Scope,
  requestId: string,
  parts: InvokeParts,
): Promise<Answer> {
  const { match, headers, body } = request;
  const input = decodeInput({ ...match, operation: 'Invoke' }, headers, body, (parsed) =>
    requireRegion(scope, parsed['FunctionName']),
  );
  checkMembers(input);
  const target = parts.dispatcher.resolve(scope, input.FunctionName, input.Qualifier);
  const tenantId = tenantOf(input, target);
  const payload = body.length === 0 ? EMPTY_EVENT : body;
  checkPayload(payload);
  if (input.InvocationType === 'DryRun') return { status: 204, headers: {}, body: undefined };
  if (input.InvocationType === 'Event')
    throw invalid('InvocationType Event is not available on this host yet');
  const traceId = traceHeader(headers['x-amzn-trace-id'], target, parts.epochMs());
  const result = await parts.dispatcher.invoke(target, {
    requestId,
    traceId,
    clientContext: clientContext(input.ClientContext),
    tenantId,
    payload,
    isUnchecked: payload.length > PARSED_HERE_BYTES,
    wantsLogTail: input.LogType === 'Tail',
  });
  return answer(result, target, traceId, parts.functionError);
}

function checkMembers(input: InvokeInput): void {
  if (input.DurableExecutionName !== undefined)
    throw invalid('DurableExecutionName is only supported for durable functions.');
  if ((input.ClientContext?.length ?? 0) > MAX_CLIENT_CONTEXT_CHARS)
    throw invalid(
      `Client context must be smaller than or equal to ${MAX_CLIENT_CONTEXT_CHARS} bytes`,
    );
}

/** Whom the event is of; empty where the function has no tenants. Whoever has them must be told, and nobody else may be. */
function tenantOf({ TenantId }: InvokeInput, { version }: InvokeTarget): string {
  const hasTenants = version.settings.tenantIsolation !== undefined;
  if (hasTenants && TenantId === undefined)
    throw invalid(
      'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
    );
  if (!hasTenants && TenantId !== undefined)
    throw invalid(
      'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
    );
  return TenantId ?? '';
}

function checkPayload(payload: Buffer): void {
  if (payload.length > MAX_PAYLOAD_BYTES)
    throw new ServiceError(
      'RequestEntityTooLargeException',
      `Request must be smaller than ${MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation`,
    );
  if (!isUtf8(payload)) throw notJson('invalid UTF-8');
  if (payload.length > PARSED_HERE_BYTES) return;
  try {
    JSON.parse(payload.toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw notJson(error.message);
  }
}

function notJson(reason: string): ServiceError {
  return new ServiceError(
    'InvalidRequestContentException',
    `Could not parse request body into json: Could not parse payload into json: ${reason}`,
  );
}

/** The decoded JSON object; empty when there is none. */
function clientContext(base64: string | undefined): string {
  if (base64 === undefined || base64 === '') return '';
  const text = Buffer.from(base64, 'base64').toString();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return text;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ServiceError(
    'InvalidRequestContentException',
    'Client context must be a valid Base64-encoded JSON object.',
  );
}

/** The caller's header as it is, or a new root. */
function traceHeader(
  given: string | readonly string[] | undefined,
  { version }: InvokeTarget,
  epochMs: number,
): string {
  if (typeof given === 'string' && given !== '' && given.length <= MAX_TRACE_HEADER_CHARS)
    return given;
  const seconds = Math.floor(epochMs / 1000).toString(16);
  const [root, parent] = [randomHex(24), randomHex(16)];
  const sampled = version.settings.tracingMode === 'Active' ? 1 : 0;
  return `Root=1-${seconds.padStart(8, '0')}-${root};Parent=${parent};Sampled=${sampled}`;
}

/** Cut from UUIDs, which Node makes in stock; their fixed digits do not matter for ids that need be unique only. */
function randomHex(digits: 16 | 24): string {
  const uuid = randomUUID();
  const tail = uuid.slice(19, 23) + uuid.slice(24);
  return digits === 16 ? tail : uuid.slice(0, 8) + tail;
}

function answer(
  { outcome, logTail }: InvokeResult,
  { version }: InvokeTarget,
  traceId: string,
  functionError: 'modern' | 'classic',
): Answer {
  if (outcome.kind === 'notJson') throw notJson(outcome.reason);
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'X-Amz-Executed-Version': version.version,
    'x-amzn-Remapped-Content-Length': '0',
    'X-Amzn-Trace-Id': lowerCaseKeys(traceId),
  };
  const kind = errorKind(outcome);
  if (kind !== undefined) {
    const handled = kind === 'handled' && functionError === 'classic';
    headers['X-Amz-Function-Error'] = handled ? 'Handled' : 'Unhandled';
    headers['X-Lambkin-Error-Kind'] = kind;
  }
  if (logTail !== undefined) headers['X-Amz-Log-Result'] = logTail.toString('base64');
  return { status: 200, headers, body: outcome.payload };
}

/** *handled*: the function reported it. *unhandled*: the platform detected it. */
function errorKind(outcome: InvokeOutcome): 'handled' | 'unhandled' | undefined {
  switch (outcome.kind) {
    case 'returned':
    case 'notJson':
      return undefined;
    case 'functionError':
      return 'handled';
    case 'platformError':
      return 'unhandled';
    default:
      return outcome satisfies never;
  }
}

/** In the answer the service writes `root=…;parent=…;sampled=…`. Control characters cannot occur: it came as a header. */
function lowerCaseKeys(traceId: string): string {
  return traceId.replace(/Root=|Parent=|Sampled=/g, (key) => key.toLowerCase());
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}
