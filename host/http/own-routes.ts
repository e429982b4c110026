// What is ours and not the service's: everything under /_lambkin/. Health is open, package links carry their own proof, the
// rest takes the right to read, by a signature or by the bearer token.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance } from 'fastify';
import type { IsolationReport } from '../../runtime/sandbox/sandbox.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Caller } from '../auth/caller.ts';
import { type ArchiveFormat, archiveFormat } from '../code/archive-format.ts';
import type { Logs } from '../logs/logs.ts';
import type { QueueOperator } from '../queue/operator.ts';
import { ServiceError } from '../service-error.ts';
import type { Blobs } from '../store/store.ts';
import { numberIn } from './query-number.ts';
import { addQueueRoutes } from './queue-routes.ts';
import { linkLifeMs, type SignedLinks } from './signed-link.ts';

const MEDIA_TYPES: Readonly<Record<ArchiveFormat, string>> = {
  zip: 'application/zip',
  tgz: 'application/gzip',
  tar: 'application/x-tar',
};

const BEARER = /^bearer +(.*)$/i;

const CODE_PATH = /^\/_lambkin\/code\/([0-9a-f]{64})$/;

export interface OwnRoutesOptions {
  readonly authenticator: Authenticator;
  readonly isBearerToken: (token: string) => boolean;
  /** The admin caller that the bearer token stands for. */
  readonly bearerCaller: Caller;
  readonly links: SignedLinks;
  readonly blobs: Blobs;
  readonly logs: Logs;
  readonly queue: QueueOperator;
  readonly isolation: IsolationReport;
  /** What runs here by now, by runtime identifier: the version as INIT_START names it. */
  readonly runtimes: () => Readonly<Record<string, string>>;
  /** Figures for the health answer. */
  readonly health: () => object;
  readonly epochMs: () => number;
  readonly onFault: (text: string, cause: unknown) => void;
}

/** Adds our routes to the listener. Errors go the way of all others. */
export function addOwnRoutes(app: FastifyInstance, options: OwnRoutesOptions): void {
  app.get('/_lambkin/health', () => ({ status: 'ok', ...options.health() }));
  app.get('/_lambkin/isolation', (request) => {
    requireReader(options, request.raw);
    return options.isolation;
  });
  app.get('/_lambkin/runtimes', (request) => {
    requireReader(options, request.raw);
    return options.runtimes();
  });
  app.get('/_lambkin/logs', async (request) => {
    const caller = requireReader(options, request.raw);
    return await readLogs(options.logs, caller, new URL(request.url, 'http://host').searchParams);
  });
  addQueueRoutes(app, {
    operator: options.queue,
    requireReader: (request) => requireReader(options, request.raw),
  });
  app.get('/_lambkin/code/:digest', async (request, reply) => {
    reply.hijack();
    try {
      await sendPackage(options, request.raw, reply.raw);
    } catch (error) {
      // A client that went away is none of our faults; of a package that cannot be read nothing more can be said in its body.
      if (!reply.raw.destroyed) options.onFault(`a package could not be sent`, error);
      reply.raw.destroy();
    }
  });
  // Not for the router of the service, which would find fault with the bearer token and repeat it.
  app.all('/_lambkin/*', ({ method, url }) => {
    const { pathname } = new URL(url, 'http://host');
    throw new ServiceError('ResourceNotFoundException', `There is no ${method} ${pathname} here.`);
  });
}

/** A link to the package of that digest, valid for ten minutes, relative to the host. */
export function codeLink(links: SignedLinks, digest: string, epochMs: number): string {
  return links.signLink(`/_lambkin/code/${digest}`, epochMs + linkLifeMs);
}

/**
 * The caller, who may read: `admin` or `read`. Throws AccessDeniedException for a key that may only invoke, and what
 * authentication throws.
 */
function requireReader(options: OwnRoutesOptions, request: IncomingMessage): Caller {
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (token !== undefined) {
    if (options.isBearerToken(token)) return options.bearerCaller;
    throw new ServiceError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  const { method = '', url = '', rawHeaders } = request;
  const caller = options.authenticator
    .begin({ method, target: url, rawHeaders })
    .finish(new Uint8Array());
  if (caller.rights === 'invoke')
    throw new ServiceError(
      'AccessDeniedException',
      `User: ${caller.principal} may invoke functions and nothing else`,
    );
  return caller;
}

/** `group` alone lists its streams, without it the groups are listed; `stream` and times narrow the events. */
async function readLogs(logs: Logs, scope: Caller, query: URLSearchParams): Promise<object> {
  const group = query.get('group');
  if (group === null) return { groups: logs.groups(scope, query.get('prefix') ?? '') };
  if (query.has('streams')) return { streams: known(await logs.streams(scope, group)) };
  return known(
    await logs.events(scope, group, {
      stream: query.get('stream') ?? undefined,
      startTime: numberIn(query, 'startTime'),
      endTime: numberIn(query, 'endTime'),
      limit: numberIn(query, 'limit'),
      after: query.get('after') ?? undefined,
    }),
  );
}

function known<T>(found: T | undefined): T {
  if (found !== undefined) return found;
  throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
}

async function sendPackage(
  { links, blobs, epochMs }: OwnRoutesOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const verdict = links.verifyLink(request.url ?? '', epochMs());
  const digest = verdict.kind === 'valid' ? CODE_PATH.exec(verdict.path)?.[1] : undefined;
  const blob = digest === undefined ? undefined : await blobs.open(digest);
  if (blob === undefined) {
    const expired = verdict.kind === 'expired';
    response.writeHead(expired ? 403 : 404, { 'Content-Type': 'text/plain' });
    response.end(expired ? 'This link has expired; call GetFunction again.\n' : 'Not found.\n');
    return;
  }
  response.writeHead(200, {
    'Content-Type': MEDIA_TYPES[archiveFormat(await firstBytes(blob.stream))],
    'Content-Length': blob.sizeBytes,
  });
  await pipeline(blob.stream, response);
}

/** Looks at what comes first, without taking it. A package is never empty. */
async function firstBytes(stream: Readable): Promise<Buffer> {
  await once(stream, 'readable');
  const head: unknown = stream.read();
  if (!Buffer.isBuffer(head)) throw new Error('a package has no bytes');
  stream.unshift(head);
  return head;
}
