// What can be told of a runtime by its identifier alone.

/** Its program is the function's own and speaks the HTTP Runtime API. */
export function isCustomRuntime(runtime: string): boolean {
  return runtime === 'provided' || runtime.startsWith('provided.');
}
