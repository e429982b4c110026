// What functions write, made into events and a tail: cut, filtered, and held back where it is too much.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FunctionLog, type FunctionLogOptions } from '../../runtime/logs/function-log.ts';
import { waitFor } from '../support/wait-for.ts';

const NOW = 1_700_000_000_000;
const MAX_EVENT = 262_144;

function open(options: Partial<FunctionLogOptions> = {}, isBehind = () => false) {
  const events: { epochMs: number; text: string }[] = [];
  const pauses: boolean[] = [];
  let isClosed = false;
  const log = new FunctionLog({
    sink: {
      get isBehind() {
        return isBehind();
      },
      // The bytes are valid during the call only.
      write: (epochMs, message) => events.push({ epochMs, text: Buffer.from(message).toString() }),
      close: () => {
        isClosed = true;
      },
    },
    format: 'Text',
    applicationLogLevel: 'TRACE',
    epochMs: () => NOW,
    pauseReading: (paused) => pauses.push(paused),
    ...options,
  });
  return {
    log,
    events,
    pauses,
    get texts() {
      return events.map(({ text }) => text);
    },
    get isClosed() {
      return isClosed;
    },
    raw: (text: string, epochMs = NOW) => log.raw(epochMs, Buffer.from(text)),
    [Symbol.dispose]: () => log[Symbol.dispose](),
  };
}

test('output is never of an earlier time than the line of the platform before it, whatever the clock does', () => {
  using place = open();
  place.log.platform(NOW, 'START\n');
  place.log.event(NOW - 3, Buffer.from('event\n'));
  place.raw('raw\n', NOW - 2);
  place.raw('later\n', NOW + 1);
  place.log.platform(NOW - 3_600_000, 'the clock was set back\n');
  place.log.event(NOW - 3_599_999, Buffer.from('event\n'));
  assert.deepEqual(
    place.events.map(({ epochMs }) => epochMs - NOW),
    [0, 0, 0, 1, -3_600_000, -3_599_999],
  );
});

suite('raw output', () => {
  test('is one event for each line, however it comes', () => {
    using place = open();
    for (const piece of ['a\nb', 'c\n', '\n', 'd', 'e', '\nf\n']) place.raw(piece);
    assert.deepEqual(place.texts, ['a\n', 'bc\n', '\n', 'de\n', 'f\n']);
    assert.ok(place.events.every(({ epochMs }) => epochMs === NOW));
  });

  test('is of the time at which it was written, whenever it is read', () => {
    using place = open();
    place.raw('a', NOW - 9);
    place.raw('b\nc\nd', NOW - 8);
    place.log.event(NOW - 7, Buffer.from('event\n'));
    place.raw('e', NOW - 6);
    place.log.endInvocation();
    const times = place.events.map(({ epochMs, text }) => [text.trim(), epochMs - NOW]);
    assert.deepEqual(times, [
      ['ab', -8],
      ['c', -8],
      ['d', -8],
      ['event', -7],
      ['e', -6],
    ]);
  });

  test('keeps characters whole that are split between chunks', () => {
    using place = open();
    for (const byte of Buffer.from('ä😀\n')) place.log.raw(NOW, Buffer.from([byte]));
    assert.deepEqual(place.texts, ['ä😀\n']);
  });

  test('shows bytes that are no UTF-8 as replacement characters', () => {
    using place = open();
    place.log.raw(NOW, Buffer.from([0x61, 0xff, 0xc3, 0x0a, 0x62, 0x0a]));
    assert.deepEqual(place.texts, ['a\ufffd\ufffd\n', 'b\n']);
  });

  test('an open line ends with the invocation', () => {
    using place = open();
    place.raw('no end');
    assert.deepEqual(place.texts, []);
    place.log.endInvocation();
    assert.deepEqual(place.texts, ['no end\n']);
    place.log.endInvocation();
    assert.equal(place.texts.length, 1);
  });

  test('an open line ends before a console event and at the end of all', () => {
    const place = open();
    place.raw('first');
    place.log.event(NOW + 5, Buffer.from('second\n'));
    place.raw('third');
    place[Symbol.dispose]();
    assert.deepEqual(place.texts, ['first\n', 'second\n', 'third\n']);
    assert.equal(place.events[1]?.epochMs, NOW + 5);
    assert.equal(place.isClosed, true);
  });

  for (const size of [1000, 65_536, 1_000_000])
    test(`a line of 1,000,000 characters in pieces of ${size} is cut into events of at most 262,144 bytes`, () => {
      using place = open();
      const line = Array.from({ length: 1_000_000 }, (_, i) =>
        String.fromCharCode(97 + (i % 26)),
      ).join('');
      for (let at = 0; at < line.length; at += size) place.raw(line.slice(at, at + size));
      place.raw('\n');
      assert.ok(place.texts.every((text) => text.length <= MAX_EVENT && text.endsWith('\n')));
      assert.equal(place.texts.length, 4);
      assert.equal(place.texts.map((text) => text.slice(0, -1)).join(''), line);
    });

  for (const size of [7, 1000, 300_000])
    test(`a long line in pieces of ${size} bytes is cut between characters`, () => {
      using place = open();
      const line = Buffer.from(`x${'€😀ü'.repeat(60_000)}`);
      for (let at = 0; at < line.length; at += size)
        place.log.raw(NOW, line.subarray(at, at + size));
      place.raw('\nnext\n');
      const cut = place.texts.slice(0, -1);
      assert.equal(cut.map((text) => text.slice(0, -1)).join(''), line.toString());
      assert.deepEqual(
        cut.slice(0, -1).filter((text) => Buffer.byteLength(text) < MAX_EVENT - 3),
        [],
      );
      assert.equal(place.texts.at(-1), 'next\n');
    });

  test('a line of exactly the greatest length stays whole, with nothing behind it', () => {
    for (const size of [MAX_EVENT, 1000]) {
      using place = open();
      const line = Buffer.from(`${'m'.repeat(MAX_EVENT - 1)}\n`);
      for (let at = 0; at < line.length; at += size)
        place.log.raw(NOW, line.subarray(at, at + size));
      assert.deepEqual(
        place.texts.map((text) => text.length),
        [MAX_EVENT],
      );
    }
  });

  test('what is no UTF-8 at all is cut and shown like any other', () => {
    using place = open();
    place.log.raw(NOW, Buffer.alloc(MAX_EVENT + 10, 0x80));
    place.log.endInvocation();
    assert.equal(place.texts.map((text) => text.slice(0, -1)).join('').length, MAX_EVENT + 10);
    assert.ok(place.texts.every((text) => /^\ufffd+\n$/.test(text)));
  });

  test('a line that comes byte by byte is not read again for each of them', () => {
    using place = open();
    const piece = Buffer.from('x');
    const begin = performance.now();
    for (let i = 0; i < 200_000; i += 1) place.log.raw(NOW, piece);
    // Read again each time it would be 20 GB of characters: many seconds on any machine.
    assert.ok(performance.now() - begin < 3000);
    place.raw('\n');
    assert.equal(place.texts[0]?.length, 200_001);
  });
});

suite('a console event', () => {
  test('keeps its line feeds and its time', () => {
    using place = open();
    place.log.event(NOW - 7, Buffer.from('a\nb\n'));
    assert.deepEqual(place.events, [{ epochMs: NOW - 7, text: 'a\nb\n' }]);
  });

  test('shows bytes that are no UTF-8 as replacement characters', () => {
    using place = open();
    place.log.event(NOW, Buffer.from([0x61, 0xff, 0x0a]));
    assert.deepEqual(place.texts, ['a\ufffd\n']);
  });

  test('is cut between characters', () => {
    using place = open();
    const text = `${'ü€'.repeat(120_000)}\n`;
    place.log.event(NOW, Buffer.from(text));
    assert.ok(place.texts.every((part) => Buffer.byteLength(part) <= MAX_EVENT));
    assert.equal(place.texts.map((part) => part.slice(0, -1)).join(''), text.slice(0, -1));
  });

  test('is cut where it is longer than an event can be', () => {
    using place = open();
    place.log.event(NOW, Buffer.from(`${'y'.repeat(600_000)}\n`));
    assert.deepEqual(
      place.texts.map((text) => text.length),
      [MAX_EVENT, MAX_EVENT, 600_001 - 2 * (MAX_EVENT - 1)],
    );
  });
});

suite('the tail', () => {
  test('is everything since its beginning, as long as that is at most 4,096 bytes', () => {
    using place = open();
    place.raw('before\n');
    place.log.beginTail();
    place.log.platform(NOW, 'START\n');
    place.raw('inside\n');
    place.log.platform(NOW, '');
    assert.equal(place.log.takeTail().toString(), 'START\ninside\n');
    place.raw('after\n');
    place.log.beginTail();
    assert.equal(place.log.takeTail().length, 0);
  });

  for (const [what, line] of [
    ['short lines', 'abc\n'],
    ['long lines', `${'l'.repeat(3000)}\n`],
    ['very long lines', `${'v'.repeat(50_000)}\n`],
    ['characters of several bytes', `${'😀ä'.repeat(100)}\n`],
  ] as const)
    test(`is exactly the last 4,096 bytes of ${what}`, () => {
      using place = open();
      place.log.beginTail();
      for (let i = 0; i < 2000; i += 1) place.raw(line);
      const whole = Buffer.from(place.texts.join(''));
      assert.deepEqual(place.log.takeTail(), whole.subarray(whole.length - 4096));
    });
});

suite('with format JSON', () => {
  const lines = [
    '{"level":"DEBUG","message":1}\n',
    '{"level":"warn","message":2}\n',
    '{"message":"no level"}\n',
    '{"level":"odd","message":"no known level"}\n',
    '{"level":5}\n',
    '{"level":"DEBUG", not JSON\n',
    'plain\n',
  ];
  const kept = (applicationLogLevel: string, format: FunctionLogOptions['format'] = 'JSON') => {
    using place = open({ format, applicationLogLevel });
    for (const line of lines) place.raw(line);
    return place.texts.map((text) => lines.indexOf(text));
  };

  test('lines that are JSON objects are filtered by level; without one they count as INFO', () => {
    assert.deepEqual(kept('TRACE'), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(kept('DEBUG'), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(kept('INFO'), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(kept('WARN'), [1, 5, 6]);
    assert.deepEqual(kept('FATAL'), [5, 6]);
  });

  test('format Text filters nothing', () => {
    assert.deepEqual(kept('FATAL', 'Text'), [0, 1, 2, 3, 4, 5, 6]);
  });
});

suite('too much output', () => {
  /** Bytes of such chunks until reading pauses; the clock stands still. */
  function bytesUntilPause(chunk: Buffer): number {
    using place = open();
    let bytes = 0;
    while (place.pauses.length === 0 && bytes < 64 * 2 ** 20) {
      place.log.raw(NOW, chunk);
      bytes += chunk.length;
    }
    assert.deepEqual(place.pauses, [true]);
    return bytes;
  }

  test('pauses reading after about two MiB at once', () => {
    const bytes = bytesUntilPause(Buffer.from(`${'x'.repeat(9999)}\n`));
    assert.ok(bytes > 1.5 * 2 ** 20 && bytes < 2.5 * 2 ** 20, `${bytes}`);
  });

  test('counts empty lines and single bytes for the work they are', () => {
    assert.ok(bytesUntilPause(Buffer.from('\n'.repeat(1000))) < 100_000);
    assert.ok(bytesUntilPause(Buffer.from('x')) < 100_000);
  });

  test('resumes when it is paid off, and not before', async () => {
    let now = NOW;
    using place = open({ epochMs: () => now });
    place.log.raw(NOW, Buffer.alloc(10 * 2 ** 20, 0x78));
    assert.deepEqual(place.pauses, [true]);
    now += 50;
    place.log.raw(NOW, Buffer.alloc(2 ** 20, 0x78));
    assert.deepEqual(place.pauses, [true], 'once is enough');
    now += 1000;
    await waitFor('it reads on', () => place.pauses.length === 2);
    assert.deepEqual(place.pauses, [true, false]);
  });

  test('waits while its sink is behind, and reads on when it has caught up', async () => {
    let isBehind = true;
    using place = open({}, () => isBehind);
    place.raw('a line\n');
    assert.deepEqual(place.pauses, [true]);
    assert.deepEqual(place.texts, ['a line\n'], 'what has been read is not lost');
    isBehind = false;
    await waitFor('it reads on', () => place.pauses.length === 2);
    place.raw('another\n');
    assert.deepEqual(place.pauses, [true, false]);
  });

  test('does not wait for ever for a sink that never catches up', async () => {
    using place = open({}, () => true);
    place.raw('a line\n');
    await waitFor('it reads on', () => place.pauses.length === 2);
    place.raw('another\n');
    assert.deepEqual(place.pauses, [true, false], 'it is not waited for again');
  });

  test('of a moderate rate never pauses', () => {
    let now = NOW;
    using place = open({ epochMs: () => now });
    const chunk = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(1000));
    for (let i = 0; i < 200; i += 1) {
      place.log.raw(NOW, chunk);
      now += 50;
    }
    assert.deepEqual(place.pauses, []);
  });
});
