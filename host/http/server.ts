// The listener: takes a request to its operation, writes the answer or the error. Who calls what is decided in admission.ts.
// Stop 1 of the way of an invoke (ARCHITECTURE.md). What operations do is in host/api.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { OperationContext } from '../api/context.ts';
import type { Answer } from '../api/encode.ts';
import { operations } from '../api/index.ts';
import { answerInvoke, answerInvokeAsync, type InvokeParts } from '../api/invoke.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { authorize, type PolicySource } from '../auth/authorize.ts';
import type { Caller } from '../auth/caller.ts';
import { claimedService } from '../auth/claimed-service.ts';
import type { SignedService } from '../query/service.ts';
import { ServiceError } from '../service-error.ts';
import { admit, boundNames } from './admission.ts';
import type { ApiRate } from './api-rate.ts';
import { ClientGone, discardRest } from './body.ts';
import { errorAnswer } from './errors.ts';
import type { Router } from './router.ts';

/** The request line with all headers. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** While the listener closes. */
const CLOSE_IDLE_EVERY_MS = 50;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface ServerOptions {
  readonly router: Router;
  readonly authenticator: Authenticator;
  readonly apiRate: ApiRate;
  readonly invoke: InvokeParts;
  readonly policies: PolicySource;
  /** Other services than Lambda, by the name that signatures are scoped to. All of them are at the root path. */
  readonly services: ReadonlyMap<string, SignedService>;
  /** The parts of the host for one request's operation. */
  readonly contextFor: (
    caller: Caller,
    requestId: string,
    request: IncomingMessage,
  ) => OperationContext;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly onFault: (text: string, cause: unknown) => void;
}

/** The listener, not yet listening. Its owner closes it: nothing new is accepted then, what runs is answered. */
export function createServer(options: ServerOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    // We write and check our own; see requestIdOf.
    genReqId: () => '',
    ...(options.tls === undefined ? {} : { https: options.tls }),
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    // Idle keep-alive connections must not hold up the end of the host; busy ones are answered first.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => answerRefused(options, error, request, reply),
  }) as unknown as FastifyInstance; // with or without TLS it is used alike
  // Taken over before the body is looked at: we read it ourselves, once the caller's headers are known to be in order.
  app.all('/*', {
    onRequest: (request, reply, _done) => {
      reply.hijack();
      void handle(options, request.raw, reply.raw);
    },
    handler: () => assert.fail('a request of the API has been taken over before'),
  });
  const silent = new Set<Socket>();
  app.server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage) => silent.delete(socket));
  // Node does not count a connection as idle that has never sent anything.
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
  app.setErrorHandler((error, request, reply) => answerRefused(options, error, request, reply));
  // Methods that fastify does not know.
  app.setNotFoundHandler((request, reply) => {
    reply.hijack();
    void handle(options, request.raw, reply.raw);
  });
  return app;
}

/** Stops listening, answers what runs for at most `graceMs`, then drops it. */
export async function closeServer(app: FastifyInstance, graceMs: number): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), graceMs);
  // A connection whose answer leaves after closing has begun is idle from then on, and nobody else would end it.
  const idle = setInterval(() => app.server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  try {
    await app.close();
  } finally {
    clearInterval(idle);
    clearTimeout(limit);
  }
}

async function handle(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let requestId = '';
  try {
    requestId = requestIdOf(request.headers['x-amzn-requestid']);
    const service = serviceOf(options, request);
    const answered = await (service?.answer(request, requestId) ??
      answer(options, request, requestId));
    writeAnswer(response, answered, requestId, stillSending(request, response));
  } catch (error) {
    if (error instanceof ClientGone) return;
    if (requestId === '') requestId = randomUUID();
    if (!(error instanceof ServiceError))
      options.onFault(`${request.method} ${request.url} failed (request ${requestId})`, error);
    if (response.destroyed) return; // the fault is ours all the same
    writeAnswer(response, errorAnswer(error), requestId, stillSending(request, response));
  }
}

/** Whoever else a request is for; undefined: Lambda, none of whose operations is at the root path. */
function serviceOf(
  { services }: ServerOptions,
  { url = '', rawHeaders }: IncomingMessage,
): SignedService | undefined {
  if (url !== '/' && !url.startsWith('/?')) return undefined;
  return services.get(claimedService({ target: url, rawHeaders }) ?? '');
}

/** The request, when it is not complete on a connection that ends with its answer. */
function stillSending(
  request: IncomingMessage,
  response: ServerResponse,
): IncomingMessage | undefined {
  return !response.shouldKeepAlive && !request.complete ? request : undefined;
}

/** In the service's order: authenticate, route, authorize, validate, run. */
async function answer(
  options: ServerOptions,
  request: IncomingMessage,
  requestId: string,
): Promise<Answer> {
  const { headers } = request;
  const { caller, match, body } = await admit(request, options);
  const { operation } = match;
  const declared = operations.get(operation);
  // Declared operations authorize by themselves: what they are about may stand in the body.
  if (declared === undefined) {
    const scope = authorize(caller, operation, boundNames(match), options.policies);
    if (operation === 'Invoke')
      return await answerInvoke({ match, headers, body }, scope, requestId, options.invoke);
    if (operation === 'InvokeAsync')
      return await answerInvokeAsync({ match, headers, body }, scope, requestId, options.invoke);
    throw new ServiceError(
      'InvalidParameterValueException',
      `${operation} is not available on this host yet`,
    );
  }
  options.apiRate.count(caller, operation);
  const context = options.contextFor(caller, requestId, request);
  return await declared.answer({ match, headers, body }, context);
}

/** A caller may bring its own id, if it is a UUID. */
function requestIdOf(given: string | string[] | undefined): string {
  if (given === undefined) return randomUUID();
  if (typeof given === 'string' && UUID.test(given)) return given.toLowerCase();
  throw new ServiceError(
    'InvalidRequestContentException',
    `The request id '${String(given)}' is not a valid UUID string.`,
  );
}

/** Up to this size head and body leave in one write: Node joins a head with text, but not with bytes. */
const ONE_WRITE_BYTES = 16_384;

/**
 * `sending`: a request that is not complete on a connection that ends with the answer. Ended at once it would be reset, and the
 * answer lost with it, so it is ended when the client has finished.
 */
function writeAnswer(
  response: ServerResponse,
  answer: Answer,
  requestId: string,
  sending?: IncomingMessage,
): void {
  const { status, headers, body } = answer;
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  // A flat list is what Node writes without another look-up for each name.
  const lines: (string | number)[] = ['x-amzn-RequestId', requestId];
  for (const name in headers) lines.push(name, headers[name] ?? '');
  if (status !== 204) lines.push('Content-Length', length);
  response.writeHead(status, lines);
  if (sending !== undefined && body !== undefined) {
    response.write(body);
    void discardRest(sending).then(() => response.end());
  } else if (body === undefined) response.end();
  else if (typeof body === 'string' || length > ONE_WRITE_BYTES) response.end(body);
  else response.end(latin1Of(body), 'latin1');
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** What fastify itself refuses, an unreadable URL or the like, and what our own routes throw. */
function answerRefused(
  options: ServerOptions,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const requestId = randomUUID();
  const refusal =
    error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500
      ? new ServiceError('InvalidRequestContentException', error.message)
      : error;
  if (!(refusal instanceof ServiceError))
    options.onFault(`${request.method} ${request.url} failed (request ${requestId})`, error);
  reply.hijack();
  writeAnswer(reply.raw, errorAnswer(refusal), requestId);
}
