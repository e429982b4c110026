// Deliverers that send to receivers on this machine, signing as a host's process with credentials of its own.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { AwsAccess } from '../../host/queue/outcomes/client-cache.ts';
import { OutcomeDeliverer } from '../../host/queue/outcomes/deliverer.ts';
import { deliveryItems } from '../../host/queue/outcomes/delivery-items.ts';
import type { EventOutcome, OutcomeTargets } from '../../host/queue/outcomes/outcome.ts';
import type { WebhookLookup } from '../../host/queue/outcomes/webhooks.ts';
import type { DueItem } from '../../host/store/store.ts';
import '../support/receivers/host-credentials.ts';
import { outcomeOf } from './outcomes.ts';

export const QUEUE = 'arn:aws:sqs:eu-west-1:111111111111:orders';
export const TOPIC = 'arn:aws:sns:eu-west-1:111111111111:news';
export const BUS = 'arn:aws:events:eu-west-1:111111111111:event-bus/default';
export const BUCKET = 'arn:aws:s3:::failures';

export interface DelivererParts {
  readonly endpoints?: AwsAccess['endpoints'];
  readonly credentialsOf?: AwsAccess['credentialsOf'];
  readonly webhookOf?: WebhookLookup;
  readonly attemptLimitMs?: number;
}

export function createDeliverer(parts: DelivererParts): OutcomeDeliverer {
  return new OutcomeDeliverer({
    access: {
      endpoints: parts.endpoints ?? {},
      credentialsOf: parts.credentialsOf ?? (() => undefined),
    },
    webhookOf: parts.webhookOf ?? (() => undefined),
    epochMs: () => Date.now(),
    attemptLimitMs: parts.attemptLimitMs,
  });
}

/** The one item of an outcome for one target. */
export function itemFor(targets: OutcomeTargets, outcome: Partial<EventOutcome> = {}): DueItem {
  const [item] = deliveryItems(outcomeOf(outcome), targets, () => 'item-1', 0);
  if (item === undefined) throw new Error('nobody is told of this outcome');
  return item;
}

export const never: AbortSignal = new AbortController().signal;

/** An address at which nothing listens. */
export async function closedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // as: it listens on TCP
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
