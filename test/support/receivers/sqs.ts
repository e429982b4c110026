// Queues: SendMessage in the JSON protocol of SQS, with the digests that its clients check.
import { createHash } from 'node:crypto';
import {
  type Answer,
  isSignedFor,
  type ReceivedRequest,
  type Receiver,
  startReceiver,
} from './receiver.ts';

interface AttributeValue {
  readonly DataType: string;
  readonly StringValue: string;
}

export interface QueuedMessage {
  readonly queueUrl: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly systemAttributes: Readonly<Record<string, AttributeValue>>;
}

export interface LocalSqs extends Receiver {
  readonly messages: readonly QueuedMessage[];
}

const JSON_TYPE = 'application/x-amz-json-1.0';

/** Has whatever queue is written to. */
export async function startLocalSqs(): Promise<LocalSqs> {
  const messages: QueuedMessage[] = [];
  const receiver = await startReceiver((request) => serve(request, messages));
  return Object.assign(receiver, { messages });
}

/** An error as SQS writes it: the name in the body, the older name of the query protocol in a header. */
export function sqsError(status: number, name: string, message: string): Answer {
  return {
    status,
    type: JSON_TYPE,
    body: JSON.stringify({ __type: `com.amazonaws.sqs#${name}`, message }),
  };
}

function serve(request: ReceivedRequest, messages: QueuedMessage[]): Answer {
  const { headers, body } = request;
  if (!isSignedFor('sqs', request))
    return sqsError(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  if (headers['x-amz-target'] !== 'AmazonSQS.SendMessage' || headers['content-type'] !== JSON_TYPE)
    return sqsError(400, 'InvalidAction', 'no such action');
  const input = JSON.parse(body.toString());
  const message: QueuedMessage = {
    queueUrl: input.QueueUrl,
    body: input.MessageBody,
    attributes: input.MessageAttributes ?? {},
    systemAttributes: input.MessageSystemAttributes ?? {},
  };
  if (
    message.body === '' ||
    Object.values(message.attributes).some((each) => each.StringValue === '')
  )
    return sqsError(400, 'InvalidParameterValue', 'Must contain a value');
  messages.push(message);
  return {
    status: 200,
    type: JSON_TYPE,
    body: JSON.stringify({
      MessageId: `message-${messages.length}`,
      MD5OfMessageBody: createHash('md5').update(message.body).digest('hex'),
    }),
  };
}
