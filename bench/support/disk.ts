// What the disk itself does: one 4 KiB append and fdatasync after the other, as few bytes as a durable write can be.
import { fdatasyncSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { quantile } from './stats.ts';

const BLOCK = Buffer.alloc(4_096, 1);

export interface DiskFigures {
  readonly perSecond: number;
  readonly p50Us: number;
}

/** @param file is made, and grows; @param durationMs how long it is measured */
export async function measureDisk(
  file: string,
  durationMs: number,
  signal: AbortSignal,
): Promise<DiskFigures> {
  await using handle = await open(file, 'a');
  const tookUs: number[] = [];
  const beganAt = performance.now();
  for (let at = beganAt; at - beganAt < durationMs; ) {
    signal.throwIfAborted();
    await handle.appendFile(BLOCK);
    fdatasyncSync(handle.fd);
    const now = performance.now();
    tookUs.push((now - at) * 1_000);
    at = now;
  }
  const perSecond = (tookUs.length * 1_000) / (performance.now() - beganAt);
  return { perSecond, p50Us: quantile(tookUs, 0.5) };
}
