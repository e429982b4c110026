// What the bootstrap answers, read from its frames. A frame that cannot be read is no answer: undefined.
import type { InvokeOutcome } from '../invocation.ts';
import { type PhaseStatus, platformErrorType } from '../logs/platform-log.ts';
import { MAX_RESPONSE_BYTES, responseTooLarge } from './platform-error.ts';

/** Frames that answer an invocation; see protocol.ts. */
export type AnswerKind = 'O' | 'E' | 'X' | 'J';

/** `head`: where the part behind the fields that all answers have begins. */
export function answerOutcome(
  kind: AnswerKind,
  body: Buffer,
  head: number,
): InvokeOutcome | undefined {
  if (kind === 'O') {
    if (body.length - head > MAX_RESPONSE_BYTES) return responseTooLarge();
    return { kind: 'returned', payload: body.subarray(head) };
  }
  if (kind === 'J') return { kind: 'notJson', reason: body.toString('utf8', head) };
  const parsed = typedBody(body, head);
  if (parsed === undefined) return undefined;
  if (parsed.payload.length > MAX_RESPONSE_BYTES) return responseTooLarge();
  return { kind: 'functionError', ...parsed };
}

/** A text16 error type and the error body behind it. */
export function typedBody(
  body: Buffer,
  at: number,
): { errorType: string; payload: Uint8Array } | undefined {
  if (body.length < at + 2) return undefined;
  const end = at + 2 + body.readUInt16LE(at);
  if (body.length < end) return undefined;
  return {
    errorType: body.toString('utf8', at + 2, end),
    payload: body.subarray(end),
  };
}

/** What the platform found is always named in REPORT; a failed init may have a type of the function's own. */
export function recordedType(outcome: InvokeOutcome): string | undefined {
  if (outcome.kind === 'platformError') return platformErrorType(outcome.errorType);
  return 'errorType' in outcome ? outcome.errorType : undefined;
}

/** As END and REPORT name it. */
export function statusOf({ kind }: InvokeOutcome): PhaseStatus {
  return kind === 'returned' ? 'success' : 'error';
}
