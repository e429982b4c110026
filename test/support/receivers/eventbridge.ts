// Event buses: PutEvents in the JSON protocol of EventBridge.
import {
  type Answer,
  isSignedFor,
  type ReceivedRequest,
  type Receiver,
  startReceiver,
} from './receiver.ts';

export interface BusEntry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName: string;
  readonly Resources: readonly string[];
  /** Seconds since 1970. */
  readonly Time: number;
  readonly TraceHeader?: string;
}

export interface LocalEventBridge extends Receiver {
  readonly entries: readonly BusEntry[];
  /** What becomes of each entry instead of being taken, the request succeeding as ever. */
  entryError: { readonly ErrorCode: string; readonly ErrorMessage: string } | undefined;
}

const JSON_TYPE = 'application/x-amz-json-1.1';

export async function startLocalEventBridge(): Promise<LocalEventBridge> {
  const entries: BusEntry[] = [];
  const receiver = await startReceiver((request) => serve(request, local));
  const local: LocalEventBridge & { entries: BusEntry[] } = Object.assign(receiver, {
    entries,
    entryError: undefined,
  });
  return local;
}

export function eventBridgeError(status: number, name: string, message: string): Answer {
  return { status, type: JSON_TYPE, body: JSON.stringify({ __type: name, message }) };
}

function serve(
  request: ReceivedRequest,
  local: LocalEventBridge & { readonly entries: BusEntry[] },
): Answer {
  const { headers, body } = request;
  if (!isSignedFor('events', request))
    return eventBridgeError(403, 'MissingAuthenticationToken', 'unsigned');
  if (headers['x-amz-target'] !== 'AWSEvents.PutEvents' || headers['content-type'] !== JSON_TYPE)
    return eventBridgeError(400, 'UnknownOperationException', 'no such operation');
  const { Entries } = JSON.parse(body.toString());
  if (local.entryError === undefined) local.entries.push(...Entries);
  const results = Entries.map(() => local.entryError ?? { EventId: 'e' });
  const FailedEntryCount = local.entryError === undefined ? 0 : Entries.length;
  const answer = JSON.stringify({ FailedEntryCount, Entries: results });
  return { status: 200, type: JSON_TYPE, body: answer };
}
