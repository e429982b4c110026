// Whatever a runtime asks in whatever order: no event is lost or given twice while it is unanswered, and none has two results.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Delivery, Waiter } from '../../runtime/runtime-api/session.ts';
import { eventOf, type Heard, openSession } from './support.ts';

/** What should hold, kept beside the real thing. */
interface Model {
  ready: boolean;
  failed: boolean;
  /** Handed over and not answered. */
  open: string | undefined;
  isDelivered: boolean;
  /** Answered, and the next event not asked for. */
  isFinishing: boolean;
  answered: number;
  waiters: number;
  handed: number;
}

interface Real extends Heard {
  readonly deliveries: Delivery[];
  readonly waiting: Waiter[];
}

type Step = fc.Command<Model, Real>;

function command(
  name: string,
  run: (model: Model, real: Real) => void,
  check: (model: Readonly<Model>) => boolean = () => true,
): Step {
  return { check, run, toString: () => name };
}

/** Everything a delivery changes, on both sides. */
function delivered(model: Model, real: Real): void {
  if (model.open !== undefined && !model.isDelivered && model.waiters > 0) {
    model.isDelivered = true;
    model.waiters -= 1;
  }
  assert.equal(real.session.hasPending, model.open !== undefined && !model.isDelivered);
  assert.equal(real.session.waiting, model.waiters);
}

function answers({ messages }: Real) {
  return messages.filter((message) => message.kind === 'answer');
}

const invoke = command(
  'invoke',
  (model, real) => {
    model.handed += 1;
    const requestId = `${model.handed}`.padStart(36, '0');
    model.open = requestId;
    model.isDelivered = false;
    real.session.invoke(eventOf({ requestId }));
    delivered(model, real);
  },
  ({ ready, open, isFinishing }) => ready && open === undefined && !isFinishing,
);

const next = command('next', (model, real) => {
  const before = real.deliveries.length;
  const waiter: Waiter = { deliver: (delivery) => real.deliveries.push(delivery) };
  const refused = real.session.next(waiter);
  if (model.failed) return assert.equal(refused?.status, 403);
  assert.equal(refused, undefined);
  if (model.open !== undefined && model.isDelivered) {
    assert.equal(real.deliveries.length, before + 1);
    return assert.equal(real.deliveries.at(-1), real.deliveries.at(-2), 'the same event again');
  }
  real.waiting.push(waiter);
  model.ready = true;
  model.isFinishing = false;
  model.waiters += 1;
  return delivered(model, real);
});

const hangUp = command('hang up', (model, real) => {
  for (const waiter of real.waiting) real.session.forget(waiter);
  model.waiters = 0;
  delivered(model, real);
});

const results = (['InvocationResponse', 'InvocationErrorResponse'] as const).flatMap((state) =>
  ['own', 'other'].map((whose) =>
    command(`${state} for its ${whose} request`, (model, real) => {
      const id = whose === 'own' ? (model.open ?? 'none') : 'other';
      const refused = real.session.beginResult(id, undefined, state);
      const isDue = model.open !== undefined && model.isDelivered && whose === 'own';
      assert.equal(refused === undefined, isDue);
      if (!isDue) return;
      assert.notEqual(real.session.beginResult(id, undefined, state), undefined, 'a second one');
      real.session.complete({ kind: 'returned', payload: Buffer.from(id) });
      model.answered += 1;
      model.open = undefined;
      model.isFinishing = true;
      const all = answers(real);
      assert.equal(all.length, model.answered);
      assert.equal(all.at(-1)?.requestId, id);
    }),
  ),
);

const initError = command('init error', (model, real) => {
  const isAllowed = !model.ready && !model.failed;
  const refused = real.session.beginFailure('InitError');
  assert.equal(refused === undefined, isAllowed);
  if (!isAllowed) return;
  real.session.fail({ errorType: 'Runtime.X', payload: Buffer.alloc(0) });
  model.failed = true;
});

test('in any order of steps', () => {
  const steps = [invoke, next, hangUp, ...results, initError].map((step) => fc.constant(step));
  fc.assert(
    fc.property(fc.commands(steps, { maxCommands: 60 }), (commands) => {
      fc.modelRun(
        () => ({
          model: {
            ready: false,
            failed: false,
            open: undefined,
            isDelivered: false,
            isFinishing: false,
            answered: 0,
            waiters: 0,
            handed: 0,
          },
          real: { ...openSession(), deliveries: [], waiting: [] },
        }),
        commands,
      );
    }),
    { numRuns: 500 },
  );
});

test('every event that was asked for often enough is delivered, once for each attempt', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), (count) => {
      const { session, messages } = openSession();
      const ids: string[] = [];
      const waiter: Waiter = { deliver: ({ invocationId }) => ids.push(invocationId) };
      session.next(waiter);
      for (let index = 0; index < count; index += 1) {
        const requestId = `${index}`;
        session.invoke(eventOf({ requestId }));
        assert.equal(session.beginResult(requestId, ids.at(-1), 'InvocationResponse'), undefined);
        session.complete({ kind: 'returned', payload: Buffer.alloc(0) });
        session.next(waiter);
      }
      assert.equal(new Set(ids).size, count);
      assert.equal(messages.filter(({ kind }) => kind === 'free').length, count);
    }),
  );
});
