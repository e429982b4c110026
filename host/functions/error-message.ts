// What the body of a failed invocation or init says. Custom runtimes post whatever they like.

/** Its `errorMessage`; the whole body where that is missing or no text. */
export function errorMessageIn(payload: Uint8Array): string {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  try {
    const body: unknown = JSON.parse(text);
    const isObject = typeof body === 'object' && body !== null;
    if (isObject && 'errorMessage' in body && typeof body.errorMessage === 'string')
      return body.errorMessage;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return text;
}
