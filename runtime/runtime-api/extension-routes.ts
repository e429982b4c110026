// The Extensions API over HTTP: registering, waiting for events, reporting failures.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExtensionWaiter } from '../extensions/extension.ts';
import type { Extensions } from '../extensions/extensions.ts';
import { readBody } from './body.ts';
import { bytesOf } from './posted.ts';
import { TOO_LARGE } from './replies.ts';
import { get, post, type Route, send } from './routes.ts';

const NAME_HEADER = 'lambda-extension-name';
const ID_HEADER = 'lambda-extension-identifier';
const FEATURES_HEADER = 'lambda-extension-accept-feature';
const ERROR_TYPE_HEADER = 'lambda-extension-function-error-type';

/** Registrations and errors are small. */
const MAX_BODY_BYTES = 256 * 1024;

export function extensionRoutes(extensions: Extensions): readonly Route[] {
  return [
    post('/2020-01-01/extension/register', ({ request, response }) =>
      register(extensions, request, response),
    ),
    get('/2020-01-01/extension/event/next', ({ request, response }) =>
      next(extensions, request, response),
    ),
    post('/2020-01-01/extension/init/error', ({ request, response }) =>
      fail(extensions, 'InitError', request, response),
    ),
    post('/2020-01-01/extension/exit/error', ({ request, response }) =>
      fail(extensions, 'ExitError', request, response),
    ),
  ];
}

async function register(
  extensions: Extensions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body.kind !== 'whole') return send(response, TOO_LARGE);
  const { reply, id } = extensions.register({
    name: headerOf(request, NAME_HEADER) ?? '',
    features: (headerOf(request, FEATURES_HEADER) ?? '').split(',').map((each) => each.trim()),
    body: bytesOf(body).toString(),
  });
  if (id !== undefined) response.setHeader('Lambda-Extension-Identifier', id);
  return send(response, reply);
}

function next(extensions: Extensions, request: IncomingMessage, response: ServerResponse): void {
  const waiter: ExtensionWaiter = {
    deliver({ id, body }) {
      const bytes = Buffer.from(JSON.stringify(body));
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': bytes.length,
        'Lambda-Extension-Event-Identifier': id,
      });
      response.end(bytes);
    },
  };
  response.once('close', () => extensions.forget(waiter));
  const refused = extensions.next(headerOf(request, ID_HEADER) ?? '', waiter);
  if (refused !== undefined) send(response, refused);
}

async function fail(
  extensions: Extensions,
  state: 'InitError' | 'ExitError',
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // What it says beyond the type is for telemetry.
  await readBody(request, MAX_BODY_BYTES);
  const errorType = headerOf(request, ERROR_TYPE_HEADER);
  send(response, extensions.fail(headerOf(request, ID_HEADER) ?? '', state, errorType));
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
