// The only place that turns an error into an HTTP answer: status, name and the body's spelling come from the contract.
import type { Answer } from '../api/encode.ts';
import { lambdaModel, type ModelError } from '../api/model/model.ts';
import { ServiceError } from '../service-error.ts';

const unexpected = new ServiceError(
  'ServiceException',
  'An error occurred and the request cannot be processed.',
);

/** The answer to a failed request. What is not a ServiceError is our own fault: its text stays in the log. */
export function errorAnswer(error: unknown): Answer {
  const known = error instanceof ServiceError ? error : unexpected;
  const { retryAfterSeconds } = known.details;
  return {
    status: known.status,
    headers: {
      'Content-Type': 'application/json',
      'x-amzn-ErrorType': known.name,
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(errorBody(known)),
  };
}

/** Members in the order of recorded answers. Errors that the service does not model carry their message alone. */
function errorBody({ name, message, details }: ServiceError): Readonly<Record<string, unknown>> {
  const { modeled, fault, messageField } = modelOf(name);
  // the service itself sends a null message when it denies a call on another account's ARN without a reason
  const text = name === 'AccessDeniedException' && message === '' ? null : message;
  if (!modeled || details.withoutType === true) return { [messageField]: text };
  const { Reason, EC2ErrorCode } = details;
  const Type = fault === 'client' ? 'User' : 'Service';
  return { Reason, EC2ErrorCode, Type, [messageField]: text };
}

function modelOf(name: ServiceError['name']): ModelError {
  const found = lambdaModel.errors[name];
  if (found === undefined) throw new Error(`the model has no error ${name}`);
  return found;
}
