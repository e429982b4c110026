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
export function requireRoom(
  { functions, layers, account, region, limits }: OperationContext,
  addedBytes: number,
): void {
  if (addedBytes <= 0) return;
  const presentBytes = functions.codeBytes(account, region) + layers.codeBytes(account, region);
  if (presentBytes + addedBytes > limits.codeStorageBytes)
    throw new ServiceError('CodeStorageExceededException', 'Code storage limit exceeded.');
}
