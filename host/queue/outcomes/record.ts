// The record of an asynchronous invocation that destinations get: JSON in which event and result stand as they came, as bytes.
import { isUtf8 } from 'node:buffer';
import type { EventOutcome, OutcomeResponse } from './outcome.ts';

/** Seen on the service in place of a result that is no JSON. */
const NO_JSON = {
  statusCode: 400,
  errorCode: 'InvalidRequestContentException',
  errorMessage: 'The function response payload could not be parsed as JSON.',
};

/**
 * The record, UTF-8. The event has been accepted as JSON; the result is looked at, since a runtime may post anything, but neither
 * is written anew. Nothing stands for an answer where the function gave none.
 */
export function invocationRecord(outcome: EventOutcome): Buffer {
  const { requestId, functionArn, condition, approximateInvokeCount, response } = outcome;
  const members: (readonly [name: string, json: string | Uint8Array])[] = [
    ['version', '"1.0"'],
    ['timestamp', JSON.stringify(new Date(outcome.finishedAtMs))],
    [
      'requestContext',
      JSON.stringify({ requestId, functionArn, condition, approximateInvokeCount }),
    ],
    ['requestPayload', jsonOrNull(outcome.requestPayload)],
  ];
  if (response !== undefined) members.push(...answer(response));
  const parts = members.flatMap(([name, json], at) => [
    Buffer.from(`${at === 0 ? '{' : ','}"${name}":`),
    typeof json === 'string' ? Buffer.from(json) : json,
  ]);
  return Buffer.concat([...parts, Buffer.from('}')]);
}

function* answer({ statusCode, executedVersion, functionError, payload }: OutcomeResponse) {
  const context = { statusCode, executedVersion, functionError };
  yield ['responseContext', JSON.stringify(context)] as const;
  if (payload === undefined) return;
  if (isJson(payload)) yield ['responsePayload', jsonOrNull(payload)] as const;
  else yield ['deliveryError', JSON.stringify(NO_JSON)] as const;
}

function jsonOrNull(payload: Uint8Array): string | Uint8Array {
  return payload.length === 0 ? 'null' : payload;
}

function isJson(payload: Uint8Array): boolean {
  if (payload.length === 0) return true;
  if (!isUtf8(payload)) return false;
  try {
    JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
