// What accompanies an event in a dead-letter queue or topic: three attributes that say why it is there.
import type { DeliveryHead } from './outcome.ts';

/** As the service cuts it. */
const MAX_ERROR_MESSAGE_BYTES = 1_024;

/** One attribute of a message, in the words that SQS and SNS share. */
export interface MessageAttribute {
  readonly DataType: 'String' | 'Number';
  readonly StringValue: string;
}

/** Characters that SQS and SNS take in no text, and half a character at the end of what was cut. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const NOT_TAKEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/** The first 1,024 bytes of an error message: whole characters, and a replacement character for what no queue takes. */
export function cutErrorMessage(message: string): string {
  const taken = message.toWellFormed().replaceAll(NOT_TAKEN, '\ufffd');
  const bytes = Buffer.from(taken);
  if (bytes.length <= MAX_ERROR_MESSAGE_BYTES) return taken;
  let end = MAX_ERROR_MESSAGE_BYTES;
  // A byte of this form goes on with the character before it.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** An attribute without a value is refused by queues: an empty message is left out, and a code where nothing was answered. */
export function deadLetterAttributes(
  head: DeliveryHead,
): Readonly<Record<string, MessageAttribute>> {
  const message = cutErrorMessage(head.errorMessage);
  return {
    RequestID: { DataType: 'String', StringValue: head.requestId },
    ...(head.errorCode === 0
      ? {}
      : { ErrorCode: { DataType: 'Number', StringValue: String(head.errorCode) } }),
    ...(message === '' ? {} : { ErrorMessage: { DataType: 'String', StringValue: message } }),
  };
}
