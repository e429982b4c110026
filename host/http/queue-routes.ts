// Routes of ours for the queue of asynchronous events, under /_lambkin/queue. Looking takes the right to read, changing that of an
// administrator.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import type { PageRequest, Purgeable, QueueOperator } from '../queue/operator.ts';
import { ServiceError } from '../service-error.ts';
import { numberIn } from './query-number.ts';

const BASE = '/_lambkin/queue';

export interface QueueRoutesOptions {
  readonly operator: QueueOperator;
  /** Throws when the request is not of somebody who may read. */
  readonly requireReader: (request: FastifyRequest) => Caller;
}

export function addQueueRoutes(
  app: FastifyInstance,
  { operator, requireReader }: QueueRoutesOptions,
): void {
  const requireAdmin = (request: FastifyRequest) => admin(requireReader(request));
  app.get(BASE, async (request) => await operator.summary(requireReader(request)));
  app.get(
    `${BASE}/events`,
    async (request) => await operator.events(requireReader(request), pageOf(request)),
  );
  app.get(
    `${BASE}/dead-letters`,
    async (request) => await operator.deadLetters(requireReader(request), pageOf(request)),
  );
  app.get<{ Params: { id: string } }>(
    `${BASE}/dead-letters/:id`,
    async (request) => await operator.deadLetter(requireReader(request), request.params.id),
  );
  app.post<{ Params: { id: string } }>(
    `${BASE}/dead-letters/:id/redrive`,
    async (request) => await operator.redrive(requireAdmin(request), request.params.id),
  );
  app.post(`${BASE}/redrive`, async (request) => {
    const caller = requireAdmin(request);
    return await operator.redriveAll(caller, required(queryOf(request), 'functionName'));
  });
  app.post(`${BASE}/purge`, async (request) => {
    const caller = requireAdmin(request);
    const query = queryOf(request);
    const functionName = required(query, 'functionName');
    if (query.get('confirm') !== functionName)
      throw invalid('What is purged is gone: repeat the name of the function as confirm');
    return await operator.purge(caller, purgeable(query), functionName);
  });
}

function admin(caller: Caller): Caller {
  if (caller.rights === 'admin') return caller;
  throw new ServiceError(
    'AccessDeniedException',
    `User: ${caller.principal} may not change what waits in the queue`,
  );
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  return new URL(url, 'http://host').searchParams;
}

function pageOf(request: FastifyRequest): PageRequest {
  const query = queryOf(request);
  return {
    functionName: query.get('functionName') ?? undefined,
    after: query.get('after') ?? undefined,
    limit: numberIn(query, 'limit'),
  };
}

function purgeable(query: URLSearchParams): Purgeable {
  const what = required(query, 'what');
  if (what === 'events' || what === 'deadLetters') return what;
  throw invalid('what is events or deadLetters');
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value !== null && value !== '') return value;
  throw invalid(`${name} is required`);
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}
