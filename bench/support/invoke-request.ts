// Invoke requests that are signed before the clock runs, and a client that sends one and takes the time.
import { Agent, request as sendRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { sign } from '../../test/auth/signing.ts';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from '../../test/support/test-host.ts';

/** Signed like any other header. One name for all servers of a run, so that each gets the same bytes. */
const HOST_HEADER = '127.0.0.1:9001';

export interface InvokeRequest {
  readonly target: string;
  /** Without Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Good for five minutes. */
export async function signedInvoke(
  functionName: string,
  body: string,
  invocationType: 'RequestResponse' | 'Event' = 'RequestResponse',
): Promise<InvokeRequest> {
  const type = invocationType === 'Event' ? { 'x-amz-invocation-type': invocationType } : {};
  return await signed({
    method: 'POST',
    path: `/2015-03-31/functions/${functionName}/invocations`,
    headers: { host: HOST_HEADER, 'content-type': 'application/json', ...type },
    body,
  });
}

/** The same for a GET without body. */
export async function signedGet(
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<InvokeRequest> {
  return await signed({ method: 'GET', path, query, headers: { host: HOST_HEADER }, body: '' });
}

async function signed(request: Parameters<typeof sign>[0] & { body: string }) {
  const { body } = request;
  const signed = await sign(request, {
    key: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    at: Date.now(),
  });
  const headers: Record<string, string> = {};
  for (let at = 0; at < signed.rawHeaders.length; at += 2)
    headers[signed.rawHeaders[at] ?? ''] = signed.rawHeaders[at + 1] ?? '';
  return { target: signed.target, headers, body };
}

export interface TimedAnswer {
  /** From handing the request to the socket to the last byte of the answer. */
  readonly tookMs: number;
  readonly text: string;
}

/** Keeps its connections open: connecting is not what is measured. */
export class TimingClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Opens so many connections, unless they are open. */
  async connect(count: number): Promise<void> {
    const once = () => this.#send('GET', '/_lambkin/health', {}, '');
    await Promise.all(Array.from({ length: count }, once));
  }

  /** Rejects unless the answer is a 200 without function error. */
  async invoke({ target, headers, body }: InvokeRequest): Promise<TimedAnswer> {
    const length = { 'content-length': `${Buffer.byteLength(body)}` };
    return await this.#send('POST', target, { ...headers, ...length }, body);
  }

  /** Rejects unless the answer is a 200. */
  async get({ target, headers }: InvokeRequest): Promise<TimedAnswer> {
    return await this.#send('GET', target, headers, '');
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send(
    method: string,
    target: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<TimedAnswer> {
    return new Promise((resolve, reject) => {
      const beganAt = performance.now();
      const options = { method, headers, agent: this.#agent, signal: this.#signal };
      const sent = sendRequest(new URL(target, this.#url), options, (response) => {
        buffer(response).then((bytes) => {
          const tookMs = performance.now() - beganAt;
          const text = bytes.toString();
          const fault = response.headers['x-amz-function-error'];
          if (response.statusCode === 200 && fault === undefined) resolve({ tookMs, text });
          else reject(new Error(`${target} answered ${response.statusCode}: ${text}`));
        }, reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
