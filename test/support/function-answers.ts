// What tests say again and again about the answers of functions.
import assert from 'node:assert/strict';
import type { TestHost } from './test-host.ts';

export interface FailureBody {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** Invokes and expects a failure of that type. */
export async function failure(
  t: TestHost,
  name: string,
  event: unknown,
  errorType: string,
): Promise<{ readonly errorMessage: string; readonly log: string }> {
  const { functionError, payload, log, text } = await t.invoke(name, event);
  assert.equal(functionError, 'Unhandled', `${name} ${JSON.stringify(event)} answered ${text}`);
  const body = payload as FailureBody; // the form of every error
  assert.equal(body.errorType, errorType, `${name} ${JSON.stringify(event)} answered ${text}`);
  return { errorMessage: body.errorMessage, log };
}

/** Invokes and expects a result. */
export async function result(t: TestHost, name: string, event: unknown = {}): Promise<unknown> {
  const { functionError, payload, text } = await t.invoke(name, event);
  assert.equal(functionError, undefined, `${name} ${JSON.stringify(event)} failed: ${text}`);
  return payload;
}
