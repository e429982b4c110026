// What is thrown past the handler: reported once with its own name, then the process ends with the service's codes.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BootstrapPeer, type PeerOptions } from '../support/bootstrap-peer.ts';

function start(handler: string, runtime: PeerOptions['runtime'] = 'nodejs24.x', env = {}) {
  return BootstrapPeer.start({ code: 'faults', handler: `index.${handler}`, runtime, env });
}

function logText(peer: BootstrapPeer): string {
  return peer.logs.map(({ text }) => text).join('');
}

for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
  suite(runtime, () => {
    test('a timer armed earlier throws in a later invocation: that one fails, exit 129', async () => {
      await using peer = await start('timer', runtime);
      assert.equal(await peer.result({ arm: true }), 'armed');
      const answer = await peer.invoke({});
      assert.ok(answer.kind === 'X');
      const { trace, ...body } = JSON.parse(answer.text) as { trace: string[] };
      assert.deepEqual(body, { errorType: 'TypeError', errorMessage: 'in a timer' });
      assert.equal(answer.errorType, 'TypeError');
      assert.equal(trace[0], 'TypeError: in a timer');
      assert.match(
        logText(peer),
        new RegExp(`\t${answer.id}\tERROR\tUncaught Exception \t{"errorType":"TypeError"`),
      );
      assert.deepEqual(await peer.ended(), { code: 129, signal: null });
    });

    test('a throw that is no error', async () => {
      await using peer = await start('throwsNow', runtime);
      const answer = await peer.invoke({});
      assert.ok(answer.kind === 'X');
      assert.equal(answer.text, '{"errorType":"string","errorMessage":"a text","trace":[]}');
      assert.deepEqual(await peer.ended(), { code: 129, signal: null });
    });

    test('reasons that have no text of their own are still reported', async () => {
      for (const [kind, message] of [
        ['undefined', 'undefined'],
        ['symbol', 'Symbol(s)'],
        ['bare', '[object Object]'],
      ]) {
        await using peer = await start('rejectsOddly', runtime);
        const answer = await peer.invoke({ kind });
        assert.ok(answer.kind === 'X');
        assert.equal(answer.errorType, 'Runtime.UnhandledPromiseRejection');
        assert.equal((JSON.parse(answer.text) as { errorMessage: string }).errorMessage, message);
        assert.deepEqual(await peer.ended(), { code: 128, signal: null });
      }
    });

    test('listeners of the function see the fault but cannot keep the process', async () => {
      await using peer = await start('listened', runtime);
      const answer = await peer.invoke({});
      assert.equal(answer.kind, 'X');
      assert.deepEqual(await peer.ended(), { code: 129, signal: null });
      assert.match(logText(peer), /\tINFO\tseen watched uncaughtException\n$/);
    });

    for (const code of [0, 7]) {
      test(`process.exit(${code}) is left to the host to report`, async () => {
        await using peer = await start('exits', runtime);
        peer.push({ code });
        assert.deepEqual(await peer.ended(), { code, signal: null });
        assert.deepEqual(
          peer.frames.map(({ kind }) => kind),
          ['U', 'R'],
        );
      });
    }
  });
}

test('nodejs24.x: a floating rejection fails the invocation although the handler has returned, exit 128', async () => {
  await using peer = await start('rejects');
  const answer = await peer.invoke({});
  assert.ok(answer.kind === 'X');
  const { trace, ...body } = JSON.parse(answer.text) as { trace: string[] };
  assert.deepEqual(body, {
    errorType: 'Runtime.UnhandledPromiseRejection',
    errorMessage: 'RangeError: floating',
  });
  assert.equal(trace[0], 'Runtime.UnhandledPromiseRejection: RangeError: floating');
  const [, , level, title, json] = logText(peer).split('\t');
  assert.deepEqual([level, title], ['ERROR', 'Unhandled Promise Rejection ']);
  const logged = JSON.parse(json ?? '') as {
    reason: { errorType: string; stack: string[] };
    promise: object;
  };
  assert.equal(logged.reason.errorType, 'RangeError');
  assert.match(logged.reason.stack[1] ?? '', /faults\/index\.mjs/);
  assert.deepEqual(logged.promise, {});
  assert.deepEqual(await peer.ended(), { code: 128, signal: null });
});

test('nodejs22.x: the answer is out before a floating rejection ends the process', async () => {
  await using peer = await start('rejects', 'nodejs22.x');
  assert.equal(await peer.result({}), 'not reached in v4');
  assert.deepEqual(await peer.ended(), { code: 128, signal: null });
  assert.match(logText(peer), /\tERROR\tUnhandled Promise Rejection \t/);
  assert.equal(
    peer.frames.some(({ kind }) => kind === 'X'),
    false,
  );
});

test('nodejs22.x: a throw with nothing in flight is logged and answers nobody', async () => {
  await using peer = await start('rejects', 'nodejs22.x');
  await peer.invoke({});
  assert.deepEqual(await peer.ended(), { code: 128, signal: null });
  assert.equal(peer.frames.filter(({ kind }) => 'EX'.includes(kind)).length, 0);
});

test('the JSON format reports the reason too', async () => {
  await using peer = await start('rejects', 'nodejs24.x', { AWS_LAMBDA_LOG_FORMAT: 'JSON' });
  await peer.invoke({});
  const { level, message } = JSON.parse(logText(peer)) as {
    level: string;
    message: Record<string, unknown>;
  };
  assert.equal(level, 'ERROR');
  assert.equal(message['errorType'], 'UnhandledPromiseRejection');
  assert.equal((message['reason'] as Record<string, unknown>)['errorMessage'], 'floating');
});

test('nodejs24.x: a promise that never settles ends with exit 13 and no answer, but with a word in the log', async () => {
  await using peer = await start('neverSettles');
  const id = peer.push({});
  assert.deepEqual(await peer.ended(), { code: 13, signal: null });
  assert.deepEqual(
    peer.frames.map(({ kind }) => kind),
    ['U', 'R', 'L'],
  );
  const [, requestId, level, title, json] = logText(peer).split('\t');
  assert.deepEqual([requestId, level, title], [id, 'ERROR', 'Invoke Error ']);
  const { errorType, errorMessage } = JSON.parse(json ?? '') as Record<string, string>;
  assert.equal(errorType, 'Runtime.NodeJsExit');
  assert.match(errorMessage ?? '', /most commonly caused by a Promise that was never settled/);
});
