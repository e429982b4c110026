// The least that an HTTP server on fastify can do for an Invoke: one process, no authentication, no isolation, no logs. It
// parses the JSON body as fastify does and answers it with a request id. Every ratio of warm-invoke is against this.
import { randomUUID } from 'node:crypto';
import fastify from 'fastify';

/** As large as the payload of a synchronous invocation may be, and a little more. */
const BODY_LIMIT_BYTES = 7 * 1024 * 1024;

const app = fastify({ bodyLimit: BODY_LIMIT_BYTES });
app.post('/2015-03-31/functions/:name/invocations', (request, reply) =>
  reply.header('x-amzn-RequestId', randomUUID()).send(request.body),
);
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`ready at ${url}\n`);
