// Frames: built as the protocol says, and cut out of any stream of chunks, hostile ones included.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  FrameDecoder,
  invokeFrame,
  MAX_FRAME_BYTES,
  shutdownFrame,
  specialiseFrame,
} from '../../runtime/slots/frames.ts';

interface Seen {
  readonly kind: string;
  readonly body: Buffer;
  readonly oversize: boolean;
}

function decoder() {
  const seen: Seen[] = [];
  const it = new FrameDecoder((kind, body, oversize) => {
    seen.push({ kind, body: Buffer.from(body), oversize });
  });
  return { seen, it, push: (bytes: Uint8Array) => it.push(Buffer.from(bytes)) };
}

function frame(kind: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length + 1);
  head.write(kind, 4, 'latin1');
  return Buffer.concat([head, body]);
}

const text = (...values: readonly string[]) => Buffer.from(values.join(''));

suite('an invoke frame', () => {
  const fields = {
    requestId: '01234567-89ab-cdef-0123-456789abcdef',
    remainingMs: 2999.6,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    traceId: 'Root=1-2;ä',
    clientContext: '{"k":"😀"}',
    tenantId: 'blue',
    payload: text('{"ü":1}'),
  };

  const event = { number: 0, ...fields };

  function read(bytes: Buffer) {
    let at = 45;
    const text16 = () => {
      const end = at + 2 + bytes.readUInt16LE(at);
      const value = bytes.toString('utf8', at + 2, end);
      at = end;
      return value;
    };
    return {
      length: bytes.readUInt32LE(0),
      kind: bytes.toString('latin1', 4, 5),
      requestId: bytes.toString('latin1', 5, 41),
      remainingMs: bytes.readUInt32LE(41),
      invokedFunctionArn: text16(),
      traceId: text16(),
      clientContext: text16(),
      tenantId: text16(),
      payload: bytes.subarray(at),
    };
  }

  test('has all fields in their places', () => {
    const bytes = Buffer.concat(invokeFrame(event));
    assert.deepEqual(read(bytes), {
      ...fields,
      length: bytes.length - 4,
      kind: 'I',
      remainingMs: 3000,
    });
  });

  test('of a prefetched event has its number before all else', () => {
    for (const number of [1, 2 ** 32 + 5, 2 ** 40]) {
      const [plain, bytes] = [0, number].map((each) =>
        Buffer.concat(invokeFrame({ ...event, number: each })),
      );
      assert.ok(plain !== undefined && bytes !== undefined);
      assert.equal(bytes.readUInt32LE(0), bytes.length - 4);
      assert.equal(bytes.toString('latin1', 4, 5), 'P');
      assert.equal(bytes.readBigUInt64LE(5), BigInt(number));
      assert.deepEqual(bytes.subarray(13), plain.subarray(5));
    }
  });

  test('has empty texts for what is absent, and never a negative time', () => {
    const bytes = Buffer.concat(
      invokeFrame({ ...event, remainingMs: -5, traceId: '', clientContext: '', tenantId: '' }),
    );
    const { remainingMs, traceId, clientContext, tenantId, payload } = read(bytes);
    assert.deepEqual([remainingMs, traceId, clientContext, tenantId], [0, '', '', '']);
    assert.deepEqual(payload, event.payload);
  });

  test('does not copy a large payload', () => {
    const payload = Buffer.alloc(100_000, 0x20);
    const parts = invokeFrame({ ...event, payload });
    assert.equal(parts[1], payload);
    const bytes = Buffer.concat(parts);
    assert.equal(bytes.readUInt32LE(0), bytes.length - 4);
    assert.equal(read(bytes).payload.length, 100_000);
  });
});

test('the frames without fields', () => {
  assert.deepEqual(shutdownFrame(), frame('Q', text('')));
  assert.deepEqual(
    specialiseFrame({ env: { A: 'ä' }, withdrawnFile: '/w', optDir: '/opt' }),
    frame('S', text(JSON.stringify({ env: { A: 'ä' }, withdrawnFile: '/w', optDir: '/opt' }))),
  );
});

suite('a stream of frames', () => {
  const frames: readonly (readonly [string, Buffer])[] = [
    ['U', text('')],
    ['R', text('1234')],
    ['L', text('a log line\n')],
    ['O', text('id', 'x'.repeat(30))],
  ];
  const stream = Buffer.concat(frames.map(([kind, body]) => frame(kind, body)));
  const expected = frames.map(([kind, body]) => ({ kind, body, oversize: false }));

  test('is the same wherever it is split in two', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      const { seen, push } = decoder();
      push(stream.subarray(0, at));
      push(stream.subarray(at));
      assert.deepEqual(seen, expected, `split at ${at}`);
    }
  });

  test('is the same in pieces of any size', () => {
    for (let size = 1; size < 12; size += 1) {
      const { seen, push } = decoder();
      for (let at = 0; at < stream.length; at += size) push(stream.subarray(at, at + size));
      assert.deepEqual(seen, expected, `pieces of ${size}`);
    }
  });

  test('delivers each frame as soon as it is whole', () => {
    const { seen, push } = decoder();
    push(stream.subarray(0, 5));
    assert.equal(seen.length, 1);
    push(stream.subarray(5, 13));
    assert.equal(seen.length, 1);
    push(stream.subarray(13, 14));
    assert.equal(seen.length, 2);
  });

  test('delivers the largest frame whole', () => {
    const body = Buffer.alloc(MAX_FRAME_BYTES - 5, 0x61);
    const { seen, push } = decoder();
    const bytes = Buffer.concat([frame('O', body), frame('U', text(''))]);
    for (let at = 0; at < bytes.length; at += 65_536) push(bytes.subarray(at, at + 65_536));
    assert.deepEqual(
      seen.map(({ kind, oversize }) => [kind, oversize]),
      [
        ['O', false],
        ['U', false],
      ],
    );
    assert.ok(seen[0]?.body.equals(body));
  });

  for (const size of [1 << 20, 65_536, 4_097])
    test(`delivers only the beginning of a larger one, in pieces of ${size}, and goes on behind it`, () => {
      const body = Buffer.alloc(MAX_FRAME_BYTES + 3_000_000, 0x62);
      const bytes = Buffer.concat([frame('O', body), frame('L', text('next'))]);
      const { seen, push } = decoder();
      for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size));
      assert.equal(seen.length, 2);
      const [first, second] = seen;
      assert.equal(first?.kind, 'O');
      assert.equal(first.oversize, true);
      assert.ok(first.body.length > 100_000 && first.body.length <= 262_144);
      assert.deepEqual(second, { kind: 'L', body: text('next'), oversize: false });
    });

  test('a frame without even a kind has no kind', () => {
    const { seen, push } = decoder();
    push(Buffer.concat([Buffer.alloc(4), frame('U', text(''))]));
    assert.deepEqual(
      seen.map(({ kind }) => kind),
      ['', 'U'],
    );
  });

  test('the largest length there is is read and forgotten, without memory for it', () => {
    const { seen, push, it } = decoder();
    push(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x4f]));
    // 512 MiB of the 4 GiB it announces: held, they would show.
    const piece = Buffer.alloc(1 << 20);
    for (let i = 0; i < 512; i += 1) it.push(piece);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.oversize, true);
    assert.ok(process.memoryUsage().rss < 400 * 2 ** 20);
  });
});
