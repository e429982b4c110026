// AWS_LAMBDA_EXEC_WRAPPER: managed runtimes are started through a program of the function's or of a layer.
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { findPythons } from '../../runtime/runtimes/python/probe.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { bashRuntime, deployCustom, executable } from '../support/custom-runtime.ts';
import { failure, result } from '../support/function-answers.ts';
import { publishLayer } from '../support/layers.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const HANDLER = `export const handler = async () => ({
  handler: 'index', added: process.env.ADDED, own: process.env.OWN, preloaded: globalThis.preloaded,
  limit: Error.stackTraceLimit, name: process.env.AWS_LAMBDA_FUNCTION_NAME, execArgv: process.execArgv,
});`;

function through(wrapper: string, more: Readonly<Record<string, string>> = {}) {
  return { Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: wrapper, ...more } } };
}

suite('a managed runtime with a wrapper', { concurrency: 2 }, () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  async function deployWrapped(
    name: string,
    wrapper: string,
    own: Readonly<Record<string, string>> = {},
  ) {
    const files = { 'index.mjs': HANDLER, wrapper: executable(wrapper) };
    const Code = { ZipFile: await zipOf(files) };
    await t.deploy(name, {}, { Code, ...through('/var/task/wrapper', own) });
  }

  test('keeps what the wrapper has exported, and the arguments it has added', async () => {
    await deployWrapped(
      'exports',
      `#!/bin/bash
       export ADDED="by the wrapper of $AWS_LAMBDA_FUNCTION_NAME" OWN="$OWN and more"
       args=("$@")
       exec "\${args[0]}" --stack-trace-limit=7 "\${args[@]:1}"`,
      { OWN: 'own' },
    );
    for (const round of [1, 2]) {
      const { execArgv, ...rest } = (await result(t, 'exports')) as { execArgv: string[] }; // as the fixture returns
      assert.ok(execArgv.includes('--stack-trace-limit=7'), `round ${round}`);
      assert.deepEqual(rest, {
        handler: 'index',
        added: 'by the wrapper of exports',
        own: 'own and more',
        limit: 7,
        name: 'exports',
      });
    }
  });

  test('takes a wrapper of a layer that names another handler and something to be loaded first', async () => {
    const layer = await publishLayer(t.client, 'tracer', {
      wrapper: executable(
        '#!/bin/sh\nexport NODE_OPTIONS="--require /opt/preload.cjs" ORIGINAL_HANDLER="$_HANDLER" _HANDLER=/opt/traced.handler\nexec "$@"\n',
      ),
      'preload.cjs': 'globalThis.preloaded = true;',
      'traced.mjs': `const { handler: own } = await import('/var/task/' + process.env.ORIGINAL_HANDLER.replace('.handler', '.mjs'));
        export const handler = async (event) => ({ traced: await own(event) });`,
    });
    await t.deploy(
      'traced',
      { 'index.mjs': HANDLER },
      { ...through('/opt/wrapper'), Layers: [layer] },
    );
    const { traced } = (await result(t, 'traced')) as { traced: Record<string, unknown> }; // as the fixture returns
    assert.equal(traced['handler'], 'index');
    assert.equal(traced['preloaded'], true);
  });

  test('need not be replaced by it', async () => {
    await deployWrapped('child', '#!/bin/sh\necho before\n"$@"\nexit 0\n');
    assert.equal(((await result(t, 'child')) as { name: string }).name, 'child');
  });

  for (const [name, wrapper, status] of [
    ['missing', undefined, 'exit status 127'],
    ['fails', '#!/bin/sh\nexit 3\n', 'exit status 3'],
  ] as const)
    test(`does not start when the wrapper ${name === 'missing' ? 'is missing' : name}`, async () => {
      if (wrapper === undefined)
        await t.deploy(name, { 'index.mjs': HANDLER }, through('/opt/none'));
      else await deployWrapped(name, wrapper);
      const { errorMessage } = await failure(t, name, {}, 'Runtime.ExitError');
      assert.match(
        errorMessage,
        new RegExp(`^RequestId: \\S+ Error: Runtime exited with error: ${status}$`),
      );
    });

  test('may be Python', async (context) => {
    const places = { named: [], searchPath: process.env['PATH'] ?? '', home: homedir() };
    const [python] = await findPythons(places, path.join(t.dataDir, 'test-pythons.json'));
    if (python === undefined) return context.skip('no Python on this machine');
    const Runtime = `python3.${python.minor}` as const;
    const files = {
      'index.py':
        'import os, sys\ndef handler(event, context):\n    return [os.environ["ADDED"], sys.flags.optimize, os.environ["_HANDLER"]]\n',
      wrapper: executable('#!/bin/sh\nexport ADDED=yes PYTHONOPTIMIZE=2\nexec "$@"\n'),
    };
    const Code = { ZipFile: await zipOf(files) };
    await t.deploy('python', {}, { Code, Runtime, ...through('/var/task/wrapper') });
    return assert.deepEqual(await result(t, 'python'), ['yes', 2, 'index.handler']);
  });

  test('is something custom runtimes do not know', async () => {
    const handle = 'answer "\\"$AWS_LAMBDA_EXEC_WRAPPER\\""';
    await deployCustom(t, 'custom', bashRuntime({ handle }), through('/var/task/none'));
    assert.equal(await result(t, 'custom'), '/var/task/none');
  });
});
