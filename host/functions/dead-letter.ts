// Which targets a function's DeadLetterConfig may name. Its form has been checked before, as a constraint of the model.
import type { DeadLetterConfig } from '../api/model/types.ts';
import { ServiceError } from '../service-error.ts';

/** What a service calls that of which the FIFO kind takes no dead letters. */
const TARGETS: Readonly<Record<string, string>> = { sqs: 'SQS queue', sns: 'SNS topic' };

/** One name of a queue or topic, after an account of 12 digits. */
const NAMED = /^arn:aws[a-zA-Z-]*:(?:sqs|sns):[a-z0-9-]+:\d{12}:[\w-]+$/;

/**
 * What is stored after a request. Without a target it changes nothing, even where it has a DeadLetterConfig, as on the service; an
 * empty target means none. Throws InvalidParameterValueException for a target in
 * another region than the function, of another service than SQS and SNS, and of the FIFO kind: in this order, each in words that
 * the service has been seen to use.
 */
export function deadLetter(
  current: DeadLetterConfig | undefined,
  request: DeadLetterConfig | undefined,
  { region }: { readonly region: string },
): DeadLetterConfig | undefined {
  const arn = request?.TargetArn;
  if (arn === undefined) return current;
  if (arn === '') return undefined;
  const [, , service = '', targetRegion] = arn.split(':');
  if (targetRegion !== region)
    refuse(
      "The resource specified by the TargetArn must be in the same region as the Lambda function it's associated with.",
    );
  const target = TARGETS[service];
  if (target === undefined)
    refuse(
      'The service specified by the TargetArn is not supported for dead letter configuration.',
    );
  if (arn.endsWith('.fifo'))
    refuse(`FIFO ${target} is not supported for dead letter configuration`);
  // The one sentence that is ours.
  if (!NAMED.test(arn)) refuse(`The TargetArn does not name an ${target}.`);
  return { TargetArn: arn };
}

function refuse(reason: string): never {
  throw new ServiceError(
    'InvalidParameterValueException',
    `Invalid dead letter queue ARN: ${reason}`,
  );
}
