// The body of a request, kept up to a limit.
import type { IncomingMessage } from 'node:http';

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** Over the limit; what is still to come is read and forgotten. */
  | { readonly kind: 'tooLarge' }
  /** The connection was cut in the middle of it. */
  | { readonly kind: 'truncated' };

/** Never rejects. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const { promise, resolve } = Promise.withResolvers<Body>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else {
      chunks.length = 0;
      resolve({ kind: 'tooLarge' });
    }
  });
  request.on('end', () => resolve({ kind: 'whole', bytes: Buffer.concat(chunks) }));
  // Without effect after the end.
  request.on('error', () => resolve({ kind: 'truncated' }));
  request.on('close', () => resolve({ kind: 'truncated' }));
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) resolve({ kind: 'tooLarge' });
  return promise;
}
