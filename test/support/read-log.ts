// Reads a log group of a test host as an operator does: over HTTP, with the bearer token or a signature.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestHost } from './test-host.ts';

interface Page {
  readonly events: readonly { readonly message: string; readonly stream?: string }[];
  readonly next?: string;
}

/** The messages of a group in order; none when there is no such group. */
export async function readLog(
  t: Pick<TestHost, 'url' | 'dataDir'>,
  group: string,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const messages: string[] = [];
  let after: string | undefined;
  do {
    const parameters = new URLSearchParams({ group, ...query, ...(after ? { after } : {}) });
    const response = await ownRoute(t, `/_lambkin/logs?${parameters.toString()}`);
    if (response.status === 404) return [];
    const page = (await response.json()) as Page; // our own route
    messages.push(...page.events.map(({ message }) => message));
    after = page.next;
  } while (after !== undefined);
  return messages;
}

/** One of the host's own routes, with the bearer token of its data directory. */
export function ownRoute(t: Pick<TestHost, 'url' | 'dataDir'>, target: string): Promise<Response> {
  const token = readFileSync(path.join(t.dataDir, 'secrets', 'token'), 'utf8').trim();
  return fetch(new URL(target, t.url), { headers: { authorization: `Bearer ${token}` } });
}
