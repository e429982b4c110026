// Extensions beside our own runtimes: external ones of layers, and those that live in the function's process.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { DeleteFunctionCommand } from '@aws-sdk/client-lambda';
import { executable } from '../support/custom-runtime.ts';
import { bashExtension } from '../support/extensions.ts';
import { failure, result } from '../support/function-answers.ts';
import { publishLayer } from '../support/layers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';

const CODE = `process.on('SIGTERM', () => { console.log('got SIGTERM'); process.exit(0); });
const started = Date.now();
export const handler = async (event) => {
  if (event.exit !== undefined) process.exit(event.exit);
  if (event.loop) for (;;);
  return { event, started, api: process.env.AWS_LAMBDA_RUNTIME_API, added: process.env.ADDED };
};`;

/** Registers itself as a part of the runtime's process, and says what it is told. */
const INTERNAL = `const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension';
const headers = { 'Lambda-Extension-Name': 'inner' };
const body = JSON.stringify({ events: ['INVOKE'] });
const registered = await fetch(api + '/register', { method: 'POST', headers, body });
const id = registered.headers.get('lambda-extension-identifier');
const told = [];
const listen = async () => {
  for (;;) {
    const event = await fetch(api + '/event/next', { headers: { 'Lambda-Extension-Identifier': id } });
    told.push((await event.json()).eventType);
  }
};
void listen();
process.on('SIGTERM', () => { console.log('got SIGTERM'); process.exit(0); });
export const handler = async () => {
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return told.splice(0);
};`;

suite('extensions beside a managed runtime', { concurrency: 2 }, () => {
  let t: TestHost;

  before(async () => {
    t = await startTestHost();
  });
  after(() => t[Symbol.asyncDispose]());

  const linesOf = async (name: string) => readLog(t, `/aws/lambda/${name}`);

  async function deployWith(
    name: string,
    parts: Parameters<typeof bashExtension>[0],
    more: Parameters<TestHost['deploy']>[2] = {},
  ): Promise<void> {
    const files = {
      'extensions/one': bashExtension(parts),
      wrapper: executable('#!/bin/sh\nexport ADDED=yes\nexec "$@"\n'),
    };
    const layer = await publishLayer(t.client, `layer-${name}`, files);
    await t.deploy(name, { 'index.mjs': CODE }, { Layers: [layer], Timeout: 10, ...more });
  }

  test('are told of events and of the end, with the function’s own SIGTERM before', async () => {
    await deployWith('node', {});
    const first = (await result(t, 'node', { a: 1 })) as { started: number; api: string }; // as the fixture returns
    assert.match(first.api, /^127\.0\.0\.1:\d+$/);
    const second = (await result(t, 'node', { a: 2 })) as typeof first; // the same
    assert.equal(second.started, first.started, 'one environment serves both');
    const lines = await linesOf('node');
    assert.equal(lines.filter((line) => line.includes('"eventType":"INVOKE"')).length, 2);
    assert.ok(lines.includes('EXTENSION\tName: one\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n'));
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'node' }));
    await waitFor('it has ended', async () => (await linesOf('node')).includes('[one] ends\n'));
    const after = await linesOf('node');
    const at = (part: string) => after.findIndex((line) => line.includes(part));
    assert.ok(at('got SIGTERM') >= 0 && at('got SIGTERM') < at('"shutdownReason":"SPINDOWN"'));
  });

  test('are there beside a wrapper, too', async () => {
    const more = { Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' } } };
    await deployWith('wrapped', {}, more);
    const { added } = (await result(t, 'wrapped')) as { added: string }; // as the fixture returns
    assert.equal(added, 'yes');
    assert.ok((await linesOf('wrapped')).some((line) => line.includes('"eventType":"INVOKE"')));
  });

  test('hear of a function that ends or does not end', async () => {
    await deployWith('ends', {}, { Timeout: 1 });
    const { errorMessage } = await failure(t, 'ends', { exit: 4 }, 'Runtime.ExitError');
    assert.match(errorMessage, /exit status 4$/);
    await failure(t, 'ends', { loop: true }, 'Sandbox.Timedout');
    for (const reason of ['FAILURE', 'TIMEOUT'])
      await waitFor(`${reason} is told`, async () =>
        (await linesOf('ends')).some((line) => line.includes(`"shutdownReason":"${reason}"`)),
      );
    const { event } = (await result(t, 'ends', { a: 3 })) as { event: unknown }; // as the fixture returns
    assert.deepEqual(event, { a: 3 });
  });

  test('that fail, fail the invocation', async () => {
    await deployWith('crash', { handle: 'case $event in *INVOKE*) exit 6 ;; esac' });
    const { errorMessage } = await failure(t, 'crash', { loop: true }, 'Extension.Crash');
    assert.match(errorMessage, /Error: exit code 6$/);
  });

  test('get no further event before they are done, and their function neither', async () => {
    const handle =
      'case $event in *INVOKE*) echo "[one] begins"; sleep 0.3; echo "[one] is done" ;; esac';
    await deployWith('busy', { handle });
    const plain = { LogType: 'None' } as const;
    const calls = [await t.invoke('busy', {}, plain), await t.invoke('busy', {}, plain)];
    const [a, b] = calls.map(({ payload }) => (payload as { started: number }).started);
    assert.notEqual(a, b, 'another environment serves the second');
  });

  test('may be part of the function’s process, where there is an API to register at', async () => {
    // Variables that act at its start give a function its Runtime API, as layers with extensions do.
    const more = { Environment: { Variables: { NODE_OPTIONS: '--no-warnings' } } };
    await t.deploy('inner', { 'index.mjs': INTERNAL }, { ...more, Timeout: 10 });
    assert.deepEqual(await result(t, 'inner'), ['INVOKE']);
    assert.deepEqual(await result(t, 'inner'), ['INVOKE']);
    // Whether its first call for an event is there by the end of init, its runtime's event loop decides.
    const record = (await linesOf('inner')).find((line) => line.startsWith('EXTENSION')) ?? '';
    assert.match(
      record,
      /^EXTENSION\tName: inner\tState: (?:Registered|Ready)\tEvents: \[INVOKE\]\n$/,
    );
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'inner' }));
    await waitFor('it is told', async () =>
      (await linesOf('inner')).some((line) => line.endsWith('got SIGTERM\n')),
    );
  });

  test('are missing from the API of a function that has none', async () => {
    await t.deploy('none', { 'index.mjs': CODE });
    assert.equal(((await result(t, 'none')) as { api?: string }).api, undefined);
  });
});
