// Errors of the services that speak the AWS Query protocol, and the one place that turns any error into their XML.
import type { Answer } from '../api/encode.ts';
import { ServiceError, type ServiceErrorName } from '../service-error.ts';
import { xmlDocument } from './xml.ts';

/** A request that such a service refuses. `code` is what clients match on. */
export class QueryError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QueryError';
    this.code = code;
    this.status = status;
  }
}

/** What authentication and validation throw, as the older protocol calls it. */
const translated: Readonly<Partial<Record<ServiceErrorName, readonly [string, number]>>> = {
  UnrecognizedClientException: ['InvalidClientTokenId', 403],
  ExpiredTokenException: ['ExpiredToken', 403],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  IncompleteSignatureException: ['IncompleteSignature', 400],
  MissingAuthenticationTokenException: ['MissingAuthenticationToken', 403],
  AccessDeniedException: ['AccessDenied', 403],
  ValidationException: ['ValidationError', 400],
  InvalidParameterValueException: ['ValidationError', 400],
  RequestEntityTooLargeException: ['RequestEntityTooLarge', 413],
};

/** The refusal that an error stands for; undefined: it is our own fault. */
export function refusalOf(error: unknown): QueryError | undefined {
  if (error instanceof QueryError) return error;
  const known = error instanceof ServiceError ? translated[error.name] : undefined;
  if (known === undefined || !(error instanceof ServiceError)) return undefined;
  return new QueryError(...known, error.message, { cause: error });
}

/** `refusal` undefined: a fault of ours, whose text stays in the log. */
export function errorAnswer(
  refusal: QueryError | undefined,
  namespace: string,
  requestId: string,
): Answer {
  const {
    code,
    status,
    message: Message,
  } = refusal ??
  new QueryError(
    'ServiceFailure',
    500,
    'The request processing has failed because of an unknown error, exception or failure.',
  );
  const Type = status < 500 ? 'Sender' : 'Receiver';
  return {
    status,
    headers: { 'Content-Type': 'text/xml' },
    body: xmlDocument('ErrorResponse', namespace, {
      Error: { Type, Code: code, Message },
      RequestId: requestId,
    }),
  };
}
