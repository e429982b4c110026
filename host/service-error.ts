// The one error that reaches callers: a name of the service's, whose status and spelling on the wire come from the contract.
import model from './api/model/lambda-model.json' with { type: 'json' };
import type { ThrottleReason } from './api/model/types.ts';

/** Every error the service answers with, modelled or seen on its wire. */
export type ServiceErrorName = keyof typeof model.errors;

/** What an error says beside its message. Members are spelled as on the wire. */
export interface ServiceErrorDetails extends ErrorOptions {
  /** Why a call was throttled (TooManyRequestsException). */
  readonly Reason?: ThrottleReason | undefined;
  /** What EC2 answered (EC2UnexpectedException). */
  readonly EC2ErrorCode?: string | undefined;
  /** A few recorded answers lack the member that says whose fault it is. */
  readonly withoutType?: boolean | undefined;
  /** Becomes the `Retry-After` header (TooManyRequestsException). */
  readonly retryAfterSeconds?: number | undefined;
}

/** The caller's request cannot be served. `host/http/errors.ts` alone turns it into an answer. */
export class ServiceError extends Error {
  override readonly name: ServiceErrorName;
  readonly details: ServiceErrorDetails;

  constructor(name: ServiceErrorName, message: string, details: ServiceErrorDetails = {}) {
    super(message, details);
    this.name = name;
    this.details = details;
  }

  /** The HTTP status of the contract. */
  get status(): number {
    return model.errors[this.name].status;
  }
}

/** What is said of a policy, a URL or a layer version that is not there. */
export function noSuchResource(): ServiceError {
  return new ServiceError(
    'ResourceNotFoundException',
    'The resource you requested does not exist.',
  );
}
