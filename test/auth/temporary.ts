// A folder of one test's own, a clock that moves by hand, and random bytes that repeat from run to run.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function temporarySecrets(): Promise<AsyncDisposable & { readonly dir: string }> {
  const root = await mkdtemp(join(tmpdir(), 'lambkin-auth-'));
  return {
    dir: join(root, 'secrets'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

export interface HandClock {
  readonly now: () => number;
  advance(ms: number): void;
}

export function handClock(startMs = Date.parse('2026-01-02T03:04:05Z')): HandClock {
  let atMs = startMs;
  return {
    now: () => atMs,
    advance: (ms) => {
      atMs += ms;
    },
  };
}

/** Different bytes on every call, the same sequence for the same seed. */
export function repeatableRandom(seed: string): (size: number) => Uint8Array {
  let calls = 0;
  return (size) => {
    calls += 1;
    return createHash('shake256', { outputLength: size }).update(`${seed} ${calls}`).digest();
  };
}
