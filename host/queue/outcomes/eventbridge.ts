// Outcomes to EventBridge buses. The SDK is loaded when the first one is sent.
import { type AwsAccess, ClientCache } from './client-cache.ts';
import {
  type Delivery,
  DeliveryRefused,
  requireFitting,
  type Sender,
  textOf,
  traceOf,
} from './sender.ts';

/** Of one entry. */
const MAX_ENTRY_BYTES = 1_048_576;
/** What an entry's time counts, whatever it is. */
const TIME_BYTES = 14;

/** An entry that the bus has not taken, although it took the request. */
class EntryFailed extends Error {
  override readonly name: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = code;
  }
}

export async function createEventBridgeSender(access: AwsAccess): Promise<Sender> {
  const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
  const clients = new ClientCache('events', access, (config) => new EventBridgeClient(config));
  return {
    async send(delivery, signal) {
      if (delivery.head.reason === 'deadLetterQueue')
        throw new DeliveryRefused('an event bus takes no dead letters');
      const command = new PutEventsCommand({ Entries: [entryOf(delivery)] });
      const answer = await clients.clientFor(delivery).send(command, { abortSignal: signal });
      const failed = answer.Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
      if (failed?.ErrorCode !== undefined)
        throw new EntryFailed(failed.ErrorCode, failed.ErrorMessage ?? '');
    },
    [Symbol.dispose]: () => clients[Symbol.dispose](),
  };
}

function entryOf({ head, payload, target }: Delivery) {
  const outcome = head.condition === 'Success' ? 'Success' : 'Failure';
  const Resources = [target.arn, head.functionArn];
  const entry = {
    Source: 'lambda',
    DetailType: `Lambda Function Invocation Result - ${outcome}`,
    EventBusName: target.arn,
    Resources,
    Time: new Date(head.finishedAtMs),
  };
  const counted = [entry.Source, entry.DetailType, ...Resources].join('');
  const bytes = payload.length + Buffer.byteLength(counted) + TIME_BYTES;
  requireFitting(bytes, MAX_ENTRY_BYTES, 'EventBridge');
  const TraceHeader = traceOf(head);
  const traced = TraceHeader === undefined ? {} : { TraceHeader };
  return { ...entry, ...traced, Detail: textOf(payload) };
}
