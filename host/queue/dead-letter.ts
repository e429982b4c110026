// What is kept of events and deliveries that have been given up, so that nothing which was accepted is ever lost without a trace:
// with all that is needed to begin anew.

import type { DueItem } from '../store/store.ts';
import { EVENT_KIND, type EventHead, laneOf } from './event.ts';
import {
  DEAD_LETTER_KIND,
  DELIVERY_KIND,
  type DeliveryHead,
  type OutcomeCondition,
} from './outcomes/outcome.ts';

interface DeadLetterBase {
  readonly condition: OutcomeCondition;
  /** For operators. */
  readonly reason: string;
  readonly diedAtMs: number;
}

export type DeadLetterHead = DeadLetterBase &
  (
    | { readonly what: 'event'; readonly original: EventHead }
    /** An outcome whose target never got it. */
    | { readonly what: 'delivery'; readonly original: DeliveryHead }
  );

export interface DeadLetterTerms {
  /** How long it is kept: `async.deadLetterSeconds` in milliseconds; 0: not at all. */
  readonly keepMs: number;
  readonly newId: () => string;
}

/** The item to store: none when nothing is to be kept. It is due, and thereby removed, when its time is over. */
export function deadLetterItems(
  head: DeadLetterHead,
  payload: Uint8Array,
  { keepMs, newId }: DeadLetterTerms,
): readonly DueItem[] {
  if (keepMs === 0) return [];
  const { original, diedAtMs } = head;
  return [
    {
      id: newId(),
      kind: DEAD_LETTER_KIND,
      lane: laneOf(original),
      dueAtMs: Math.floor(diedAtMs + keepMs),
      acceptedAtMs: Math.floor(diedAtMs),
      head,
      payload,
    },
  ];
}

/** The head of an item that {@link deadLetterItems} has made, as the store gives it back. */
export function deadLetterHead({ head }: Pick<DueItem, 'head'>): DeadLetterHead {
  return head as DeadLetterHead; // as: of this kind there is nothing else in the store
}

/** What begins anew in place of a dead letter, as young as if it had just been accepted; an event keeps its request id. */
export function redrivenItem(letter: DueItem, newId: () => string, nowMs: number): DueItem {
  const { what, original } = deadLetterHead(letter);
  const nowWhole = Math.floor(nowMs);
  const item = { id: newId(), dueAtMs: nowWhole, acceptedAtMs: nowWhole, payload: letter.payload };
  if (what === 'delivery') {
    const head: DeliveryHead = { ...original, failures: 0 };
    return { ...item, kind: DELIVERY_KIND, lane: original.target, head };
  }
  const head: EventHead = { ...original, attempts: 0, refusals: 0, lastError: undefined };
  return { ...item, kind: EVENT_KIND, lane: laneOf(original), head };
}
