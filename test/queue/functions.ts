// A queue over work that waits in memory, on time that only the test moves, with functions that do what the test says: everything but
// the dispatcher and the store is real.

import type { DispatchedEvent, InvokeTarget } from '../../host/dispatch/dispatcher.ts';
import type { EventInvokeRecord } from '../../host/event-invoke/record.ts';
import type { HeldFunction } from '../../host/functions/functions.ts';
import { functionNameParts, functionNotFound } from '../../host/functions/names.ts';
import type { FunctionRecord, VersionRecord } from '../../host/functions/record.ts';
import type { DeliveryResult } from '../../host/queue/outcomes/outcome.ts';
import { AsyncQueue, type QueueOptions } from '../../host/queue/queue.ts';
import { ServiceError } from '../../host/service-error.ts';
import type { DueItem } from '../../host/store/store.ts';
import type { InvokeOutcome } from '../../runtime/invocation.ts';
import { MemoryDue } from '../support/memory-due.ts';
import { createTimeline, type Timeline } from '../support/timeline.ts';

export const SCOPE = { account: '000000000000', region: 'us-east-1' };
export const DLQ = 'arn:aws:sqs:us-east-1:000000000000:dead';

export interface TestFunction {
  readonly name: string;
  /** What it answers, or the error with which it is not run; a promise to wait for. */
  run: (event: DispatchedEvent) => InvokeOutcome | Promise<InvokeOutcome>;
  config: Partial<EventInvokeRecord>;
  reservedConcurrency?: number | undefined;
  recursiveLoop?: 'Allow' | 'Terminate' | undefined;
  deadLetterQueue?: string | undefined;
  /** How many may run at a time. */
  room: number;
  running: number;
  /** Request ids of all attempts, in their order, with the time of each. */
  readonly attempts: { readonly id: string; readonly atMs: number; readonly trace: string }[];
}

export const returned: InvokeOutcome = { kind: 'returned', payload: Buffer.from('{"ok":1}') };
export const failed: InvokeOutcome = {
  kind: 'functionError',
  errorType: 'Error',
  payload: Buffer.from('{"errorMessage":"no","errorType":"Error"}'),
};

export class TestQueue {
  readonly time: Timeline = createTimeline();
  readonly due = new MemoryDue();
  readonly functions = new Map<string, TestFunction>();
  readonly problems: string[] = [];
  /** How many events of all functions may run at a time. */
  room = Number.POSITIVE_INFINITY;
  /** Deliveries that came through, and what the next ones come to. */
  readonly delivered: DueItem[] = [];
  deliver: (item: DueItem) => DeliveryResult = () => ({ kind: 'delivered' });
  queue!: AsyncQueue; // !: every test opens it first
  #ids = 0;

  static async open(more: Partial<QueueOptions> = {}): Promise<TestQueue> {
    const test = new TestQueue();
    await test.start(more);
    return test;
  }

  async start(more: Partial<QueueOptions> = {}): Promise<void> {
    this.queue = await AsyncQueue.open({
      due: this.due,
      dispatcher: {
        resolve: (_scope, name, qualifier) =>
          this.#target(functionNameParts(name)?.name ?? name, qualifier),
        hasRoom: ({ record }) => {
          const f = this.functions.get(record.name);
          const all = [...this.functions.values()].reduce((sum, { running }) => sum + running, 0);
          return f !== undefined && f.running < f.room && all < this.room;
        },
        invokeQueued: (target, event) => this.#run(target, event),
      },
      functions: { held: (_account, _region, name) => this.#held(name) },
      policies: { mayDeny: false, find: () => undefined },
      deliverer: {
        deliver: async (item) => {
          const result = this.deliver(item);
          if (result.kind === 'delivered') this.delivered.push(item);
          return result;
        },
      },
      retryBaseMs: 60_000,
      keepDeadLettersMs: 1_209_600_000,
      functionError: 'modern',
      epochMs: this.time.epochMs,
      timers: this.time,
      random: () => 1,
      newUuid: () => `uuid-${++this.#ids}`,
      onProblem: (text) => this.problems.push(text),
      ...more,
    });
    this.queue.run();
  }

  /** As if the host had been killed and started again. */
  async restart(): Promise<void> {
    const ended = this.queue.drain(0);
    await this.time.pass(0);
    await ended;
    for (const f of this.functions.values()) f.running = 0;
    this.due.reopen();
    await this.start();
  }

  add(name: string, more: Partial<TestFunction> = {}): TestFunction {
    const f: TestFunction = {
      name,
      run: () => returned,
      config: {},
      room: 10,
      running: 0,
      attempts: [],
      ...more,
    };
    this.functions.set(name, f);
    return f;
  }

  async accept(name: string, event: unknown = {}, qualifier?: string): Promise<string> {
    const requestId = `request-${++this.#ids}`;
    await this.queue.accept(this.#target(name, qualifier), {
      requestId,
      traceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793',
      tenantId: '',
      payload: Buffer.from(JSON.stringify(event)),
    });
    return requestId;
  }

  /** Heads of what is stored of a kind. */
  async heads<T>(kind: string): Promise<readonly T[]> {
    const items = await this.due.list(kind, undefined, undefined, 100_000);
    return items.map(({ head }) => head as T); // as: the test knows what it asks for
  }

  #target(name: string, qualifier: string | undefined): InvokeTarget {
    const held = this.#held(name);
    if (held === undefined) throw functionNotFound(SCOPE, name, qualifier ?? '$LATEST');
    const { root } = held;
    return { scope: SCOPE, record: root, version: root.latest, qualifier, invokedArn: name };
  }

  #held(name: string): HeldFunction | undefined {
    const f = this.functions.get(name);
    if (f === undefined) return undefined;
    // as: of a version nothing else is looked at
    const latest = {
      version: '$LATEST',
      settings: {
        role: 'arn:aws:iam::000000000000:role/r',
        deadLetter: f.deadLetterQueue && { TargetArn: f.deadLetterQueue },
      },
    } as VersionRecord;
    const root = { ...SCOPE, ...f, latest } as unknown as FunctionRecord; // as: as above
    return {
      key: name,
      root,
      part: (kind: string) => (kind === 'event-invoke-config' ? f.config : undefined),
    } as unknown as HeldFunction; // as: as above
  }

  async #run({ record }: InvokeTarget, event: DispatchedEvent) {
    const f = this.functions.get(record.name);
    if (f === undefined) throw new Error('it was there a moment ago');
    f.running += 1;
    try {
      f.attempts.push({ id: event.requestId, atMs: this.time.epochMs(), trace: event.traceId });
      return { outcome: await f.run(event), logTail: undefined };
    } finally {
      f.running -= 1;
    }
  }
}

/** What a call that is throttled is told. */
export function throttled(): never {
  throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.');
}
