// Signs requests the way clients do, with the SDK's own signer, and hands them over the way Node receives them.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { SignedRequest } from '../../host/auth/sigv4.ts';

export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Unsigned {
  readonly method: string;
  /** Undecoded, without query. */
  readonly path: string;
  /** Decoded. */
  readonly query?: Readonly<Record<string, string | string[]>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

export interface SigningOptions {
  readonly key: KeyPair;
  readonly at: number;
  readonly service?: string | undefined;
  readonly region?: string | undefined;
  /** Sign into the query, for this many seconds. */
  readonly expiresSeconds?: number | undefined;
}

/** The hash the signer asks for, on node:crypto. */
class Sha256 {
  #hash: Hash | Hmac;
  readonly #secret: string | Uint8Array | undefined;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? undefined : bytesOf(secret);
    this.#hash = this.#fresh();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#fresh();
  }

  #fresh(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The signed request as it arrives: undecoded target, alternating headers whose characters are bytes. */
export async function sign(request: Unsigned, options: SigningOptions): Promise<SignedRequest> {
  const signer = new SignatureV4({
    credentials: options.key,
    region: options.region ?? 'us-east-1',
    service: options.service ?? 'lambda',
    sha256: Sha256,
    applyChecksum: false,
  });
  const unsigned = new HttpRequest({
    method: request.method,
    path: request.path,
    query: { ...request.query },
    headers: { host: 'localhost:9001', ...request.headers },
    body: request.body,
  });
  const signingDate = new Date(options.at);
  const signed =
    options.expiresSeconds === undefined
      ? await signer.sign(unsigned, { signingDate })
      : await signer.presign(unsigned, { signingDate, expiresIn: options.expiresSeconds });
  return {
    method: signed.method,
    target: targetOf(signed.path, signed.query ?? {}),
    rawHeaders: Object.entries(signed.headers).flatMap(([name, value]) => [
      name,
      Buffer.from(value, 'utf8').toString('latin1'),
    ]),
  };
}

function targetOf(path: string, query: Readonly<Record<string, string | string[] | null>>): string {
  const items = Object.entries(query).flatMap(([name, values]) =>
    [values ?? ''].flat().map((value) => `${encode(name)}=${encode(value)}`),
  );
  return items.length === 0 ? path : `${path}?${items.join('&')}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
