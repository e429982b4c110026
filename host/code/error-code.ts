// Errors of system calls are told apart by their code alone.

/** True for an error of Node's whose `code` is this one. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
