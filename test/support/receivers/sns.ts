// Topics: Publish in the query protocol of SNS, a form answered in XML.
import {
  type Answer,
  isSignedFor,
  type ReceivedRequest,
  type Receiver,
  startReceiver,
} from './receiver.ts';

export interface PublishedMessage {
  readonly topicArn: string;
  readonly message: string;
  readonly attributes: Readonly<
    Record<string, { readonly DataType: string; readonly StringValue: string }>
  >;
}

export interface LocalSns extends Receiver {
  readonly published: readonly PublishedMessage[];
}

export async function startLocalSns(): Promise<LocalSns> {
  const published: PublishedMessage[] = [];
  const receiver = await startReceiver((request) => serve(request, published));
  return Object.assign(receiver, { published });
}

export function snsError(status: number, code: string, message: string): Answer {
  return {
    status,
    type: 'text/xml',
    body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  };
}

function serve(request: ReceivedRequest, published: PublishedMessage[]): Answer {
  if (!isSignedFor('sns', request)) return snsError(403, 'MissingAuthenticationToken', 'unsigned');
  const form = new URLSearchParams(request.body.toString());
  if (form.get('Action') !== 'Publish') return snsError(400, 'InvalidAction', 'no such action');
  published.push({
    topicArn: form.get('TopicArn') ?? '',
    message: form.get('Message') ?? '',
    attributes: Object.fromEntries(attributesOf(form)),
  });
  return {
    status: 200,
    type: 'text/xml',
    body: `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>`,
  };
}

function* attributesOf(form: URLSearchParams) {
  for (let at = 1; ; at += 1) {
    const entry = `MessageAttributes.entry.${at}`;
    const name = form.get(`${entry}.Name`);
    if (name === null) return;
    const DataType = form.get(`${entry}.Value.DataType`) ?? '';
    yield [name, { DataType, StringValue: form.get(`${entry}.Value.StringValue`) ?? '' }] as const;
  }
}
