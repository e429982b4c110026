// Looks at a host ten times a second: does it answer for its health, and is the neighbour of the hostile functions served?
import { setTimeout as sleep } from 'node:timers/promises';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { invoke } from '../support/test-host.ts';

export const NEIGHBOUR = 'neighbour';
export const NEIGHBOUR_FILES = { 'index.mjs': 'export const handler = async (event) => event;' };

const EVERY_MS = 100;
const BASELINE_LOOKS = 20;

/** One look: when it began, on the monotonic clock, how long it took, and what was wrong. */
export interface Look {
  readonly beganAtMs: number;
  readonly ms: number;
  readonly fault: string | undefined;
}

export class Watch implements AsyncDisposable {
  readonly neighbour: Look[] = [];
  readonly health: Look[] = [];
  readonly #client: LambdaClient;
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly #loops: Promise<unknown>;

  private constructor(client: LambdaClient, url: string) {
    this.#client = client;
    this.#url = url;
    this.#loops = Promise.all([
      this.#repeat(this.neighbour, () => this.#askNeighbour()),
      this.#repeat(this.health, () => this.#askHealth()),
    ]);
  }

  /** The neighbour must be deployed and the host at rest: the first looks are what all later ones are compared with. */
  static async begin(client: LambdaClient, url: string) {
    const watch = new Watch(client, url);
    while (watch.neighbour.length < BASELINE_LOOKS) await sleep(EVERY_MS);
    return { watch, baseline: watch.neighbour.slice(BASELINE_LOOKS / 2).map(({ ms }) => ms) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loops;
  }

  async #repeat(looks: Look[], look: () => Promise<string | undefined>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const beganAtMs = performance.now();
      const fault = await look().catch((error: unknown) => String(error));
      const ms = performance.now() - beganAtMs;
      // One that was under way when the host was told to end says nothing.
      if (!this.#stop.signal.aborted) looks.push({ beganAtMs, ms, fault });
      await sleep(Math.max(0, EVERY_MS - ms));
    }
  }

  async #askNeighbour(): Promise<string | undefined> {
    const event = [this.neighbour.length];
    const { text } = await invoke(this.#client, NEIGHBOUR, event);
    return text === JSON.stringify(event) ? undefined : `the neighbour answered ${text}`;
  }

  async #askHealth(): Promise<string | undefined> {
    const { status } = await fetch(new URL('/_lambkin/health', this.#url));
    return status === 200 ? undefined : `health answered ${status}`;
  }
}

/** Those that were under way at some time since then. */
export function since(looks: readonly Look[], fromMs: number): readonly Look[] {
  return looks.filter(({ beganAtMs, ms }) => beganAtMs + ms >= fromMs);
}

/** The value that nine in ten are not above; 0 for none. */
export function ninth(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.9) - 1] ?? 0;
}
