// v3: callback, the context's methods, thenables, and what an empty event loop means.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootstrapPeer, type PeerOptions } from '../support/bootstrap-peer.ts';

function start(handler: string, env: PeerOptions['env'] = {}) {
  const options = {
    code: 'callbacks',
    handler: `index.${handler}`,
    runtime: 'nodejs22.x',
  } as const;
  return BootstrapPeer.start({ ...options, env });
}

async function answer(handler: string, event: unknown = {}) {
  await using peer = await start(handler);
  return await peer.invoke(event);
}

test('callback(null, result) answers', async () => {
  assert.equal((await answer('result', { a: 1 })).text, '{"a":1}');
});

test('callback(error) fails, with an Error and with a text', async () => {
  const error = await answer('error');
  assert.ok(error.kind === 'E');
  assert.equal(error.errorType, 'Error');
  assert.match(
    error.text,
    /^\{"errorType":"Error","errorMessage":"by callback","trace":\["Error: by callback",/,
  );
  assert.equal(
    (await answer('text')).text,
    '{"errorType":"string","errorMessage":"by text","trace":[]}',
  );
});

test('only the first call counts', async () => {
  await using peer = await start('twice');
  for (let round = 0; round < 2; round++) assert.equal(await peer.result({}), 'first');
  assert.equal(peer.frames.filter(({ kind }) => kind === 'O').length, 2);
  assert.equal(peer.frames.filter(({ kind }) => kind === 'E').length, 0);
});

test('callbackWaitsForEmptyEventLoop holds the answer back until timers have run', async () => {
  assert.equal((await answer('waits', { waits: true })).text, '["timer"]');
});

test('without it the answer goes at once, and the timer runs in a later invocation', async () => {
  await using peer = await start('waits');
  assert.deepEqual(await peer.result({ waits: false }), []);
  assert.deepEqual(await peer.result({ waits: true }), ['timer', 'timer']);
});

test('done, succeed and fail answer at once', async () => {
  assert.equal((await answer('done')).text, '"done"');
  assert.equal((await answer('succeed')).text, '"succeeded"');
  assert.match((await answer('doneError')).text, /"errorMessage":"done"/);
  assert.equal(
    (await answer('fail')).text,
    '{"errorType":"string","errorMessage":"handled","trace":[]}',
  );
});

test('a plain return value is ignored: the empty event loop answers null', async () => {
  const { kind, text } = await answer('ignored');
  assert.deepEqual([kind, text], ['O', 'null']);
});

test('a thenable is waited for; a rejection without reason is the text handled', async () => {
  assert.equal((await answer('thenable')).text, '"thenable"');
  assert.equal(
    (await answer('rejects')).text,
    '{"errorType":"string","errorMessage":"handled","trace":[]}',
  );
});

test('a synchronous throw fails the invocation', async () => {
  assert.match(
    (await answer('throws')).text,
    /^\{"errorType":"Error","errorMessage":"synchronous"/,
  );
});

test('a result that JSON cannot hold is a plain Error', async () => {
  const found = await answer('unserialisable');
  assert.match(
    found.text,
    /^\{"errorType":"Error","errorMessage":"Unable to stringify response body"/,
  );
});

test('a function that never calls back answers null when the event loop is empty, and lives on', async () => {
  await using peer = await start('silent');
  for (let round = 0; round < 3; round++) assert.equal(await peer.result({}), null);
});

test('a callback of an invocation already answered changes nothing and says so', async () => {
  await using peer = await start('lateCall');
  assert.equal(await peer.result({ hold: true }), null);
  const id = peer.push({});
  assert.equal((await peer.answer(id)).text, '"mine"');
  assert.equal(await peer.result({ hold: true }), null);
});

test('an async function that never settles is Runtime.NodeJsExit and the process ends', async () => {
  await using peer = await start('asyncNeverSettles');
  const found = await peer.invoke({});
  assert.ok(found.kind === 'X');
  assert.equal(found.errorType, 'Runtime.NodeJsExit');
  assert.equal(
    (JSON.parse(found.text) as { errorMessage: string }).errorMessage,
    'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes',
  );
  assert.match(
    peer.logs[0]?.text ?? '',
    /\tERROR\tInvoke Error \t\{"errorType":"Runtime\.NodeJsExit"/,
  );
  assert.equal((await peer.ended()).signal, null);
});

test('a plain function with a promise that never settles answers null', async () => {
  assert.equal((await answer('neverSettles')).text, 'null');
});

const WARNING =
  'AWS Lambda plans to remove support for callback-based function handlers starting with Node.js 24. You will need to update this function to use an async handler to use Node.js 24 or later. For more information and to provide feedback on this change, see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/137. To disable this warning, set the AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING environment variable.';

test('a handler with three declared parameters is warned of at init', async () => {
  await using peer = await start('result');
  const [frame] = peer.logs;
  assert.equal(frame?.level, 4);
  assert.equal(frame?.text.split('\t').slice(1).join('\t'), `undefined\tWARN\t${WARNING}\n`);
});

test('no warning with two parameters, nor with AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING', async () => {
  await using two = await start('done');
  assert.deepEqual(two.logs, []);
  await using disabled = await start('result', { AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING: '' });
  assert.deepEqual(disabled.logs, []);
});
