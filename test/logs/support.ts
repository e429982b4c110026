// A directory for one test's logs, and a clock that stands still until moved.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventQuery, LogEvent, Logs, LogsOptions } from '../../host/logs/logs.ts';
import { openLogs } from '../../host/logs/logs.ts';

export const scope = { account: '000000000000', region: 'us-east-1' };
export const group = '/aws/lambda/hello';

export interface TestDirectory extends AsyncDisposable {
  readonly dir: string;
}

export async function temporaryDirectory(): Promise<TestDirectory> {
  const dir = await mkdtemp(join(tmpdir(), 'lambkin-logs-'));
  return {
    dir,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

export class ManualClock {
  nowMs = 1_700_000_000_000;

  epochMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }
}

/** Logs that are written only when a test flushes or reads. */
export function openTestLogs(dir: string, options: Partial<LogsOptions> = {}): Promise<Logs> {
  return openLogs({ dir, clock: new ManualClock(), flushMs: 3_600_000, ...options });
}

/** All events, page by page. */
export async function allEvents(logs: Logs, query: EventQuery = {}): Promise<readonly LogEvent[]> {
  const events: LogEvent[] = [];
  let after = query.after;
  for (;;) {
    const page = await logs.events(scope, group, { ...query, after });
    if (page === undefined) return events;
    events.push(...page.events);
    if (page.next === undefined) return events;
    after = page.next;
  }
}

export async function messages(logs: Logs, query: EventQuery = {}): Promise<readonly string[]> {
  return (await allEvents(logs, query)).map((event) => event.message);
}

/** The files of the only group, oldest first. */
export async function segmentFiles(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true });
  return entries
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
    .map((name) => join(dir, name));
}
