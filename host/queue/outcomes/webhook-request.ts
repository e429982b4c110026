// One signed request to a webhook, as the Standard Webhooks specification has it: receivers verify it with any of its libraries.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { deadLetterAttributes } from './dead-letter-message.ts';
import { type Delivery, DeliveryRefused } from './sender.ts';
import type { Webhook } from './webhooks.ts';

const GONE = 410;
const CONTENT_TOO_LARGE = 413;

/**
 * Posts the payload. Throws DeliveryRefused when the receiver wants it neither now nor later (410, 413), another Error for every
 * other answer than 2xx; redirects are not followed.
 * @param epochMs now
 */
export async function sendToWebhook(
  { url, key }: Webhook,
  delivery: Delivery,
  epochMs: number,
  signal: AbortSignal,
): Promise<void> {
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method: 'POST',
    agent: false,
    signal,
    headers: {
      'content-type': 'application/json',
      'content-length': delivery.payload.length,
      ...signature(key, delivery, epochMs),
      ...deadLetterHeaders(delivery),
    },
  });
  // What ends the connection after an answer that came before all was sent is of no interest, but must not go unheard.
  request.on('error', () => {});
  request.end(delivery.payload);
  const [response] = (await once(request, 'response')) as [IncomingMessage]; // as: what the event carries
  const { statusCode: status = 0 } = response;
  // What it says beside the status is of no use, however long it is.
  response.destroy();
  if (status >= 200 && status < 300) return;
  const text = `${url.origin}${url.pathname} answered ${status}`;
  throw status === GONE || status === CONTENT_TOO_LARGE
    ? new DeliveryRefused(text)
    : new Error(text);
}

/** Over id, time and body; the id stays the same when the request is repeated, the time does not. */
function signature(key: Buffer, { id, payload }: Delivery, epochMs: number) {
  const timestamp = String(Math.floor(epochMs / 1_000));
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(payload);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${mac.digest('base64')}`,
  };
}

/** `x-lambkin-requestid`, `-errorcode`, `-errormessage`: what a queue gets as attributes, percent-encoded. */
function deadLetterHeaders({ head }: Delivery): Record<string, string> {
  if (head.reason !== 'deadLetterQueue') return {};
  return Object.fromEntries(
    Object.entries(deadLetterAttributes(head)).map(([name, { StringValue }]) => [
      `x-lambkin-${name.toLowerCase()}`,
      encodeURIComponent(StringValue),
    ]),
  );
}
