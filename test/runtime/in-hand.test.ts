// The protocol of withdrawal against a model of the other side, in any order of what host and child can do: each event is
// begun at most once over all environments, and none is lost.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { InHand } from '../../runtime/environment/in-hand.ts';

interface Event {
  readonly invocation: { readonly requestId: string };
}

interface Sent {
  readonly requestId: string;
  /** 0: not prefetched. */
  readonly number: number;
}

interface Said {
  readonly kind: 'answer' | 'notBegun';
  readonly requestId: string;
}

/** The bootstrap, one step at a time: it answers, looks at the word, begins or drops. */
class Child {
  readonly inbox: Sent[] = [];
  readonly outbox: Said[] = [];
  readonly begun: string[] = [];
  word = 0;
  #running: string | undefined;
  /** It has looked at the word for the first of its inbox, but not acted yet: here a write comes too late. */
  #seen: number | undefined;

  step(): void {
    const [next] = this.inbox;
    if (this.#running !== undefined) {
      this.outbox.push({ kind: 'answer', requestId: this.#running });
      this.#running = undefined;
    } else if (next === undefined) return;
    else if (this.#seen === undefined) this.#seen = next.number === 0 ? -1 : this.word;
    else this.#take(next, this.#seen);
  }

  #take({ requestId, number }: Sent, seen: number): void {
    this.inbox.shift();
    this.#seen = undefined;
    if (number <= seen) this.outbox.push({ kind: 'notBegun', requestId });
    else {
      this.begun.push(requestId);
      this.#running = requestId;
    }
  }
}

/** One environment as the host sees it; what it gives back is collected. */
class Host {
  readonly inHand = new InHand<Event>();
  readonly child = new Child();
  readonly answered: string[] = [];
  readonly givenBack: string[] = [];
  #sent = 0;
  /** A word that is chosen but not written, and one that is written but not followed by a reading of everything. */
  #chosen: number | undefined;
  #written: number | undefined;

  send(requestId: string): void {
    const number = this.inHand.push({ invocation: { requestId } });
    this.#sent += 1;
    if (this.inHand.length === 1) assert.equal(number, 0, 'nothing lies before it');
    else assert.equal(number, this.#sent, 'numbers rise');
    this.child.inbox.push({ requestId, number });
  }

  /** One frame is read. */
  read(): void {
    const said = this.child.outbox.shift();
    if (said === undefined) return;
    if (said.kind === 'answer') {
      assert.equal(this.inHand.first?.invocation.requestId, said.requestId, 'in order');
      this.inHand.shift();
      this.answered.push(said.requestId);
      return;
    }
    const meaning = this.inHand.notBegun(said.requestId);
    assert.notEqual(meaning, 'lie');
    if (meaning === 'first') {
      assert.equal(this.inHand.shift()?.invocation.requestId, said.requestId);
      this.givenBack.push(said.requestId);
    } else assert.ok(this.givenBack.includes(said.requestId));
  }

  /** The next step of a withdrawal: choose, write, read everything and take back. */
  withdraw(): void {
    if (this.#written !== undefined) {
      while (this.child.outbox.length > 0) this.read();
      const taken = this.inHand.takeBack(this.#written);
      this.givenBack.push(...taken.map(({ invocation }) => invocation.requestId));
      this.#written = undefined;
    } else if (this.#chosen !== undefined) {
      this.child.word = this.#chosen;
      this.#written = this.#chosen;
      this.#chosen = undefined;
    } else this.#chosen = this.inHand.withdraw();
  }

  /** The process is killed: what it has said is read, what has not begun for certain comes back. */
  kill(): readonly string[] {
    while (this.child.outbox.length > 0) this.read();
    const isUnread = this.inHand.isFirstLastSent && this.child.inbox.length > 0;
    const [first, ...behind] = this.inHand.clear().map(({ invocation }) => invocation.requestId);
    this.givenBack.push(...behind);
    if (first === undefined) return [];
    if (isUnread) this.givenBack.push(first);
    return isUnread ? [] : [first];
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant('child' as const) },
    { weight: 2, arbitrary: fc.constant('send' as const) },
    { weight: 2, arbitrary: fc.constant('read' as const) },
    { weight: 3, arbitrary: fc.constant('withdraw' as const) },
  ),
  { maxLength: 150, size: 'max' },
);

function play(order: readonly ('child' | 'send' | 'read' | 'withdraw')[]) {
  const host = new Host();
  let sent = 0;
  for (const step of order) {
    if (step === 'child') host.child.step();
    else if (step === 'read') host.read();
    else if (step === 'withdraw') host.withdraw();
    else if (host.inHand.length < 4) host.send(String((sent += 1)));
  }
  return { host, ids: Array.from({ length: sent }, (_, i) => String(i + 1)) };
}

const sorted = (ids: readonly string[]) => ids.toSorted((a, b) => Number(a) - Number(b));

suite('events in hand', () => {
  test('are each answered or given back, whatever comes in which order', () => {
    fc.assert(
      fc.property(steps, (order) => {
        const { host, ids } = play(order);
        while (host.inHand.length > 0 || host.child.inbox.length > 0) {
          host.child.step();
          host.read();
        }
        assert.deepEqual(sorted([...host.answered, ...host.givenBack]), ids);
        assert.deepEqual(host.answered, host.child.begun, 'begun are those that were answered');
      }),
      { numRuns: 5_000 },
    );
  });

  test('are each answered, given back unbegun, or the one that ran when the process was killed', () => {
    fc.assert(
      fc.property(steps, (order) => {
        const { host, ids } = play(order);
        const lost = host.kill();
        assert.deepEqual(sorted([...host.answered, ...host.givenBack, ...lost]), ids);
        for (const id of host.givenBack) assert.ok(!host.child.begun.includes(id), `${id} ran`);
      }),
      { numRuns: 5_000 },
    );
  });

  test('given back are all that lie behind one that hangs', () => {
    const host = new Host();
    for (const id of ['1', '2', '3', '4']) host.send(id);
    host.child.step();
    host.child.step();
    for (let i = 0; i < 3; i += 1) host.withdraw();
    assert.deepEqual(host.givenBack, ['2', '3', '4']);
    assert.equal(host.inHand.first?.invocation.requestId, '1');
    assert.equal(host.inHand.withdraw(), undefined, 'nothing is left to withdraw');
  });

  test('are nobody else\u2019s to report as not begun', () => {
    const inHand = new InHand<Event>();
    for (const requestId of ['1', '2', '3']) inHand.push({ invocation: { requestId } });
    for (const requestId of ['1', '2', 'x']) assert.equal(inHand.notBegun(requestId), 'lie');
    inHand.shift();
    assert.equal(inHand.notBegun('2'), 'lie', 'it was not withdrawn');
    assert.equal(inHand.withdraw(), 3);
    assert.equal(inHand.notBegun('2'), 'first');
    inHand.shift();
    assert.equal(inHand.notBegun('3'), 'first');
    inHand.shift();
    inHand.push({ invocation: { requestId: '4' } });
    inHand.push({ invocation: { requestId: '5' } });
    assert.equal(inHand.withdraw(), 5);
    assert.equal(inHand.notBegun('4'), 'lie', 'it was sent behind none');
  });
});
