// A Runtime API without a sandbox: the session a test drives, a real listener, and a client that speaks raw HTTP to it.

import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Clock } from '../../runtime/clock.ts';
import { Extensions, type FunctionFacts } from '../../runtime/extensions/extensions.ts';
import type { Invocation } from '../../runtime/invocation.ts';
import { RuntimeApi, type RuntimeApiOptions } from '../../runtime/runtime-api/server.ts';
import { RuntimeSession } from '../../runtime/runtime-api/session.ts';
import type { Message } from '../../runtime/slots/messages.ts';
import type { SlotEvent } from '../../runtime/slots/slot.ts';

export const ID = '3f0f0b6c-6a3e-4f4e-9f3e-0d6a3c8f0a11';
export const OTHER_ID = '00000000-6a3e-4f4e-9f3e-0d6a3c8f0a11';

/** A clock that stands still. */
export const FIXED: Clock = { monotonicMs: () => 1000, epochMs: () => 1_700_000_000_000 };

export function eventOf(more: Partial<Invocation> = {}, remainingMs = 3000): SlotEvent {
  return {
    number: 0,
    remainingMs,
    invocation: {
      requestId: ID,
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      traceId: '',
      clientContext: '',
      tenantId: '',
      payload: Buffer.from('{"a":1}'),
      wantsLogTail: false,
      ...more,
    },
  };
}

export interface Heard {
  readonly session: RuntimeSession;
  readonly messages: Message[];
}

export function openSession(): Heard {
  const messages: Message[] = [];
  let ids = 0;
  const session = new RuntimeSession({
    clock: FIXED,
    newId: () => `attempt-${(ids += 1)}`,
    residentKib: () => 42,
    onMessage: (message) => messages.push(message),
  });
  return { session, messages };
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Sent {
  readonly headers?: OutgoingHttpHeaders;
  /** More than one: chunked, one chunk each. */
  readonly body?: string | Buffer | readonly (string | Buffer)[];
  readonly trailers?: Readonly<Record<string, string>>;
}

export const FACTS: FunctionFacts = {
  accountId: '123456789012',
  functionName: 'f',
  functionVersion: '$LATEST',
  handler: 'index.handler',
};

export interface OpenApi extends Heard, AsyncDisposable {
  readonly extensions: Extensions;
  readonly address: string;
  readonly problems: string[];
  send(method: string, path: string, sent?: Sent): Promise<Answered>;
}

export async function openApi(more: Partial<RuntimeApiOptions> = {}): Promise<OpenApi> {
  const { session, messages } = openSession();
  const problems: string[] = [];
  const extensions = new Extensions({
    newId: randomUUID,
    facts: () => FACTS,
    onChange: () => {},
    onFailed: (failure) => messages.push(failure),
  });
  const api = new RuntimeApi({
    session,
    extensions,
    isPeer: () => Promise.resolve(true),
    isEnding: () => Promise.resolve(false),
    onProblem: (text) => problems.push(text),
    ...more,
  });
  const address = await api.listen();
  return {
    session,
    extensions,
    messages,
    address,
    problems,
    send: (method, path, sent) => send(`http://${address}${path}`, method, sent),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

async function send(
  url: string,
  method: string,
  { headers = {}, body, trailers }: Sent = {},
): Promise<Answered> {
  const outgoing = request(url, { method, headers, agent: false });
  const answer = new Promise<Answered>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      buffer(response).then(
        (bytes) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: bytes.toString(),
          }),
        reject,
      );
    });
  });
  if (typeof body === 'string' || Buffer.isBuffer(body)) outgoing.end(body);
  else {
    for (const chunk of body ?? []) outgoing.write(chunk);
    if (trailers !== undefined) outgoing.addTrailers(trailers);
    outgoing.end();
  }
  return answer;
}
