// What each service that is told of outcomes looks like to the deliverer.
import type { DeliveryHead } from './outcome.ts';
import type { TargetArn } from './target-arn.ts';

/** One outcome on its way to its target. */
export interface Delivery {
  /** The same for every attempt. */
  readonly id: string;
  readonly head: DeliveryHead;
  /** JSON. */
  readonly payload: Uint8Array;
  readonly target: TargetArn;
}

/** Sends to one service, and owns the connections to it. */
export interface Sender extends Disposable {
  /** Throws {@link DeliveryRefused}, or whatever the service or the network answered. */
  send(delivery: Delivery, signal: AbortSignal): Promise<void>;
}

/** It cannot be delivered, now or later: too large, or nothing that this target takes. */
export class DeliveryRefused extends Error {
  override readonly name = 'DeliveryRefused';
}

export function textOf(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
}

/** What a service that passes a trace on takes for a trace; anything else that a caller sent stays here. */
const TRACE = /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;[\w.-]+=[\w.:|/-]*)*;?$/i;
const MAX_TRACE_LENGTH = 500;

/** The trace to pass on; undefined when there is none. */
export function traceOf({ traceHeader }: DeliveryHead): string | undefined {
  const isTrace = traceHeader.length <= MAX_TRACE_LENGTH && TRACE.test(traceHeader);
  return isTrace ? traceHeader : undefined;
}

/** Throws {@link DeliveryRefused}. What a service counts is its own matter. */
export function requireFitting(bytes: number, maxBytes: number, service: string): void {
  if (bytes > maxBytes)
    throw new DeliveryRefused(`${bytes} bytes are too large for ${service} (limit ${maxBytes})`);
}
