// Outcomes to SQS queues. The SDK is loaded when the first one is sent.
import { type AwsAccess, ClientCache } from './client-cache.ts';
import { deadLetterAttributes, type MessageAttribute } from './dead-letter-message.ts';
import {
  type Delivery,
  DeliveryRefused,
  requireFitting,
  type Sender,
  textOf,
  traceOf,
} from './sender.ts';
import type { TargetArn } from './target-arn.ts';

/** MaximumMessageSize of a queue that nobody has given a smaller one; attributes count, system attributes do not. */
const MAX_MESSAGE_BYTES = 1_048_576;

export async function createSqsSender(access: AwsAccess): Promise<Sender> {
  const { SendMessageCommand, SQSClient } = await import('@aws-sdk/client-sqs');
  // The endpoint is that of the configuration, not the host of a queue's URL, of which only the path matters.
  const clients = new ClientCache(
    'sqs',
    access,
    (config) => new SQSClient({ ...config, useQueueUrlAsEndpoint: false }),
  );
  return {
    async send(delivery, signal) {
      const { head, target } = delivery;
      const MessageAttributes = head.reason === 'deadLetterQueue' ? deadLetterAttributes(head) : {};
      check(delivery, MessageAttributes);
      const command = new SendMessageCommand({
        QueueUrl: queueUrl(target, access.endpoints.sqs),
        MessageBody: textOf(delivery.payload),
        MessageAttributes,
        ...traced(traceOf(head)),
      });
      await clients.clientFor(delivery).send(command, { abortSignal: signal });
    },
    [Symbol.dispose]: () => clients[Symbol.dispose](),
  };
}

function check(
  { payload, target }: Delivery,
  attributes: Readonly<Record<string, MessageAttribute>>,
): void {
  if (target.resource.endsWith('.fifo'))
    throw new DeliveryRefused(`${target.arn} is a FIFO queue, which takes no outcomes`);
  requireFitting(payload.length + attributeBytes(attributes), MAX_MESSAGE_BYTES, 'SQS');
}

/** As SQS and SNS count them: names, types and values. */
export function attributeBytes(attributes: Readonly<Record<string, MessageAttribute>>): number {
  return Object.entries(attributes).reduce(
    (bytes, [name, { DataType, StringValue }]) =>
      bytes + Buffer.byteLength(name + DataType + StringValue),
    0,
  );
}

/** Made of the ARN: to ask the service would take a permission that roles of functions rarely have. */
function queueUrl({ region, account, resource }: TargetArn, endpoint: string | undefined): string {
  const base = endpoint ?? `https://sqs.${region}.amazonaws.com`;
  return `${base.replace(/\/$/, '')}/${account}/${resource}`;
}

function traced(header: string | undefined) {
  if (header === undefined) return {};
  const AWSTraceHeader = { DataType: 'String', StringValue: header };
  return { MessageSystemAttributes: { AWSTraceHeader } };
}
