// What a runtime tells its environment, whichever protocol it speaks; and how the frames of our own bootstraps are read as that.
import { type AnswerKind, answerOutcome, typedBody } from '../environment/answers.ts';
import { responseTooLarge } from '../environment/platform-error.ts';
import type { InvokeOutcome } from '../invocation.ts';
import type { PlatformErrorType } from '../protocol.ts';

const ID_BYTES = 36;
/** Before the part of an answer that depends on its kind: id, u32 maxRssKib, u32 durationUs. */
const ANSWER_HEAD_BYTES = ID_BYTES + 8;
/** Before the text of a log frame: u8 level, f64 timestamp. */
const LOG_HEAD_BYTES = 9;

export interface Answer {
  readonly kind: 'answer';
  readonly requestId: string;
  readonly outcome: InvokeOutcome;
  /** Memory of the environment's processes as the runtime's side knows it, in KiB; 0 when it does not. */
  readonly maxRssKib: number;
  /** From the moment the runtime took the event up to its answer, in milliseconds. */
  readonly ownMs: number;
  /** The process ends by itself now. */
  readonly isFatal: boolean;
  /** It has not asked for its next event yet, and its invocation goes on until it does: `free` will tell. */
  readonly staysBusy: boolean;
}

export type Message =
  | { readonly kind: 'ready'; readonly maxRssKib: number }
  | {
      readonly kind: 'initFailed';
      readonly errorType: string;
      readonly payload: Uint8Array;
      readonly maxRssKib: number;
    }
  /** The platform has found a fault that ends the environment; `reason` as the service words it. */
  | { readonly kind: 'broken'; readonly errorType: PlatformErrorType; readonly reason: string }
  /** What has become of an extension, for the log. */
  | {
      readonly kind: 'extension';
      readonly name: string;
      readonly state: string;
      readonly events: readonly string[];
      readonly errorType: string | undefined;
    }
  | Answer
  /** `ownMs`: from the moment the runtime took the event up to here. */
  | { readonly kind: 'free'; readonly ownMs: number }
  | { readonly kind: 'notBegun'; readonly requestId: string }
  /** `level` 0: a piece of the byte stream of its output; else one whole event. */
  | {
      readonly kind: 'log';
      readonly level: number;
      readonly epochMs: number;
      readonly text: Buffer;
    }
  /** Nothing that a runtime says: the function speaks in its place, and it cannot be trusted any more. */
  | { readonly kind: 'breach' };

const BREACH: Message = { kind: 'breach' };

/** The meaning of one upward frame of runtime/protocol.ts. */
export function messageOf(kind: string, body: Buffer, oversize: boolean): Message {
  switch (kind) {
    case 'O':
    case 'E':
    case 'X':
    case 'J':
      return answerIn(kind, body, oversize) ?? BREACH;
    case 'L':
      return logIn(body);
    case 'N':
      return { kind: 'notBegun', requestId: body.toString('latin1', 0, ID_BYTES) };
    case 'R':
      return body.length < 4 ? BREACH : { kind: 'ready', maxRssKib: body.readUInt32LE(0) };
    case 'F':
      return oversize ? BREACH : failureIn(body);
    default:
      return BREACH;
  }
}

function answerIn(kind: AnswerKind, body: Buffer, oversize: boolean): Answer | undefined {
  if (body.length < ANSWER_HEAD_BYTES) return undefined;
  const outcome = oversize ? responseTooLarge() : answerOutcome(kind, body, ANSWER_HEAD_BYTES);
  return (
    outcome && {
      kind: 'answer',
      requestId: body.toString('latin1', 0, ID_BYTES),
      outcome,
      maxRssKib: body.readUInt32LE(ID_BYTES),
      ownMs: body.readUInt32LE(ID_BYTES + 4) / 1000,
      isFatal: kind === 'X',
      staysBusy: false,
    }
  );
}

function failureIn(body: Buffer): Message {
  const parsed = typedBody(body, 4);
  if (parsed === undefined) return BREACH;
  return { kind: 'initFailed', ...parsed, maxRssKib: body.readUInt32LE(0) };
}

function logIn(body: Buffer): Message {
  if (body.length < LOG_HEAD_BYTES) return BREACH;
  return {
    kind: 'log',
    level: body[0] ?? 0,
    epochMs: body.readDoubleLE(1),
    text: body.subarray(LOG_HEAD_BYTES),
  };
}
