// What a function that cannot be loaded is answered with: type, message, trace, log line, exit code.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BootstrapPeer, type PeerOptions } from '../support/bootstrap-peer.ts';

async function failure(options: PeerOptions) {
  await using peer = await BootstrapPeer.spawn(options);
  peer.specialise();
  const { errorType, text } = await peer.next('F');
  const exit = await peer.ended();
  const body = JSON.parse(text) as { errorType: string; errorMessage: string; trace: string[] };
  const { errorType: bodyType, errorMessage, trace } = body;
  assert.equal(bodyType, errorType);
  return {
    errorType,
    errorMessage,
    trace,
    exit,
    log: peer.logs.map((frame) => frame.text).join(''),
  };
}

interface Case extends PeerOptions {
  readonly type: string;
  readonly message: string | RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  'a handler with ..': {
    code: 'echo',
    handler: '../echo/index.handler',
    type: 'Runtime.MalformedHandlerName',
    message:
      "'../echo/index.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names.",
  },
  'a handler without a dot': {
    code: 'echo',
    handler: 'index',
    type: 'Runtime.MalformedHandlerName',
    message: 'Bad handler',
  },
  'an export that is not there': {
    code: 'echo',
    handler: 'index.other',
    type: 'Runtime.HandlerNotFound',
    message: 'index.other is undefined or not exported',
  },
  'an export that is no function': {
    code: 'nested-exports',
    handler: 'src/deep/app.api.text',
    type: 'Runtime.HandlerNotFound',
    message: 'src/deep/app.api.text is not a function',
  },
  'a module that is not there': {
    code: 'echo',
    handler: 'absent.handler',
    type: 'Runtime.ImportModuleError',
    message: /^Error: Cannot find module 'absent'\nRequire stack:\n- /,
  },
  'a require that finds nothing': {
    code: 'layer/function',
    handler: 'missing.handler',
    type: 'Runtime.ImportModuleError',
    message: /^Error: Cannot find module 'not-there'\nRequire stack:\n- .*\/missing\.js/,
  },
  'an import that finds nothing keeps its own name': {
    code: 'layer/function',
    handler: 'missing-import.handler',
    type: 'Error',
    message: /^Cannot find package 'not-there' imported from .*\/missing-import\.mjs$/,
  },
  'a syntax error': {
    code: 'broken-init',
    handler: 'syntax.handler',
    type: 'Runtime.UserCodeSyntaxError',
    message: "SyntaxError: Unexpected token ']'",
  },
  'top-level code that throws': {
    code: 'broken-init',
    handler: 'throws.handler',
    type: 'ConfigError',
    message: 'no table name',
  },
  'top-level code that throws a text': {
    code: 'broken-init',
    handler: 'throws-string.handler',
    type: 'string',
    message: 'plain text',
  },
  'an unknown kind of streaming': {
    code: 'broken-init',
    handler: 'callback.notStreaming',
    type: 'Runtime.MalformedStreamingHandler',
    message: 'Only response streaming is supported.',
  },
};

for (const [name, { type, message, ...options }] of Object.entries(CASES)) {
  suite(name, () => {
    test('nodejs24.x: Init Error, exit 1', async () => {
      const found = await failure({ ...options, runtime: 'nodejs24.x' });
      assert.equal(found.errorType, type);
      if (typeof message === 'string') assert.equal(found.errorMessage, message);
      else assert.match(found.errorMessage, message);
      assert.deepEqual(found.exit, { code: 1, signal: null });
      assert.match(found.log, /^[\d-]+T[\d:.]+Z\tundefined\tERROR\tInit Error \t\{"errorType":"/);
    });

    test('nodejs22.x: Uncaught Exception, exit 129', async () => {
      const found = await failure({ ...options, runtime: 'nodejs22.x' });
      assert.equal(found.errorType, type);
      if (typeof message === 'string') assert.equal(found.errorMessage, message);
      else assert.match(found.errorMessage, message);
      assert.deepEqual(found.exit, { code: 129, signal: null });
      assert.match(
        found.log,
        /^[\d-]+T[\d:.]+Z\tundefined\tERROR\tUncaught Exception \t\{"errorType":"/,
      );
    });
  });
}

test('the trace of a syntax error shows the line in v4, the runtime in v3', async () => {
  const options = { code: 'broken-init', handler: 'syntax.handler' };
  const v4 = await failure({ ...options, runtime: 'nodejs24.x' });
  assert.match(v4.trace[0] ?? '', /\/broken-init\/syntax\.js:1$/);
  assert.ok(v4.trace.includes("SyntaxError: Unexpected token ']'"));
  const v3 = await failure({ ...options, runtime: 'nodejs22.x' });
  assert.equal(v3.trace[0], "Runtime.UserCodeSyntaxError: SyntaxError: Unexpected token ']'");
});

test('a runtime error opens its trace with its name; its log has the name as own property in v4 only', async () => {
  const options = { code: 'echo', handler: 'index.other' };
  const first = 'Runtime.HandlerNotFound: index.other is undefined or not exported';
  const v4 = await failure({ ...options, runtime: 'nodejs24.x' });
  assert.equal(v4.trace[0], first);
  assert.match(
    v4.log,
    /exported","name":"Runtime\.HandlerNotFound","stack":\["Runtime\.HandlerNotFound: /,
  );
  const v3 = await failure({ ...options, runtime: 'nodejs22.x' });
  assert.equal(v3.trace[0], first);
  assert.match(v3.log, /exported","stack":\["Runtime\.HandlerNotFound: /);
});

test('nodejs24.x refuses a handler with three declared parameters at init', async () => {
  const found = await failure({ code: 'broken-init', handler: 'callback.handler' });
  assert.equal(found.errorType, 'Runtime.CallbackHandlerDeprecated');
  assert.equal(
    found.errorMessage,
    'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
  );
});

test('a third parameter with a default does not count as declared', async () => {
  await using peer = await BootstrapPeer.start({
    code: 'broken-init',
    handler: 'callback.withDefault',
  });
  assert.equal(await peer.result({}), 'two declared');
});

for (const runtime of ['nodejs24.x', 'nodejs22.x'] as const) {
  test(`${runtime}: a rejection at top level that nobody handles fails the init with exit 128`, async () => {
    const found = await failure({ code: 'broken-init', handler: 'rejects.handler', runtime });
    assert.equal(found.errorType, 'Runtime.UnhandledPromiseRejection');
    assert.equal(found.errorMessage, 'Error: nobody waits');
    assert.deepEqual(found.exit, { code: 128, signal: null });
    assert.match(
      found.log,
      /\tundefined\tERROR\tUnhandled Promise Rejection \t\{"errorType":"Runtime\.Unhandled/,
    );
  });

  test(`${runtime}: a throw right after loading fails the init with exit 129`, async () => {
    const found = await failure({ code: 'broken-init', handler: 'throws-later.handler', runtime });
    assert.equal(found.errorType, 'RangeError');
    assert.equal(found.errorMessage, 'late');
    assert.deepEqual(found.exit, { code: 129, signal: null });
    assert.match(found.log, /\tundefined\tERROR\tUncaught Exception \t\{"errorType":"RangeError"/);
  });

  test(`${runtime}: a top-level await that never settles ends with exit 13 and says why in the log alone`, async () => {
    await using peer = await BootstrapPeer.spawn({
      code: 'broken-init',
      handler: 'never-settles.handler',
      runtime,
    });
    peer.specialise();
    assert.deepEqual(await peer.ended(), { code: 13, signal: null });
    assert.deepEqual(
      peer.frames.map(({ kind }) => kind),
      ['U', 'L'],
    );
    assert.match(
      peer.logs[0]?.text ?? '',
      /\tundefined\tWARN\tWarning: Detected unsettled top-level await\n$/,
    );
  });

  test(`${runtime}: process.exit at top level is left to the host to report`, async () => {
    await using peer = await BootstrapPeer.spawn({
      code: 'broken-init',
      handler: 'exits.handler',
      runtime,
    });
    peer.specialise();
    assert.deepEqual(await peer.ended(), { code: 7, signal: null });
    assert.deepEqual(
      peer.frames.map(({ kind }) => kind),
      ['U'],
    );
  });
}

test('a task root that is not there fails the init', async () => {
  const found = await failure({ code: '/nowhere/at/all' });
  assert.equal(found.errorType, 'Error');
  assert.match(found.errorMessage, /^ENOENT: .*chdir/);
});

test('without a handler string the init fails with Runtime.PlatformError', async () => {
  const found = await failure({ code: 'echo', env: { _HANDLER: '' } });
  assert.equal(found.errorType, 'Runtime.PlatformError');
  assert.equal(found.errorMessage, '_HANDLER environment variable is not set');
});
