// Many calls or answers as one message: few objects and one buffer cost the thread that serves callers a third of what as many
// objects with members would.
import type {
  Answer,
  Call,
  Output,
  PackedAnswers,
  PackedCalls,
  Refusal,
} from './database-messages.ts';

/** A call before its bytes have been gathered. */
export interface UnsentCall extends Omit<Call, 'bytes'> {
  /** Copied, never taken: a small buffer lies in a pool that others use. */
  readonly payloads: readonly Uint8Array[];
}

/** Larger payloads change threads without being copied; for smaller ones that costs more than copying. */
const leastMovedBytes = 16_384;

/** The bytes' buffer is to be transferred. */
export function packCalls(calls: readonly UnsentCall[]): PackedCalls {
  const ids: number[] = [];
  const units: PackedCalls['units'][number][] = [];
  const inputs: PackedCalls['inputs'][number][] = [];
  const byteCounts: number[] = [];
  let total = 0;
  for (const { id, unit, input, payloads } of calls) {
    ids.push(id);
    units.push(unit);
    inputs.push(input);
    let count = 0;
    for (const { byteLength } of payloads) count += byteLength;
    byteCounts.push(count);
    total += count;
  }
  // Not of the pool, and not filled with zeros first.
  const bytes = Buffer.allocUnsafeSlow(total);
  let at = 0;
  for (const { payloads } of calls) {
    for (const payload of payloads) {
      bytes.set(payload, at);
      at += payload.byteLength;
    }
  }
  return { ids, units, inputs, byteCounts, bytes };
}

/** In the order in which they were packed. */
export function unpackCalls({ ids, units, inputs, byteCounts, bytes }: PackedCalls): Call[] {
  let at = 0;
  return units.map((unit, n) => {
    const begin = at;
    at += byteCounts[n] ?? 0;
    // as: the arrays are of one length
    return { id: ids[n] as number, unit, input: inputs[n], bytes: bytes.subarray(begin, at) };
  });
}

export function packAnswers(answers: readonly Answer[]): PackedAnswers {
  const ids: number[] = [];
  const outputs: Output[] = [];
  const refusals = new Map<number, Refusal>();
  for (const answer of answers) {
    ids.push(answer.id);
    outputs.push(answer.ok ? answer.output : undefined);
    if (!answer.ok) refusals.set(answer.id, answer.refusal);
  }
  return { ids, outputs, refusals };
}

/** The buffers that are to be transferred rather than copied. */
export function movedBuffers(payloads: readonly Uint8Array[]): ArrayBuffer[] {
  const moved: ArrayBuffer[] = [];
  for (const { buffer, byteLength } of payloads) {
    const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
    if (isWhole && byteLength >= leastMovedBytes) moved.push(buffer);
  }
  return moved;
}
