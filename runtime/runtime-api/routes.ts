// What routes of the APIs inside a sandbox consist of, and how a reply is sent.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './replies.ts';

/** A request; `id` is the variable part of its path, empty where there is none. */
export interface RouteCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
}

export type Handler = (call: RouteCall) => Promise<void> | void;

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly handle: Handler;
}

export function get(path: string, handle: Handler): Route {
  return { method: 'GET', path: new RegExp(`^${path}$`), handle };
}

export function post(path: string, handle: Handler): Route {
  return { method: 'POST', path: new RegExp(`^${path}$`), handle };
}

/** What was posted is not looked at. */
export function refuse(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  request.resume();
  send(response, reply);
}

export function send(response: ServerResponse, { status, headers, body }: Reply): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
