// The name of an environment's log stream.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';

/** `2026/11/27/[$LATEST]` and 32 hex digits: one stream per environment, by the UTC date of its start. */
export function newLogStreamName(clock: Clock, version: string): string {
  const date = new Date(clock.epochMs()).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${date}/[${version}]${randomBytes(16).toString('hex')}`;
}
