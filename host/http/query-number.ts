// Whole numbers in the query of our own routes.
import { ServiceError } from '../service-error.ts';

/** Undefined when it is not there. Throws InvalidParameterValueException for anything but digits. */
export function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ServiceError('InvalidParameterValueException', `${name} must be a whole number`);
}
