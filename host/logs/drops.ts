// Events that could not be kept: counted per stream, and told in the stream itself at the place of the gap.

export type DropReason =
  | { readonly kind: 'tooFast' }
  /** `detail`: the error's message. */
  | { readonly kind: 'failed'; readonly detail: string };

/** A run of dropped events of one stream. Counted up in place: a flood of drops must not become a flood of garbage. */
export interface Gap {
  reason: DropReason;
  events: number;
  /** Of the messages, in UTF-8. */
  bytes: number;
  /** Epoch milliseconds of the first of them. */
  since: number;
}

/** The gap with more events in it; the latest reason stays. */
export function widenGap(
  gap: Gap | undefined,
  reason: DropReason,
  events: number,
  bytes: number,
  since: number,
): Gap {
  if (gap === undefined) return { reason, events, bytes, since };
  gap.reason = reason;
  gap.events += events;
  gap.bytes += bytes;
  gap.since = Math.min(gap.since, since);
  return gap;
}

export const TOO_FAST: DropReason = Object.freeze({ kind: 'tooFast' });

/** The notice that stands in the log instead of the events. */
export function gapNotice(gap: Gap): string {
  return `[lambkin] ${gap.events} log events (${gap.bytes} bytes) were dropped because ${because(gap.reason)}\n`;
}

function because(reason: DropReason): string {
  switch (reason.kind) {
    case 'tooFast':
      return 'they arrived faster than they could be written';
    case 'failed':
      return `they could not be written: ${reason.detail}`;
    default:
      return reason satisfies never;
  }
}
