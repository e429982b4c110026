// A small S3: objects by bucket and key, answered as S3 answers a GetObject by path.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LocalS3 extends AsyncDisposable {
  readonly url: string;
  /** `bucket/key` or `bucket/key?versionId` to bytes; a bucket exists when an object's name begins with it. */
  readonly objects: Map<string, Buffer>;
  /** Targets of the requests that came in. */
  readonly requests: readonly string[];
}

export async function startLocalS3(): Promise<LocalS3> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(objects, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // as: it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    objects,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  objects: ReadonlyMap<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://s3');
  const name = decodeURIComponent(pathname.slice(1));
  const bucket = `${name.split('/')[0]}/`;
  const version = searchParams.get('versionId');
  const object = objects.get(version === null ? name : `${name}?${version}`);
  if (object !== undefined) {
    response.writeHead(200, { 'content-length': object.length });
    response.end(object);
    return;
  }
  const hasBucket = [...objects.keys()].some((each) => each.startsWith(bucket));
  const code = hasBucket ? (version === null ? 'NoSuchKey' : 'NoSuchVersion') : 'NoSuchBucket';
  response.writeHead(404, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>gone</Message></Error>`);
}
