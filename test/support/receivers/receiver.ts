// A service on a port of its own, which keeps what it is sent. A test can make it answer faults, fall silent or hang up.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface ReceivedRequest {
  readonly method: string;
  /** With the query, undecoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What happens to requests instead of being served: an answer, none at all, or an end of the connection. */
export type Fault = Answer | 'silence' | 'hangUp';

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** Every request that sends something, also those that meet a fault. */
  readonly requests: readonly ReceivedRequest[];
  /** For every request from now on; undefined serves them again. */
  fault: Fault | undefined;
}

export async function startReceiver(
  serve: (request: ReceivedRequest) => Answer,
): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const receiver: Receiver = {
    url: '',
    requests,
    fault: undefined,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  const server = createServer((request, response) => {
    // Nothing is ever read here: that is a test beside, which asks every port of the machine.
    if (request.method === 'GET') {
      response.writeHead(405).end();
      return;
    }
    void buffer(request).then(
      (body) => {
        const { method = '', url: path = '', headers } = request;
        const received = { method, path, headers, body };
        requests.push(received);
        if (receiver.fault === 'silence') return;
        if (receiver.fault === 'hangUp') request.socket.destroy();
        else write(response, receiver.fault ?? serve(received));
      },
      () => request.socket.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // as: it listens on TCP
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}` });
}

function write(response: ServerResponse, { status, type, headers, body = '' }: Answer): void {
  response.writeHead(status, {
    ...(type === undefined ? {} : { 'content-type': type }),
    ...headers,
  });
  response.end(body);
}

/** Who signed a request for which service and region; throws when it has no signature over its host and date. */
export function signerOf({ headers }: ReceivedRequest): {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
} {
  const match =
    /^AWS4-HMAC-SHA256 Credential=(?<id>\w+)\/\d{8}\/(?<region>[\w-]+)\/(?<service>\w+)\/aws4_request, SignedHeaders=(?<signed>[\w;-]+), Signature=[0-9a-f]{64}$/.exec(
      headers.authorization ?? '',
    )?.groups;
  const signed = match?.['signed']?.split(';') ?? [];
  if (!signed.includes('host') || !signed.includes('x-amz-date'))
    throw new Error(`not signed: ${headers.authorization}`);
  return {
    accessKeyId: match?.['id'] ?? '',
    region: match?.['region'] ?? '',
    service: match?.['service'] ?? '',
  };
}

/** Whether a service may serve it; services refuse what is not signed for them. */
export function isSignedFor(service: string, request: ReceivedRequest): boolean {
  try {
    return signerOf(request).service === service;
  } catch {
    return false;
  }
}
