// A receiver of webhooks, which verifies signatures as the Standard Webhooks specification tells receivers to.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type ReceivedRequest, type Receiver, startReceiver } from './receiver.ts';

export interface LocalWebhook extends Receiver {
  /** Those whose signature is right. */
  readonly verified: readonly ReceivedRequest[];
}

/** @param secret as in `webhooks.json`, with its prefix */
export async function startLocalWebhook(secret: string): Promise<LocalWebhook> {
  const verified: ReceivedRequest[] = [];
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const receiver = await startReceiver((request) => {
    if (!isSigned(request, key)) return { status: 401 };
    verified.push(request);
    return { status: 204 };
  });
  return Object.assign(receiver, { verified });
}

function isSigned({ headers, body }: ReceivedRequest, key: Buffer): boolean {
  const signed = Buffer.concat([
    Buffer.from(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.`),
    body,
  ]);
  const expected = Buffer.from(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  const given = Buffer.from(String(headers['webhook-signature']));
  return given.length === expected.length && timingSafeEqual(given, expected);
}
