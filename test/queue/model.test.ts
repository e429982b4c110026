// The queue against a model of it, over any sequence of calls, answers, changes, moments that pass and kills: every event that was
// accepted is run or given up in the end and kept, none is tried more often or sooner than it may be, and every outcome is told once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeadLetterHead } from '../../host/queue/dead-letter.ts';
import { EVENT_KIND, type EventHead } from '../../host/queue/event.ts';
import {
  DEAD_LETTER_KIND,
  DELIVERY_KIND,
  type DeliveryHead,
} from '../../host/queue/outcomes/outcome.ts';
import type { InvokeOutcome } from '../../runtime/invocation.ts';
import { failed, returned, TestQueue, throttled } from './functions.ts';

const RUNS = Number(process.env['LAMBKIN_MODEL_RUNS'] ?? 60);
const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];
type Answer = 'ok' | 'fails' | 'throttled' | 'hangs' | 'fault';

const onSuccess = 'arn:aws:sqs:us-east-1:000000000000:good';
const onFailure = 'arn:aws:sqs:us-east-1:000000000000:bad';

/** What must hold of one event. */
interface Expected {
  readonly name: Name;
  /** Kills while it was accepted and not done: each may cost a run. */
  kills: number;
}

interface Attempt {
  readonly id: string;
  readonly atMs: number;
  readonly answer: Answer;
  /** Kills before it. */
  readonly kills: number;
}

class Model {
  readonly accepted = new Map<string, Expected>();
  readonly attempts: Attempt[] = [];
  readonly answers: Record<Name, Answer> = { a: 'ok', b: 'fails', c: 'throttled' };
  kills = 0;
}

class World {
  readonly model = new Model();
  readonly q: TestQueue;

  constructor(q: TestQueue) {
    this.q = q;
    for (const name of NAMES) this.add(name);
  }

  add(name: Name): void {
    const run = ({ requestId }: { requestId: string }) => this.#answer(name, requestId);
    this.q.add(name, { run, room: 1_000, config: { onSuccess, onFailure } });
  }

  #answer(name: Name, id: string): InvokeOutcome | Promise<InvokeOutcome> {
    const answer = this.model.answers[name];
    const { kills } = this.model;
    this.model.attempts.push({ id, atMs: this.q.time.epochMs(), answer, kills });
    switch (answer) {
      case 'ok':
        return returned;
      case 'fails':
        return failed;
      case 'throttled':
        return throttled();
      case 'hangs':
        return new Promise(() => {});
      case 'fault':
        throw new TypeError('a fault of ours');
      default:
        return answer satisfies never;
    }
  }

  async kill(): Promise<void> {
    this.model.kills += 1;
    for (const expected of this.model.accepted.values()) expected.kills += 1;
    await this.q.restart();
  }

  async check(): Promise<void> {
    const waiting = (await this.q.heads<EventHead>(EVENT_KIND)).map(({ requestId }) => requestId);
    const letters = await this.#letters();
    const told = this.#told();
    for (const id of this.model.accepted.keys()) {
      const places = [waiting.includes(id), letters.has(id), told.has(id)];
      assert.ok(places.includes(true), `${id} is nowhere`);
    }
    assert.equal(new Set(waiting).size, waiting.length, 'an event waits twice');
  }

  /** Whatever went on before: once everything is in order again, all comes to its end. */
  async finish(): Promise<void> {
    for (const name of NAMES) this.model.answers[name] = 'ok';
    this.q.deliver = () => ({ kind: 'delivered' });
    await this.kill();
    // The longest age, and the longest that a destination is tried.
    for (let hour = 0; hour < 14; hour += 1) await this.q.time.pass(3_600_000);
    assert.deepEqual(await this.q.heads(EVENT_KIND), []);
    assert.deepEqual(await this.q.heads(DELIVERY_KIND), []);
    await this.check();
    this.#checkAttempts();
    this.#checkOutcomes(await this.#letters());
  }

  async #letters(): Promise<ReadonlySet<string>> {
    const heads = await this.q.heads<DeadLetterHead>(DEAD_LETTER_KIND);
    return new Set(heads.map(({ original }) => original.requestId));
  }

  #told(): ReadonlySet<string> {
    const succeeded = this.model.attempts.filter(({ answer }) => answer === 'ok');
    return new Set(succeeded.map(({ id }) => id));
  }

  #checkAttempts(): void {
    for (const [id, own] of Map.groupBy(this.model.attempts, (each) => each.id)) {
      const kills = this.model.accepted.get(id)?.kills ?? 0;
      const failures = own.filter(({ answer }) => answer === 'fails');
      assert.ok(failures.length <= 3 + kills, `${id} failed ${failures.length} times`);
      own.forEach((attempt, at) => {
        const before = own[at - 1];
        // A kill may come between an attempt and the note of its end.
        if (before === undefined || before.kills !== attempt.kills) return;
        assert.notEqual(before.answer, 'ok', `${id} ran again after a success`);
        const least = before.answer === 'fails' ? 60_000 : 1_000;
        const waited = attempt.atMs - before.atMs;
        assert.ok(waited >= least, `${id} was tried again after ${waited} ms`);
      });
    }
  }

  /** Each success and each event that was given up is told to its destination once, but where a kill came in between. */
  #checkOutcomes(letters: ReadonlySet<string>): void {
    const delivered = this.q.delivered.map(({ head }) => head as DeliveryHead); // as: of this kind
    const byId = Map.groupBy(delivered, ({ requestId }) => requestId);
    for (const [id, { kills }] of this.model.accepted) {
      const count = byId.get(id)?.length ?? 0;
      assert.ok(count <= 1 + kills, `${id} was told ${count} times`);
      assert.ok(count >= 1 || letters.has(id), `${id} was told to nobody`);
    }
  }
}

class Accept implements fc.AsyncCommand<Model, World> {
  readonly name: Name;
  readonly count: number;

  constructor(name: Name, count: number) {
    this.name = name;
    this.count = count;
  }

  check = () => true;

  async run(model: Model, world: World): Promise<void> {
    if (!world.q.functions.has(this.name)) return;
    for (let at = 0; at < this.count; at += 1) {
      const id = await world.q.accept(this.name, { at });
      model.accepted.set(id, { name: this.name, kills: 0 });
      world.model.accepted.set(id, { name: this.name, kills: 0 });
    }
    await world.check();
  }

  toString = () => `accept ${this.count} of ${this.name}`;
}

/** Whatever needs no more than a word to say. */
class Step implements fc.AsyncCommand<Model, World> {
  readonly #text: string;
  readonly #step: (world: World) => Promise<void> | void;

  constructor(text: string, step: (world: World) => Promise<void> | void) {
    this.#text = text;
    this.#step = step;
  }

  check = () => true;

  async run(_model: Model, world: World): Promise<void> {
    await this.#step(world);
    await world.check();
  }

  toString = () => this.#text;
}

const name = fc.constantFrom(...NAMES);
const accept = fc
  .tuple(name, fc.integer({ min: 1, max: 12 }))
  .map(([n, count]) => new Accept(n, count));
const pass = fc
  .integer({ min: 0, max: 400_000 })
  .map((ms) => new Step(`pass ${ms}`, (world) => world.q.time.pass(ms)));
const answer = fc
  .tuple(name, fc.constantFrom<Answer>('ok', 'fails', 'throttled', 'hangs', 'fault'))
  .map(
    ([n, next]) =>
      new Step(`${n} ${next}`, ({ model }) => {
        model.answers[n] = next;
      }),
  );
const configure = fc
  .tuple(name, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 60, max: 400 }))
  .map(
    ([n, maximumRetryAttempts, maximumEventAgeSeconds]) =>
      new Step(`${n}: ${maximumRetryAttempts} retries, ${maximumEventAgeSeconds} s`, ({ q }) => {
        const f = q.functions.get(n);
        if (f !== undefined)
          f.config = { ...f.config, maximumRetryAttempts, maximumEventAgeSeconds };
      }),
  );
const remove = name.map((n) => new Step(`delete ${n}`, ({ q }) => void q.functions.delete(n)));
const create = name.map(
  (n) =>
    new Step(`create ${n}`, (world) => {
      if (!world.q.functions.has(n)) world.add(n);
    }),
);
const destinations = fc.boolean().map(
  (isUp) =>
    new Step(`destinations are ${isUp ? 'up' : 'down'}`, ({ q }) => {
      q.deliver = () =>
        isUp ? { kind: 'delivered' } : { kind: 'notDelivered', isRetryable: true, reason: 'down' };
    }),
);
const kill = fc.constant(new Step('kill', (world) => world.kill()));
// What there is more of comes more often.
const commands = fc.commands(
  [accept, accept, pass, pass, answer, configure, remove, create, destinations, kill],
  { maxCommands: 40, size: 'max' },
);

test('whatever happens in whatever order, nothing is lost, hurried or told too often', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const world = new World(await TestQueue.open());
      await fc.asyncModelRun(() => ({ model: new Model(), real: world }), steps);
      await world.finish();
    }),
    { numRuns: RUNS },
  );
});
