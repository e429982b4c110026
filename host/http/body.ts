// Takes in a request's body, up to the limit of its operation. What is beyond is left to Node, which discards it.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../service-error.ts';

const EMPTY = Buffer.alloc(0);

/** A body must have come in whole by then: a client that stalls holds up what it has sent so far. */
const BODY_LIMIT_MS = 300_000;

/** How long a client that has been refused may go on sending. */
const LINGER_MS = 5_000;

/** What travels with a body. Both numbers and name stand in the refusal. */
export interface BodyLimit {
  readonly maxBytes: number;
  readonly operation: string;
}

/** The body as one piece of memory. Rejects with RequestEntityTooLargeException as soon as the limit is passed, or ClientGone. */
export function readBody(stream: IncomingMessage, limit: BodyLimit): Promise<Buffer> {
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  const take = (chunk: Buffer): void => {
    if (first === undefined) first = chunk;
    else (more ??= [first]).push(chunk);
  };
  return receive(stream, limit, take, (bytes) =>
    more === undefined ? (first ?? EMPTY) : Buffer.concat(more, bytes),
  );
}

/** Keeps nothing of the body but its SHA-256 in lower-case hex. Rejects like {@link readBody}. */
export function hashBody(stream: IncomingMessage, limit: BodyLimit): Promise<string> {
  const hash = createHash('sha256');
  return receive(
    stream,
    limit,
    (chunk) => void hash.update(chunk),
    () => hash.digest('hex'),
  );
}

function receive<T>(
  stream: IncomingMessage,
  { maxBytes, operation }: BodyLimit,
  take: (chunk: Buffer) => void,
  result: (bytes: number) => T,
): Promise<T> {
  const declared = Number(stream.headers['content-length'] ?? 0);
  if (declared > maxBytes) return Promise.reject(tooLarge(maxBytes, operation));
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let limit: NodeJS.Timeout | undefined;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // Most bodies are whole with their first piece and need no timer. Without a declared length nobody knows.
      if (bytes !== declared) limit ??= setTimeout(() => stream.destroy(), BODY_LIMIT_MS);
      if (bytes > maxBytes) {
        stream.removeAllListeners('data');
        stream.resume();
        reject(tooLarge(maxBytes, operation));
      } else take(chunk);
    });
    stream.on('end', () => {
      clearTimeout(limit);
      resolve(result(bytes));
    });
    stream.on('error', (cause) => reject(new ClientGone('the connection broke', { cause })));
    stream.on('close', () => {
      clearTimeout(limit);
      if (!stream.complete) reject(new ClientGone());
    });
  });
}

/** Takes in and forgets what a client still sends; resolves when it has sent everything, has gone, or has taken too long. */
export async function discardRest(stream: IncomingMessage): Promise<void> {
  if (stream.complete || stream.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const limit = setTimeout(resolve, LINGER_MS);
  stream.once('end', resolve);
  stream.once('close', resolve);
  stream.resume();
  await promise;
  clearTimeout(limit);
}

/** The client went away before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

function tooLarge(maxBytes: number, operation: string): ServiceError {
  return new ServiceError(
    'RequestEntityTooLargeException',
    `Request must be smaller than ${maxBytes} bytes for the ${operation} operation`,
  );
}
