// What the packages of one account in one region may have together. Each version counts with the bytes of its package.
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
  { functions, account, region, limits }: OperationContext,
  before: HeldFunction | undefined,
  after: FunctionRecord,
  newVersions: number,
): void {
  const replaced = before?.root.latest.settings.code.sizeBytes ?? 0;
  const added = after.latest.settings.code.sizeBytes * (1 + newVersions) - replaced;
  if (added > 0 && functions.codeBytes(account, region) + added > limits.codeStorageBytes)
    throw new ServiceError('CodeStorageExceededException', 'Code storage limit exceeded.');
}
