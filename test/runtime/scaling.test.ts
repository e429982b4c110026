// The scaling policy as tables: how many starts, how deep, when a spare.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type Durations,
  depthAllowed,
  isShort,
  type Load,
  NO_DURATIONS,
  START_COST_MS,
  startsWanted,
  stuckAfterMs,
  takeBackAfterMs,
  wantsSpare,
  withDuration,
  withHoldUp,
} from '../../runtime/pool/scaling.ts';

const calm = (ms: number): Durations => ({ p20Ms: ms, p50Ms: ms, calmEvents: 1000 });

function load(given: Partial<Load>): Load {
  return {
    waiting: 0,
    ready: 0,
    stuck: 0,
    starting: 0,
    idle: 0,
    durations: NO_DURATIONS,
    cores: 2,
    ...given,
  };
}

suite('startsWanted', () => {
  const short = calm(0.1);
  const slow = calm(100);
  const cases: readonly (readonly [why: string, given: Partial<Load>, wanted: number])[] = [
    ['nobody waits', { ready: 1 }, 0],
    ['nobody knows the handler: each call gets one', { waiting: 20 }, 20],
    ['those on their way cover calls', { waiting: 20, starting: 15 }, 5],
    ['enough are on their way', { waiting: 3, starting: 3 }, 0],
    ['a short handler with none at all', { waiting: 3, durations: short }, 3],
    [
      'a short handler is served by as many as there are cores',
      { waiting: 9, ready: 1, durations: short },
      1,
    ],
    ['and not by more', { waiting: 500, ready: 2, durations: short }, 0],
    [
      'those on their way count towards the cores',
      { waiting: 9, ready: 1, starting: 1, durations: short },
      0,
    ],
    ['stuck ones do not count', { waiting: 9, ready: 2, stuck: 1, durations: short }, 1],
    [
      'when all are stuck each call gets one',
      { waiting: 9, ready: 4, stuck: 4, durations: short },
      9,
    ],
    ['a slow handler gets one for each call', { waiting: 10, ready: 5, durations: slow }, 10],
    [
      'a handler of 2 ms gets what drains the queue within a start',
      { waiting: 10, ready: 3, durations: calm(2) },
      1,
    ],
    ['and nothing while that is so already', { waiting: 5, ready: 3, durations: calm(2) }, 0],
  ];
  for (const [why, given, wanted] of cases)
    test(`${why}: ${wanted}`, () => {
      assert.equal(startsWanted(load(given)), wanted);
    });

  test('never wants more than there are calls without one', () => {
    for (let waiting = 0; waiting < 40; waiting += 1)
      for (let ready = 0; ready < 6; ready += 1)
        for (let starting = 0; starting < 6; starting += 1)
          for (const durations of [NO_DURATIONS, short, calm(2), slow]) {
            const wanted = startsWanted(load({ waiting, ready, starting, durations }));
            assert.ok(wanted >= 0 && wanted <= Math.max(0, waiting - starting));
            const isServed = ready + starting > 0;
            assert.ok(isServed || waiting === 0 || wanted > 0, 'a call without any environment');
          }
  });

  test('a queue that it leaves alone drains within about the cost of a start', () => {
    for (const ms of [1, 2, 4])
      for (let waiting = 1; waiting < 40; waiting += 1)
        for (let ready = 2; ready < 20; ready += 1)
          if (startsWanted(load({ waiting, ready, durations: calm(ms) })) === 0)
            assert.ok((waiting * ms) / ready <= START_COST_MS);
  });
});

suite('depthAllowed', () => {
  const cases: readonly (readonly [why: string, given: Partial<Load>, depth: number])[] = [
    ['nobody knows the handler', { ready: 4 }, 1],
    ['short, and a core has none yet', { ready: 1, durations: calm(0.2) }, 1],
    ['short, and each core has one', { ready: 2, durations: calm(0.2) }, 4],
    ['not short', { ready: 2, durations: calm(1) }, 1],
    [
      'short but not calm for long enough',
      { ready: 2, durations: { ...calm(0.2), calmEvents: 20 } },
      1,
    ],
  ];
  for (const [why, given, depth] of cases)
    test(`${why}: ${depth}`, () => {
      assert.equal(depthAllowed(load(given), 4), depth);
    });
});

suite('wantsSpare', () => {
  const cases: readonly (readonly [why: string, given: Partial<Load>, wants: boolean])[] = [
    ['a slow handler with all of several busy', { ready: 2, durations: calm(20) }, true],
    ['one is idle', { ready: 2, idle: 1, durations: calm(20) }, false],
    ['one is on its way', { ready: 2, starting: 1, durations: calm(20) }, false],
    ['there is only one: it is not concurrent', { ready: 1, durations: calm(20) }, false],
    ['a short handler', { ready: 2, durations: calm(0.2) }, false],
    ['an unknown handler', { ready: 2 }, false],
  ];
  for (const [why, given, wants] of cases)
    test(`${why}: ${wants}`, () => {
      assert.equal(wantsSpare(load(given)), wants);
    });
});

suite('estimates', () => {
  const after = (start: Durations, values: readonly number[]) => values.reduce(withDuration, start);

  test('begin with the first answer', () => {
    assert.deepEqual(withDuration(NO_DURATIONS, 7), { p20Ms: 7, p50Ms: 7, calmEvents: 1 });
  });

  test('come to rest near their shares', () => {
    // Half of the events take 1 ms and half 100: the median lies between, the low quantile at the low end.
    const values = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 1 : 100));
    const { p20Ms = 0 } = after(NO_DURATIONS, values);
    assert.ok(p20Ms > 0.5 && p20Ms < 3, String(p20Ms));
  });

  test('follow a handler that becomes slow, and one that becomes fast', () => {
    const slow = after(
      calm(0.1),
      Array.from({ length: 1000 }, () => 80),
    );
    assert.ok((slow.p50Ms ?? 0) > 40);
    const fast = after(
      slow,
      Array.from({ length: 1000 }, () => 0.1),
    );
    assert.ok((fast.p50Ms ?? 1) < 0.5);
    assert.equal(isShort(fast), true);
  });

  test('leave zero again', () => {
    const { p50Ms = 0 } = after(NO_DURATIONS, [0, ...Array.from({ length: 400 }, () => 20)]);
    assert.ok(p50Ms > 1, String(p50Ms));
  });

  test('one long event or one loss ends the calm for a hundred events', () => {
    const warm = after(
      NO_DURATIONS,
      Array.from({ length: 200 }, () => 0.1),
    );
    assert.equal(isShort(warm), true);
    for (const shaken of [withDuration(warm, 60), withHoldUp(warm)]) {
      assert.equal(isShort(shaken), false);
      assert.equal(
        isShort(
          after(
            shaken,
            Array.from({ length: 99 }, () => 0.1),
          ),
        ),
        false,
      );
      assert.equal(
        isShort(
          after(
            shaken,
            Array.from({ length: 100 }, () => 0.1),
          ),
        ),
        true,
      );
    }
  });

  test('an event is stuck after 50 ms or ten times the median', () => {
    assert.equal(stuckAfterMs(NO_DURATIONS), 50);
    assert.equal(stuckAfterMs(calm(0.1)), 50);
    assert.equal(stuckAfterMs(calm(100)), 1000);
  });

  test('those behind one are taken back after 20 ms or ten times the median', () => {
    assert.equal(takeBackAfterMs(NO_DURATIONS), 20);
    assert.equal(takeBackAfterMs(calm(0.1)), 20);
    assert.equal(takeBackAfterMs(calm(5)), 50);
  });
});
