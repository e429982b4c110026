// What callers hear of a package that cannot be taken: the service's texts. What exactly is wrong is the error's cause.
import { ServiceError } from '../service-error.ts';
import { lambdaArchiveLimits, type Refusal } from './entry-rules.ts';

const texts = {
  empty: 'Uploaded file must be a non-empty zip',
  malformed: 'Could not unzip uploaded file. Please check your file, then try to upload again.',
  tooLarge: `Unzipped size must be smaller than ${lambdaArchiveLimits.maxUnzippedBytes} bytes`,
} as const satisfies Record<Refusal, string>;

export function refusedPackage(refusal: Refusal, cause: unknown): ServiceError {
  return new ServiceError('InvalidParameterValueException', texts[refusal], { cause });
}
