// IAM's errors, with its codes and texts.
import { QueryError } from '../query/errors.ts';

export function noSuchEntity(message: string): QueryError {
  return new QueryError('NoSuchEntity', 404, message);
}

export function noSuchRole(name: string): QueryError {
  return noSuchEntity(`The role with name ${name} cannot be found.`);
}

export function noSuchPolicy(arn: string): QueryError {
  return noSuchEntity(`Policy ${arn} was not found.`);
}

export function alreadyExists(message: string): QueryError {
  return new QueryError('EntityAlreadyExists', 409, message);
}

export function deleteConflict(message: string): QueryError {
  return new QueryError('DeleteConflict', 409, message);
}

export function limitExceeded(message: string): QueryError {
  return new QueryError('LimitExceeded', 409, message);
}

export function invalidInput(message: string): QueryError {
  return new QueryError('InvalidInput', 400, message);
}

export function malformedPolicy(message: string, cause?: unknown): QueryError {
  return new QueryError('MalformedPolicyDocument', 400, message, { cause });
}
