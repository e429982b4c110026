// What operators see of the queue and do with it: what waits, what has been given up, sending it again, removing it. Each sees what is
// of their account and region.
import type { Scope } from '../functions/names.ts';
import { functionScope } from '../functions/record.ts';
import { ServiceError } from '../service-error.ts';
import type { Due, DueItem, LaneSummary } from '../store/store.ts';
import { deadLetterHead, redrivenItem } from './dead-letter.ts';
import { EVENT_KIND, eventHead } from './event.ts';
import { DEAD_LETTER_KIND, DELIVERY_KIND } from './outcomes/outcome.ts';
import type { AsyncQueue } from './queue.ts';

/** Of one page, at most and when nothing is said. */
const MOST_LISTED = 1_000;
const LISTED = 50;

/** Listed or removed in one unit of work, where all are to be. */
const BATCH = 1_000;

export interface QueueOperatorOptions {
  readonly due: Pick<Due, 'lanes' | 'list' | 'get' | 'replace' | 'purge'>;
  readonly queue: Pick<
    AsyncQueue,
    'counters' | 'running' | 'noteStored' | 'noteRemoved' | 'removeInHand' | 'renew'
  >;
  readonly epochMs: () => number;
}

export interface PageRequest {
  readonly functionName: string | undefined;
  /** The last id of the page before. */
  readonly after: string | undefined;
  readonly limit: number | undefined;
}

/** What can be purged. */
export type Purgeable = 'events' | 'deadLetters';

const KINDS: Readonly<Record<Purgeable, string>> = {
  events: EVENT_KIND,
  deadLetters: DEAD_LETTER_KIND,
};

export class QueueOperator {
  readonly #options: QueueOperatorOptions;

  constructor(options: QueueOperatorOptions) {
    this.#options = options;
  }

  /** Depth and oldest age of every lane. Reads indexes of all that waits. */
  async summary(scope: Scope): Promise<object> {
    const { due, queue } = this.#options;
    const [events, deliveries, deadLetters] = await Promise.all(
      [EVENT_KIND, DELIVERY_KIND, DEAD_LETTER_KIND].map((kind) => due.lanes(kind)),
    );
    const { counters, running } = queue;
    return {
      functions: this.#ofFunctions(scope, events ?? []),
      // A target's account is in its ARN, or it has none.
      deliveries: (deliveries ?? [])
        .filter(({ lane }) => ['', scope.account].includes(lane.split(':')[4] ?? ''))
        .map((lane) => ({ target: lane.lane, ...this.#figures(lane) })),
      deadLetters: this.#ofFunctions(scope, deadLetters ?? []),
      running,
      counts: counters.total,
      countsByFunction: Object.fromEntries(
        [...counters.byFunction].filter(([key]) => key.startsWith(prefixOf(scope))),
      ),
    };
  }

  /** Events that wait or run, in the order in which they were accepted. */
  async events(scope: Scope, page: PageRequest): Promise<object> {
    const listed = await this.#page(EVENT_KIND, scope, page);
    const events = listed.items.map((item) => {
      const { id, acceptedAtMs, dueAtMs, payloadBytes } = item;
      const { requestId, functionName, qualifier, attempts, refusals, lastError } = eventHead(item);
      const called = { requestId, functionName, qualifier };
      const next = { acceptedAtMs, nextAttemptAtMs: dueAtMs, attempts, refusals, lastError };
      return { id, ...called, ...next, payloadBytes };
    });
    return { events, next: listed.next };
  }

  async deadLetters(scope: Scope, page: PageRequest): Promise<object> {
    const listed = await this.#page(DEAD_LETTER_KIND, scope, page);
    const deadLetters = listed.items.map((item) => ({
      ...letterView(item),
      payloadBytes: item.payloadBytes,
    }));
    return { deadLetters, next: listed.next };
  }

  /** With its payload: as JSON, which every event and record is. Throws ResourceNotFoundException. */
  async deadLetter(scope: Scope, id: string): Promise<object> {
    const item = await this.#letter(scope, id);
    const { payload } = item;
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
    return { ...letterView(item), payload: JSON.parse(text) };
  }

  /** Sends one again, in place of the dead letter. Throws ResourceNotFoundException. */
  async redrive(scope: Scope, id: string): Promise<object> {
    if (!(await this.#redrive(await this.#letter(scope, id)))) throw noSuchLetter();
    return { redriven: 1 };
  }

  /** Sends all again that a function has now. What is given up once more meanwhile has a later id and stays. */
  async redriveAll(scope: Scope, functionName: string): Promise<object> {
    const { due, queue } = this.#options;
    const lane = laneIn(scope, functionName);
    const endId = queue.renew((newId) => newId());
    let redriven = 0;
    let after: string | undefined;
    for (;;) {
      const listed = await due.list(DEAD_LETTER_KIND, lane, after, BATCH);
      for (const { id } of listed) {
        if (id > endId) return { redriven };
        const letter = await due.get(DEAD_LETTER_KIND, id);
        if (letter !== undefined && (await this.#redrive(letter))) redriven += 1;
      }
      after = listed.at(-1)?.id;
      if (listed.length < BATCH) return { redriven };
    }
  }

  /** Removes what a function has and nobody runs at the moment, for good. */
  async purge(scope: Scope, what: Purgeable, functionName: string): Promise<object> {
    const { due, queue } = this.#options;
    const lane = laneIn(scope, functionName);
    let purged = 0;
    for (;;) {
      const removed = await due.purge(KINDS[what], lane, BATCH);
      queue.noteRemoved(KINDS[what], lane, removed);
      purged += removed;
      if (removed < BATCH) break;
    }
    // What the queue has claimed ahead waits like the rest.
    return { purged: purged + (await queue.removeInHand(KINDS[what], lane)) };
  }

  #ofFunctions(scope: Scope, lanes: readonly LaneSummary[]): object[] {
    const prefix = prefixOf(scope);
    return lanes
      .filter(({ lane }) => lane.startsWith(prefix))
      .map((lane) => ({
        functionName: lane.lane.slice(prefix.length),
        ...this.#figures(lane),
      }));
  }

  #figures({ count, oldestAcceptedAtMs, nextDueAtMs }: LaneSummary): object {
    const oldestAgeMs = Math.max(0, Math.floor(this.#options.epochMs()) - oldestAcceptedAtMs);
    return { count, oldestAgeMs, nextDueAtMs };
  }

  async #page(kind: string, scope: Scope, { functionName, after, limit = LISTED }: PageRequest) {
    if (functionName === undefined)
      throw new ServiceError('InvalidParameterValueException', 'functionName is required');
    const most = Math.max(1, Math.min(limit, MOST_LISTED));
    const items = await this.#options.due.list(kind, laneIn(scope, functionName), after, most);
    return { items, next: items.length < most ? undefined : items.at(-1)?.id };
  }

  async #letter(scope: Scope, id: string): Promise<DueItem> {
    const item = await this.#options.due.get(DEAD_LETTER_KIND, id);
    if (item === undefined || !item.lane.startsWith(prefixOf(scope))) throw noSuchLetter();
    return item;
  }

  async #redrive(letter: DueItem): Promise<boolean> {
    const { due, queue } = this.#options;
    const item = queue.renew((newId, nowMs) => redrivenItem(letter, newId, nowMs));
    if (!(await due.replace([letter], [item]))) return false;
    queue.noteRemoved(DEAD_LETTER_KIND, letter.lane, 1);
    queue.noteStored([item]);
    return true;
  }
}

function prefixOf({ account, region }: Scope): string {
  return `${functionScope(account, region)}/`;
}

function laneIn(scope: Scope, functionName: string): string {
  return prefixOf(scope) + functionName;
}

function letterView(item: Pick<DueItem, 'id' | 'head' | 'dueAtMs'>): object {
  const { what, original, condition, reason, diedAtMs } = deadLetterHead(item);
  const { requestId, functionName } = original;
  const target = what === 'delivery' ? original.target : undefined;
  const of = { id: item.id, what, requestId, functionName, target };
  return { ...of, condition, reason, diedAtMs, keptUntilMs: item.dueAtMs };
}

function noSuchLetter(): ServiceError {
  return new ServiceError('ResourceNotFoundException', 'There is no such dead letter.');
}
