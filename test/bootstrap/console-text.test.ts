// Console methods in the text format: one frame per call, with its level, the request id and the formatted message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer } from '../support/bootstrap-peer.ts';

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\t([^\t]*)\t([A-Z]+)\t([^]*)\n$/;

function parse(text: string): { time: string; requestId: string; level: string; message: string } {
  const [, time = '', requestId = '', level = '', message = ''] =
    LINE.exec(text) ?? assert.fail(text);
  return { time, requestId, level, message };
}

async function logs(handler: string, env: Record<string, string> = {}) {
  await using peer = await BootstrapPeer.start({ code: 'logs', handler: `index.${handler}`, env });
  const { id } = await peer.invoke({});
  const [init, ...rest] = peer.logs;
  return { id, init, rest };
}

test('during init the request id is the text undefined', async () => {
  const { init } = await logs('levels');
  const { requestId, level, message } = parse(init?.text ?? '');
  assert.deepEqual(
    [requestId, level, message, init?.level],
    ['undefined', 'INFO', 'during init', 3],
  );
});

test('every method has its level; log is INFO; the time is that of the frame', async () => {
  const { id, rest } = await logs('levels');
  const found = rest.map(({ level, text, timestampMs }) => {
    const line = parse(text);
    assert.equal(new Date(timestampMs).toISOString(), line.time);
    assert.equal(line.requestId, id);
    return [level, line.level, line.message];
  });
  assert.deepEqual(found, [
    [1, 'TRACE', 't'],
    [2, 'DEBUG', 'd'],
    [3, 'INFO', 'i'],
    [3, 'INFO', 'l'],
    [4, 'WARN', 'w'],
    [5, 'ERROR', 'e'],
    [6, 'FATAL', 'f'],
  ]);
});

test('arguments are formatted as Node does, line ends stay inside the one event', async () => {
  const { rest } = await logs('formats');
  assert.deepEqual(
    rest.map(({ text }) => parse(text).message),
    ['a text b 5 { c: [ 1 ] }', 'two\nlines', 'undefined', '{ a: { b: 1 } }', '100%'],
  );
});

test('AWS_LAMBDA_LOG_LEVEL filters, in any case of letters', async () => {
  const { init, rest } = await logs('levels', { AWS_LAMBDA_LOG_LEVEL: 'warn' });
  assert.deepEqual(
    [init, ...rest].map((frame) => frame?.level),
    [4, 5, 6],
  );
});

test('FATAL is the last level and is never filtered; an unknown level filters nothing', async () => {
  const fatal = await logs('levels', { AWS_LAMBDA_LOG_LEVEL: 'FATAL' });
  assert.deepEqual([fatal.init?.level, fatal.rest], [6, []]);
  const unknown = await logs('levels', { AWS_LAMBDA_LOG_LEVEL: 'toString' });
  assert.equal(unknown.rest.length, 7);
});

test('the request id follows the invocation', async () => {
  await using peer = await BootstrapPeer.start({ code: 'logs', handler: 'index.levels' });
  const first = await peer.invoke({});
  const second = await peer.invoke({});
  const ids = new Set(peer.logs.map(({ text }) => parse(text).requestId));
  assert.deepEqual([...ids], ['undefined', first.id, second.id]);
});

test('the log of an invocation precedes its answer', async () => {
  await using peer = await BootstrapPeer.start({ code: 'logs', handler: 'index.levels' });
  await peer.invoke({});
  assert.equal(peer.frames.at(-1)?.kind, 'O');
  assert.equal(peer.logs.length, 8);
});

test('an event of many megabytes comes whole, in events that each end in LF and cut no character', async () => {
  await using peer = await BootstrapPeer.start({ code: 'logs', handler: 'index.long' });
  for (const [unit, count] of [
    ['x', 9_000_000],
    ['😀', 3_000_000],
    ['y', 262_143],
    ['y', 262_144],
  ] as const) {
    const before = peer.logs.length;
    await peer.invoke({ unit, count });
    const pieces = peer.logs.slice(before).map(({ text }) => text);
    assert.ok(pieces.every((text) => text.endsWith('\n') && text.length <= 262_144));
    const whole = pieces.map((text) => text.slice(0, -1)).join('');
    assert.equal(whole.split('\t')[3], unit.repeat(count));
  }
});
