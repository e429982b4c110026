// The ARN of whoever is told of an outcome, taken apart.

export interface TargetArn {
  readonly arn: string;
  /** `sqs`, `sns`, `events`, `s3`, … */
  readonly service: string;
  /** Empty for a bucket. */
  readonly region: string;
  /** Empty for a bucket. */
  readonly account: string;
  /** `event-bus/default` for a bus, else a bare name. */
  readonly resource: string;
}

export function targetArn(arn: string): TargetArn {
  const [, , service = '', region = '', account = '', ...resource] = arn.split(':');
  return { arn, service, region, account, resource: resource.join(':') };
}
