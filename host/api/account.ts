// What an account may have in a region, and what it has.
import { lambdaArchiveLimits } from '../code/entry-rules.ts';
import { MAX_DIRECT_BYTES } from '../functions/code-source.ts';
import { functionScope } from '../functions/record.ts';
import { codeBytes } from './code-storage.ts';
import { operation } from './operation.ts';

export const GetAccountSettings = operation('GetAccountSettings', async (_, context) => {
  const { account, region, functions, concurrency, limits } = context;
  return {
    AccountLimit: {
      TotalCodeSize: limits.codeStorageBytes,
      CodeSizeUnzipped: lambdaArchiveLimits.maxUnzippedBytes,
      CodeSizeZipped: MAX_DIRECT_BYTES,
      ConcurrentExecutions: concurrency.limit,
      UnreservedConcurrentExecutions: concurrency.unreserved(functionScope(account, region)),
    },
    AccountUsage: {
      TotalCodeSize: codeBytes(context),
      FunctionCount: functions.names(account, region).length,
    },
  };
});
