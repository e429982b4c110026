// What an error of a delivery means: whether the same delivery can succeed later, and what the operator is told.
import type { DeliveryResult } from './outcome.ts';
import { DeliveryRefused } from './sender.ts';

/**
 * What services say of a message that they will never take. Everything else may pass, or be mended by somebody before the delivery
 * is given up: missing queues and rights, keys, throttles, faults, the network.
 */
const NEVER_TAKEN: ReadonlySet<string> = new Set([
  'BatchRequestTooLong',
  'EntityTooLarge',
  'InvalidArgument',
  'InvalidAttributeValue',
  'InvalidMessageContents',
  'InvalidParameter',
  'InvalidParameterException',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'KeyTooLongError',
  'MalformedDetail',
  'MissingParameter',
  'RequestEntityTooLarge',
  'UnsupportedOperation',
]);

const CONTENT_TOO_LARGE = 413;
const MAX_REASON_LENGTH = 500;

export function failureOf(error: unknown): DeliveryResult {
  return { kind: 'notDelivered', isRetryable: isRetryable(error), reason: reasonOf(error) };
}

function isRetryable(error: unknown): boolean {
  if (error instanceof DeliveryRefused) return false;
  if (!(error instanceof Error)) return true;
  return !NEVER_TAKEN.has(error.name) && statusOf(error) !== CONTENT_TOO_LARGE;
}

/** One line: the name of the error, its code where the network has one, and what it says. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const said = [error.name, error.message.includes(code) ? '' : code].filter((part) => part !== '');
  const cause = error.cause instanceof Error ? ` (${reasonOf(error.cause)})` : '';
  const text = `${said.join(' ')}: ${error.message}${cause}`.replaceAll(/\s+/g, ' ').trim();
  return text.length <= MAX_REASON_LENGTH ? text : `${text.slice(0, MAX_REASON_LENGTH - 1)}…`;
}

/** Of the answer that the SDK made the error of; undefined when there was none. */
function statusOf(error: Error): number | undefined {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata))
    return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
