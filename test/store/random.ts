// Repeatable randomness for tests: the same seed gives the same sequence.
import { createHash } from 'node:crypto';

/** Numbers from 0 up to 1 that depend on the seed alone. */
export function randomFrom(seed: string): () => number {
  let drawn = 0;
  return () => {
    const digest = createHash('sha256').update(`${seed}:${drawn++}`).digest();
    return digest.readUInt32LE(0) / 2 ** 32;
  };
}
