// Delivers outcomes: finds out what a target is, has it sent within a time limit, and says what came of it.
import type { DueItem } from '../../store/store.ts';
import type { AwsAccess } from './client-cache.ts';
import { failureOf } from './delivery-failure.ts';
import { deliveryHead } from './delivery-items.ts';
import { createEventBridgeSender } from './eventbridge.ts';
import type { Deliverer, DeliveryResult } from './outcome.ts';
import { createS3Sender } from './s3.ts';
import { type Delivery, DeliveryRefused, type Sender } from './sender.ts';
import { createSnsSender } from './sns.ts';
import { createSqsSender } from './sqs.ts';
import { targetArn } from './target-arn.ts';
import { sendToWebhook } from './webhook-request.ts';
import type { WebhookLookup } from './webhooks.ts';

/** For one attempt, credentials and connections included: a silent target must not keep its lane. */
const ATTEMPT_LIMIT_MS = 30_000;

const SENDERS: Readonly<Record<string, (access: AwsAccess) => Promise<Sender>>> = {
  sqs: createSqsSender,
  sns: createSnsSender,
  events: createEventBridgeSender,
  s3: createS3Sender,
};

export interface DelivererOptions {
  readonly access: AwsAccess;
  readonly webhookOf: WebhookLookup;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  /** 30,000 unless given. */
  readonly attemptLimitMs?: number | undefined;
}

/** The service's SDK is loaded with the first delivery to it; connections end with the deliverer. */
export class OutcomeDeliverer implements Deliverer, AsyncDisposable {
  readonly #options: DelivererOptions;
  readonly #senders = new Map<string, Promise<Sender>>();
  readonly #disposed = new AbortController();

  constructor(options: DelivererOptions) {
    this.#options = options;
  }

  async deliver(item: DueItem, signal: AbortSignal): Promise<DeliveryResult> {
    const limit = AbortSignal.timeout(this.#options.attemptLimitMs ?? ATTEMPT_LIMIT_MS);
    const ended = AbortSignal.any([limit, signal, this.#disposed.signal]);
    try {
      ended.throwIfAborted();
      await unlessAborted(this.#send(item, ended), ended);
      return { kind: 'delivered' };
    } catch (error) {
      return failureOf(ended.aborted ? ended.reason : error);
    }
  }

  /** Ends what is under way; it may have been delivered all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort(new Error('the host ends'));
    const senders = await Promise.allSettled(this.#senders.values());
    this.#senders.clear();
    for (const sender of senders) if (sender.status === 'fulfilled') sender.value[Symbol.dispose]();
  }

  async #send(item: DueItem, signal: AbortSignal): Promise<void> {
    const head = deliveryHead(item);
    const target = targetArn(head.target);
    const delivery: Delivery = { id: item.id, head, payload: item.payload, target };
    const webhook = this.#options.webhookOf(head.target);
    if (webhook !== undefined)
      return await sendToWebhook(webhook, delivery, this.#options.epochMs(), signal);
    const sender = await this.#senderTo(target.service);
    await sender.send(delivery, signal);
  }

  #senderTo(service: string): Promise<Sender> {
    const create = SENDERS[service];
    if (create === undefined) throw new DeliveryRefused(`${service} takes no outcomes`);
    const known = this.#senders.get(service);
    if (known !== undefined) return known;
    const sender = create(this.#options.access);
    this.#senders.set(service, sender);
    return sender;
  }
}

/** What is waited for goes on when the signal comes first; whatever becomes of it then is of no interest any more. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
