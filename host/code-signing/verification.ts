// Whether a package may be deployed to a function. There is no signing service here and no package carries a signature, so each
// one is untrusted: Warn lets it pass, Enforce refuses it.
import type { FunctionRecord } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import type { CodeSigningConfigs } from './code-signing-configs.ts';

/** Throws CodeVerificationFailedException when the function's config refuses untrusted packages. */
export function requireTrustedCode(
  configs: Pick<CodeSigningConfigs, 'all'>,
  record: FunctionRecord,
): void {
  const { codeSigningConfigArn: arn } = record;
  if (arn === undefined || configs.all.find(record, arn)?.policy !== 'Enforce') return;
  throw new ServiceError(
    'CodeVerificationFailedException',
    'The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks the deployment.',
  );
}
