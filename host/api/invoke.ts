// Invoke: the one operation that sees the request and makes its answer itself, since its payload is bytes both ways.
// Stop 2 of the way of an invoke (ARCHITECTURE.md).
import { isUtf8 } from 'node:buffer';
import type { InvokeOutcome, InvokeResult } from '../../runtime/invocation.ts';
import type { Dispatcher, InvokeTarget } from '../dispatch/dispatcher.ts';
import { recursiveInvocation, traceHeader, withInvocation } from '../dispatch/trace-header.ts';
import { requireRegion, type Scope } from '../functions/names.ts';
import { functionKey } from '../functions/record.ts';
import { MAX_EVENT_BYTES } from '../queue/event.ts';
import type { AsyncQueue } from '../queue/queue.ts';
import { ServiceError } from '../service-error.ts';
import { decodeInput, type RequestHeaders } from './decode.ts';
import { type Answer, encodeOutput } from './encode.ts';
import type { OperationInput } from './model/types.ts';
import type { OperationRequest } from './operation.ts';

const MAX_PAYLOAD_BYTES = 6_291_456;
/** The service has never raised it for this older operation. */
const MAX_INVOKE_ASYNC_BYTES = 262_144;
const MAX_CLIENT_CONTEXT_CHARS = 3583;

/** Payloads up to this size are checked here, before anything runs; larger ones by the runtime, off this thread. */
const PARSED_HERE_BYTES = 4096;

const EMPTY_EVENT = Buffer.from('{}');

export interface InvokeParts {
  readonly dispatcher: Dispatcher;
  readonly queue: Pick<AsyncQueue, 'accept'>;
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
  const isEvent = input.InvocationType === 'Event';
  if (isEvent) checkEvent(payload, MAX_EVENT_BYTES);
  else checkPayload(payload);
  if (input.InvocationType === 'DryRun') return { status: 204, headers: {}, body: undefined };
  const root = rootTrace(headers, target, parts.epochMs());
  if (isEvent) {
    await parts.queue.accept(target, { requestId, traceHeader: root, tenantId, payload });
    return { status: 202, headers: {}, body: undefined };
  }
  const traceId = countedTrace(root, target);
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

/** Answers the older form of an asynchronous call: no qualifier beside the name, no trace, a smaller payload. */
export async function answerInvokeAsync(
  request: OperationRequest & { readonly body: Buffer },
  scope: Scope,
  requestId: string,
  parts: InvokeParts,
): Promise<Answer> {
  const { match, headers, body } = request;
  const input = decodeInput({ ...match, operation: 'InvokeAsync' }, headers, body, (parsed) =>
    requireRegion(scope, parsed['FunctionName']),
  );
  const target = parts.dispatcher.resolve(scope, input.FunctionName, undefined);
  const tenantId = tenantOf({}, target);
  const payload = body.length === 0 ? EMPTY_EVENT : body;
  checkEvent(payload, MAX_INVOKE_ASYNC_BYTES);
  const root = rootTrace(headers, target, parts.epochMs());
  await parts.queue.accept(target, { requestId, traceHeader: root, tenantId, payload });
  return encodeOutput('InvokeAsync', { Status: 202 });
}

function rootTrace(headers: RequestHeaders, { version }: InvokeTarget, epochMs: number): string {
  return traceHeader(headers['x-amzn-trace-id'], version.settings.tracingMode, epochMs);
}

/** Throws RecursiveInvocationException when the function has run too often in the chain that the call belongs to. */
function countedTrace(root: string, { scope, record }: InvokeTarget): string {
  const traced = withInvocation(root, functionKey(scope.account, scope.region, record.name));
  if (traced.isRecursive && record.recursiveLoop !== 'Allow') throw recursiveInvocation();
  return traced.header;
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
function tenantOf({ TenantId }: Pick<InvokeInput, 'TenantId'>, { version }: InvokeTarget): string {
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
  if (payload.length > PARSED_HERE_BYTES && isUtf8(payload)) return;
  requireJson(payload);
}

/** Nobody waits for what becomes of an event, so all of it is looked at before it is accepted. */
function checkEvent(payload: Buffer, maxBytes: number): void {
  if (payload.length > maxBytes)
    throw new ServiceError(
      'RequestEntityTooLargeException',
      `${payload.length} byte payload is too large for the Event invocation type (limit ${maxBytes} bytes)`,
    );
  requireJson(payload);
}

function requireJson(payload: Buffer): void {
  if (!isUtf8(payload)) throw notJson('invalid UTF-8');
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

/** In the answer the service writes `root=…;parent=…;sampled=…;lineage=…`. Control characters cannot occur: it came as a header. */
function lowerCaseKeys(traceId: string): string {
  return traceId.replace(/Root=|Parent=|Sampled=|Lineage=/g, (key) => key.toLowerCase());
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}
