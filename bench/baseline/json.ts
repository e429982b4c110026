// The least that an HTTP server on fastify can do for a read: it sends one object, whatever is asked. `node json.ts FILE`; the
// file holds the object. Every ratio of the api scenario is against this.
import { readFile } from 'node:fs/promises';
import fastify from 'fastify';

const [file = ''] = process.argv.slice(2);
const answer: unknown = JSON.parse(await readFile(file, 'utf8'));

const app = fastify();
app.get('/*', (_request, reply) => reply.send(answer));
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`ready at ${url}\n`);
