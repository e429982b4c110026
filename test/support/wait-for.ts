// Waits for what must come true, instead of for a time.
import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 20_000;

/** Looks every few milliseconds until the condition holds; rejects naming it after 20 s. */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${LIMIT_MS} ms in vain: ${what}`);
    await sleep(10);
  }
}
