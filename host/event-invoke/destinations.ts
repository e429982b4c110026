// Which destinations an event invoke config may name. Their form has been checked before, as a constraint of the model.
import type { DestinationConfig } from '../api/model/types.ts';
import type { HeldFunction } from '../functions/functions.ts';
import type { Scope } from '../functions/names.ts';
import { findTarget } from '../functions/target.ts';
import { ServiceError } from '../service-error.ts';

/** Looks a function up in any scope of the host. */
export type FunctionLookup = (
  account: string,
  region: string,
  name: string,
) => HeldFunction | undefined;

const BOTH_SIDES: ReadonlySet<string> = new Set(['lambda', 'sqs', 'sns', 'events']);

/** Takes failed events only. */
const FAILURE_SERVICE = 's3';

/** What follows the service in the ARN of something that takes events; a FIFO queue takes none. */
const NAMED: Readonly<Record<string, RegExp>> = {
  sqs: /^[a-z0-9-]+:\d{12}:[\w-]+$/,
  sns: /^[a-z0-9-]+:\d{12}:[\w-]+(?:\.fifo)?$/,
  events: /^[a-z0-9-]+:\d{12}:event-bus\/[\w./-]+$/,
  s3: /^::[a-z0-9][a-z0-9.-]+$/,
};

/**
 * Throws InvalidParameterValueException for a service that takes no events, a function that is not there, the function itself, and
 * for what nothing can be delivered to: FIFO queues and topics, ARNs that name no resource. Functions are looked at first, those for
 * failures before those for successes.
 */
export function checkDestinations(
  config: DestinationConfig | undefined,
  owner: Scope & { readonly name: string },
  lookup: FunctionLookup,
): void {
  const onSuccess = config?.OnSuccess?.Destination || undefined;
  const onFailure = config?.OnFailure?.Destination || undefined;
  for (const arn of [onFailure, onSuccess])
    if (arn !== undefined && serviceOf(arn) === 'lambda') checkFunction(arn, owner, lookup);
  if (!isTaken(onSuccess, false) || !isTaken(onFailure, true))
    refuse(
      `The provided destination config DestinationConfig(onSuccess=${sideText('OnSuccess', onSuccess)}, onFailure=${sideText('OnFailure', onFailure)}) is invalid.`,
    );
  for (const arn of [onFailure, onSuccess]) if (arn !== undefined) checkResource(arn);
}

function checkResource(arn: string): void {
  const service = serviceOf(arn);
  const resource = arn.split(':').slice(3).join(':');
  if (NAMED[service]?.test(resource) === false) refuse(`The destination ARN ${arn} is invalid.`);
  if (service === 'sns' && arn.endsWith('.fifo'))
    refuse("FIFO-type Amazon SNS topics aren't supported as a destination.");
}

function isTaken(arn: string | undefined, isFailure: boolean): boolean {
  if (arn === undefined) return true;
  const service = serviceOf(arn);
  return BOTH_SIDES.has(service) || (isFailure && service === FAILURE_SERVICE);
}

function sideText(side: 'OnSuccess' | 'OnFailure', arn: string | undefined): string {
  return arn === undefined ? 'null' : `${side}(destination=${arn})`;
}

function checkFunction(
  arn: string,
  owner: Scope & { readonly name: string },
  lookup: FunctionLookup,
): void {
  const [, , , region = '', account = '', kind, name = '', qualifier, ...rest] = arn.split(':');
  const held = kind === 'function' ? lookup(account, region, name) : undefined;
  const target = held && findTarget(held, qualifier);
  if (target === undefined || rest.length > 0) refuse(`The destination ARN ${arn} is invalid.`);
  if (account === owner.account && region === owner.region && name === owner.name)
    refuse("You can't specify the function as a destination for itself.");
}

/** Empty for what is no ARN. */
function serviceOf(arn: string): string {
  return arn.startsWith('arn:') ? (arn.split(':')[2] ?? '') : '';
}

function refuse(message: string): never {
  throw new ServiceError('InvalidParameterValueException', message);
}
