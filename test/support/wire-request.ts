// A request as the decoder receives it: routed, with headers in lower case and the body as bytes.
import assert from 'node:assert/strict';
import type { RequestHeaders } from '../../host/api/decode.ts';
import { createRouter, type RouteMatch } from '../../host/http/router.ts';

const router = createRouter();

/** A body that is text or bytes is sent as it is, anything else as JSON. The URL must lead to an operation. */
export function request(
  method: string,
  url: string,
  body?: unknown,
  headers: RequestHeaders = {},
): [RouteMatch, RequestHeaders, Uint8Array] {
  const match = router.match(method, url);
  assert.ok(match, `no route for ${method} ${url}`);
  return [match, headers, bytesOf(body)];
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
