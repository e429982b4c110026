// Requests written by hand and signed with the SDK's own signer, for what no client would send; and errors as clients see them.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { LambdaServiceException } from '@aws-sdk/client-lambda';
import { type KeyPair, sign } from '../auth/signing.ts';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from './test-host.ts';

export const ADMIN: KeyPair = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };

export interface WireRequest {
  readonly method?: string;
  /** Undecoded, without query. */
  readonly path: string;
  /** Decoded. */
  readonly query?: Readonly<Record<string, string | string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Whose signature; the administrator's when not given, none when undefined. */
  readonly key?: KeyPair | undefined;
  /** Epoch milliseconds of the signature. */
  readonly at?: number;
  readonly region?: string;
  /** Sent without Content-Length, in chunks of this many bytes. */
  readonly chunkBytes?: number;
  /** Announced as Content-Length of a body that never comes. */
  readonly withheldBytes?: number;
  /** False: signed over the hash of the body, without telling that hash in a header. */
  readonly declaresHash?: boolean;
  /** Ends the wait for an answer that does not come. */
  readonly signal?: AbortSignal;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body, parsed. */
  readonly json: unknown;
}

/** Sends one request to the host at `url`, exactly as it is written. */
export async function send(url: string, wanted: WireRequest): Promise<WireAnswer> {
  const { port, host } = new URL(url);
  // Bytes: Node would write the headers in the encoding of a body that is text.
  const body = Buffer.from(wanted.body ?? '');
  const { target, headers } = await signed(wanted, host, body);
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    method: wanted.method ?? 'GET',
    path: target,
    headers,
    setHost: false,
    agent: false,
    ...(wanted.signal === undefined ? {} : { signal: wanted.signal }),
  });
  const answered = once(request, 'response');
  if (headers['expect'] === '100-continue') await once(request, 'continue');
  if (wanted.withheldBytes !== undefined) request.flushHeaders();
  else if (wanted.chunkBytes !== undefined) {
    for (let start = 0; start < body.length; start += wanted.chunkBytes)
      request.write(body.subarray(start, start + wanted.chunkBytes));
    request.end();
  } else request.end(body);
  const [response] = (await answered) as [IncomingMessage]; // as: what the event carries
  const received = await text(response);
  if (wanted.withheldBytes !== undefined) request.destroy();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: received,
    json: received.startsWith('{') ? JSON.parse(received) : undefined,
  };
}

async function signed(wanted: WireRequest, host: string, body: Buffer) {
  const own = lowerCaseKeys({
    host,
    ...wanted.headers,
    ...(wanted.chunkBytes === undefined && wanted.method !== undefined && wanted.method !== 'GET'
      ? { 'content-length': String(wanted.withheldBytes ?? body.length) }
      : {}),
  });
  const key = 'key' in wanted ? wanted.key : ADMIN;
  const { method = 'GET', path, query, region } = wanted;
  if (key === undefined) {
    const search = new URLSearchParams(Object.entries(query ?? {}).flatMap(pairs)).toString();
    return { target: search === '' ? path : `${path}?${search}`, headers: own };
  }
  const sha256 = createHash('sha256').update(body).digest('hex');
  const hash = wanted.declaresHash === false ? undefined : { 'x-amz-content-sha256': sha256 };
  // The signer leaves these out as clients do, and the values of these headers are not its business.
  const { expect, 'content-length': length, ...signable } = own;
  const { target, rawHeaders } = await sign(
    { method, path, query, headers: { ...hash, ...signable }, body: body.toString() },
    { key, at: wanted.at ?? Date.now(), region },
  );
  const headers: Record<string, string> = {};
  for (let index = 0; index < rawHeaders.length; index += 2)
    headers[(rawHeaders[index] ?? '').toLowerCase()] = rawHeaders[index + 1] ?? '';
  if (expect !== undefined) headers['expect'] = expect;
  if (length !== undefined) headers['content-length'] = length;
  return { target, headers };
}

function pairs([name, values]: [string, string | string[]]): [string, string][] {
  return [values].flat().map((value) => [name, value]);
}

function lowerCaseKeys(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

export interface Refusal {
  readonly status: number | undefined;
  readonly name: string;
  readonly message: string;
}

/** How a call through the SDK is refused. Throws when it is not refused by the service. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof LambdaServiceException)) throw error;
    return { status: error.$metadata.httpStatusCode, name: error.name, message: error.message };
  }
  throw new Error('the call was not refused');
}

/** InvalidParameterValueException, 400. */
export function invalid(message: string): Refusal {
  return { status: 400, name: 'InvalidParameterValueException', message };
}

/** ValidationException, 400, of one failed constraint. */
export function unfit(failure: string): Refusal {
  const message = `1 validation error detected: ${failure}`;
  return { status: 400, name: 'ValidationException', message };
}
