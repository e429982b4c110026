// One Invoke by the official SDK, with the answer as it came over the wire: every header, and the payload's bytes.
import assert from 'node:assert/strict';
import { InvokeCommand, type InvokeCommandInput, type LambdaClient } from '@aws-sdk/client-lambda';
import { HttpRequest, HttpResponse } from '@smithy/protocol-http';

export interface Exchange {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
  /** The payload as text. */
  readonly text: string;
  /** The log tail. */
  readonly log: Buffer;
  readonly functionError: string | undefined;
}

/** Invokes; `requestHeaders` are sent (and signed) beside those of the SDK. Rejects as the SDK does for what is no 2xx. */
export async function exchange(
  client: LambdaClient,
  input: InvokeCommandInput,
  requestHeaders: Readonly<Record<string, string>> = {},
): Promise<Exchange> {
  const command = new InvokeCommand(input);
  let seen: HttpResponse | undefined;
  command.middlewareStack.add(
    (next) => async (handed) => {
      assert.ok(HttpRequest.isInstance(handed.request));
      Object.assign(handed.request.headers, requestHeaders);
      const result = await next(handed);
      assert.ok(HttpResponse.isInstance(result.response));
      seen = result.response;
      return result;
    },
    { step: 'build', name: 'recordExchange' },
  );
  const answer = await client.send(command);
  assert.ok(seen !== undefined);
  const payload = Buffer.from(answer.Payload ?? []);
  return {
    status: seen.statusCode,
    headers: seen.headers,
    payload,
    text: payload.toString(),
    log: Buffer.from(answer.LogResult ?? '', 'base64'),
    functionError: answer.FunctionError,
  };
}
