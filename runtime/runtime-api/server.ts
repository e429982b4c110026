// The Runtime API of one environment: a listener on loopback that serves the processes of its own sandbox and nobody else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { invalidResponseMode, MAX_RESPONSE_BYTES } from '../environment/platform-error.ts';
import type { Extensions } from '../extensions/extensions.ts';
import type { Connection } from '../sandbox/peer.ts';
import { type Body, readBody } from './body.ts';
import { deliveryHeaders } from './delivery.ts';
import { extensionRoutes } from './extension-routes.ts';
import { bytesOf, errorResultOf, postedError, type Result, resultOf } from './posted.ts';
import {
  ACCEPTED,
  INTERNAL_ERROR,
  INVALID_RESPONSE_MODE,
  METHOD_NOT_ALLOWED,
  NOT_FOUND,
  PONG,
  RESTORED,
} from './replies.ts';
import { get, post, type Route, type RouteCall, refuse, send } from './routes.ts';
import type { FailureState, RuntimeSession, Waiter } from './session.ts';

const LOOPBACK = '127.0.0.1';

/** A runtime and ten extensions need few; more would let a function use up the host's descriptors. */
const MAX_CONNECTIONS = 128;

/** Requests of one connection that are not answered yet. Clients hardly ever send a second one before; each that does is kept. */
const MAX_UNANSWERED = 16;

/** A cause for X-Ray may have 64 KB, and is a header. */
const MAX_HEADER_BYTES = 128 * 1024;

const RESPONSE_MODES = new Set(['buffered', 'streaming']);
const RESPONSE_MODE_HEADER = 'lambda-runtime-function-response-mode';
const INVOCATION_ID_HEADER = 'lambda-runtime-invocation-id';

export interface RuntimeApiOptions {
  /** Undefined where the runtime does not speak HTTP. */
  readonly session: RuntimeSession | undefined;
  readonly extensions: Extensions;
  /** Whether a connection is of this environment. */
  readonly isPeer: (connection: Connection) => Promise<boolean>;
  /** Whether the runtime has ended, or does so within a moment. */
  readonly isEnding: () => Promise<boolean>;
  readonly onProblem: (text: string, cause: unknown) => void;
}

export class RuntimeApi implements AsyncDisposable {
  readonly #options: RuntimeApiOptions;
  readonly #server: Server;
  readonly #routes: readonly Route[];
  #listening: Promise<string> | undefined;
  /** Whether a connection may speak; asked once for each. */
  readonly #verdicts = new WeakMap<Socket, Promise<boolean>>();
  readonly #unanswered = new WeakMap<Socket, number>();

  constructor(options: RuntimeApiOptions) {
    this.#options = options;
    const { session, extensions } = options;
    this.#routes = [
      ...extensionRoutes(extensions),
      ...(session === undefined ? [] : this.#runtimeRoutes(session)),
    ];
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      if (this.#admit(request, response)) void this.#serve(request, response);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    // A runtime may wait for its next event for hours, and answer as late as its function may run.
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = 0;
    this.#server.keepAliveTimeout = 0;
    this.#server.timeout = 0;
    this.#server.on('connection', (socket: Socket) => this.#judge(socket));
  }

  /** Resolves with where it is reached, `host:port`. */
  listen(): Promise<string> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  #listen(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#server.once('error', reject);
    this.#server.listen(0, LOOPBACK, () => {
      const { port } = this.#server.address() as AddressInfo; // of a TCP server that listens
      resolve(`${LOOPBACK}:${port}`);
    });
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#listening]);
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#server.closeAllConnections();
    await closed.promise;
  }

  #judge(socket: Socket): void {
    socket.on('error', () => {}); // told by 'close', to whoever waits
    const verdict = this.#isOurs(socket);
    this.#verdicts.set(socket, verdict);
  }

  /** Of anybody else's connection not a byte is answered. */
  async #isOurs(socket: Socket): Promise<boolean> {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    try {
      const isOurs =
        remoteAddress !== undefined &&
        remotePort !== undefined &&
        (await this.#options.isPeer({
          peerAddress: remoteAddress,
          peerPort: remotePort,
          address: localAddress ?? LOOPBACK,
          port: localPort ?? 0,
        }));
      if (!isOurs) socket.destroy();
      return isOurs;
    } catch (cause) {
      this.#options.onProblem('a connection to a Runtime API could not be checked', cause);
      socket.destroy();
      return false;
    }
  }

  /** A client that sends on and on without waiting for answers is hung up on. */
  #admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const unanswered = (this.#unanswered.get(socket) ?? 0) + 1;
    if (unanswered > MAX_UNANSWERED) {
      socket.destroy();
      return false;
    }
    this.#unanswered.set(socket, unanswered);
    response.once('close', () => {
      this.#unanswered.set(socket, (this.#unanswered.get(socket) ?? 1) - 1);
    });
    return true;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {}); // told by 'close'
    if ((await this.#verdicts.get(request.socket)) !== true) return;
    try {
      await this.#route(request, response);
    } catch (cause) {
      this.#options.onProblem('a request to a Runtime API could not be served', cause);
      send(response, INTERNAL_ERROR);
    }
  }

  #route(request: IncomingMessage, response: ServerResponse): Promise<void> | void {
    const [path = ''] = (request.url ?? '').split('?');
    const matching = this.#routes.filter((route) => route.path.test(path));
    const route = matching.find(({ method }) => method === request.method);
    if (route === undefined) {
      request.resume();
      return send(response, matching.length === 0 ? NOT_FOUND : METHOD_NOT_ALLOWED);
    }
    return route.handle({ request, response, id: route.path.exec(path)?.[1] ?? '' });
  }

  #runtimeRoutes(session: RuntimeSession): readonly Route[] {
    return [
      get('/2018-06-01/ping', ({ response }) => send(response, PONG)),
      get('/2018-06-01/runtime/invocation/next', ({ response }) => this.#next(session, response)),
      post('/2018-06-01/runtime/invocation/([^/]+)/response', (call) =>
        this.#response(session, call),
      ),
      post('/2018-06-01/runtime/invocation/([^/]+)/error', (call) => this.#error(session, call)),
      post('/2018-06-01/runtime/init/error', (call) => this.#failure(session, 'InitError', call)),
      get('/2018-06-01/runtime/restore/next', ({ response }) =>
        send(response, session.restoreNext() ?? RESTORED),
      ),
      post('/2018-06-01/runtime/restore/error', (call) =>
        this.#failure(session, 'RestoreError', call),
      ),
    ];
  }

  #next(session: RuntimeSession, response: ServerResponse): void {
    const waiter: Waiter = {
      deliver(delivery) {
        response.writeHead(200, deliveryHeaders(delivery));
        response.end(delivery.event.invocation.payload);
      },
    };
    response.once('close', () => session.forget(waiter));
    const refused = session.next(waiter);
    if (refused !== undefined) send(response, refused);
  }

  async #response(session: RuntimeSession, { request, response, id }: RouteCall): Promise<void> {
    const refused = session.beginResult(id, invocationIdOf(request), 'InvocationResponse');
    if (refused !== undefined) return refuse(request, response, refused);
    const mode = request.headers[RESPONSE_MODE_HEADER] ?? 'buffered';
    if (!RESPONSE_MODES.has(String(mode).toLowerCase())) {
      session.complete(invalidResponseMode());
      return refuse(request, response, INVALID_RESPONSE_MODE);
    }
    const body = await readBody(request, MAX_RESPONSE_BYTES);
    return this.#complete(session, response, body, resultOf(body, request.trailers));
  }

  async #error(session: RuntimeSession, { request, response, id }: RouteCall): Promise<void> {
    const refused = session.beginResult(id, invocationIdOf(request), 'InvocationErrorResponse');
    if (refused !== undefined) return refuse(request, response, refused);
    const body = await readBody(request, MAX_RESPONSE_BYTES);
    return this.#complete(session, response, body, errorResultOf(body, request.headers));
  }

  async #complete(
    session: RuntimeSession,
    response: ServerResponse,
    body: Body,
    { outcome, reply }: Result,
  ): Promise<void> {
    // Cut off because the process ends: its end says more.
    if (body.kind === 'truncated' && (await this.#options.isEnding())) return;
    session.complete(outcome);
    send(response, reply);
  }

  async #failure(
    session: RuntimeSession,
    state: FailureState,
    { request, response }: RouteCall,
  ): Promise<void> {
    const refused = session.beginFailure(state);
    if (refused !== undefined) return refuse(request, response, refused);
    const body = await readBody(request, MAX_RESPONSE_BYTES);
    // The process ends soon: what it is told must be on its way before.
    send(response, ACCEPTED);
    return session.fail(postedError(bytesOf(body), request.headers));
  }
}

function invocationIdOf({ headers }: IncomingMessage): string | undefined {
  const value = headers[INVOCATION_ID_HEADER];
  return typeof value === 'string' ? value : undefined;
}
