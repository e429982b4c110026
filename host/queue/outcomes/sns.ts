// Outcomes to SNS topics. The SDK is loaded when the first one is sent.
import { type AwsAccess, ClientCache } from './client-cache.ts';
import { deadLetterAttributes } from './dead-letter-message.ts';
import { DeliveryRefused, requireFitting, type Sender, textOf } from './sender.ts';
import { attributeBytes } from './sqs.ts';

/** Of message and attributes. Events may be larger: their records cannot be delivered here, as on the service. */
const MAX_MESSAGE_BYTES = 262_144;

export async function createSnsSender(access: AwsAccess): Promise<Sender> {
  const { PublishCommand, SNSClient } = await import('@aws-sdk/client-sns');
  const clients = new ClientCache('sns', access, (config) => new SNSClient(config));
  return {
    async send(delivery, signal) {
      const { head, payload, target } = delivery;
      const MessageAttributes = head.reason === 'deadLetterQueue' ? deadLetterAttributes(head) : {};
      if (target.resource.endsWith('.fifo'))
        throw new DeliveryRefused(`${target.arn} is a FIFO topic, which takes no outcomes`);
      requireFitting(payload.length + attributeBytes(MessageAttributes), MAX_MESSAGE_BYTES, 'SNS');
      const command = new PublishCommand({
        TopicArn: target.arn,
        Message: textOf(payload),
        MessageAttributes,
      });
      await clients.clientFor(delivery).send(command, { abortSignal: signal });
    },
    [Symbol.dispose]: () => clients[Symbol.dispose](),
  };
}
