// What the packages of one account in one region may have together. Each version of a function or layer counts with the bytes of its
// package.
import type { HeldFunction } from '../functions/functions.ts';
import type { FunctionRecord } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import type { OperationContext } from './context.ts';

/**
 * Throws CodeStorageExceededException when there is no room for what a change adds.
 * @param before undefined for a new function
 * @param newVersions how many versions of the new `$LATEST` are published with the change
 */
export function requireStorage(
  context: OperationContext,
  before: HeldFunction | undefined,
  after: FunctionRecord,
  newVersions: number,
): void {
  const replaced = before?.root.latest.settings.code.sizeBytes ?? 0;
  requireRoom(context, after.latest.settings.code.sizeBytes * (1 + newVersions) - replaced);
}

/** Throws CodeStorageExceededException when there is no room for so many bytes more. */
export function requireRoom(context: OperationContext, addedBytes: number): void {
  if (addedBytes > 0 && codeBytes(context) + addedBytes > context.limits.codeStorageBytes)
    throw new ServiceError('CodeStorageExceededException', 'Code storage limit exceeded.');
}

/** What all packages of the account in the region have together. */
export function codeBytes({ functions, layers, account, region }: OperationContext): number {
  return functions.codeBytes(account, region) + layers.codeBytes(account, region);
}
