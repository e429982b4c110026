// --auth none: for this machine alone, never for web pages. The guard by itself: browser-guard.test.ts.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { runStart } from '../../host/cli/start.ts';
import { returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { ADMIN, send, type WireRequest } from '../support/wire.ts';

const path = '/2015-03-31/functions';
const unsigned = { path, key: undefined } satisfies WireRequest;

async function openHost(): Promise<TestHost> {
  return await startTestHost({ args: ['--auth', 'none'] });
}

suite('With --auth none', () => {
  test('an unsigned request of this machine is the administrator’s, in the account and region of the host', async () => {
    await using t = await openHost();
    await t.deploy('f', returning('event'));
    const { status, json } = await send(t.url, unsigned);
    assert.equal(status, 200);
    const { Functions } = json as { Functions: { FunctionArn: string }[] };
    assert.deepEqual(
      Functions.map((each) => each.FunctionArn),
      ['arn:aws:lambda:us-east-1:000000000000:function:f'],
    );
    const invoke = { ...unsigned, method: 'POST', path: `${path}/f/invocations`, body: '[1]' };
    assert.equal((await send(t.url, invoke)).body, '[1]');
    const { port } = new URL(t.url);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
      assert.equal((await send(t.url, { ...unsigned, headers: { host } })).status, 200, host);
  });

  test('a request under a foreign name or from a foreign page is refused, signed or not', async () => {
    await using t = await openHost();
    for (const headers of [
      { host: 'evil.example' },
      { host: 'evil.example:9001' },
      { host: '127.0.0.1.evil.example' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:1' },
    ])
      for (const key of [undefined, ADMIN]) {
        const { status, headers: answered } = await send(t.url, { path, key, headers });
        assert.equal(status, 403, JSON.stringify(headers));
        assert.equal(answered['x-amzn-errortype'], 'AccessDeniedException');
        assert.equal(answered['access-control-allow-origin'], undefined);
      }
  });

  test('a signed request is checked all the same', async () => {
    await using t = await openHost();
    assert.equal((await send(t.url, { path })).status, 200);
    const forged = { ...ADMIN, secretAccessKey: 'wrong' };
    const { status, headers } = await send(t.url, { path, key: forged });
    assert.deepEqual([status, headers['x-amzn-errortype']], [403, 'InvalidSignatureException']);
  });

  test('a host does not start beyond this machine', async () => {
    const errors: string[] = [];
    const exitCode = await runStart({
      args: ['--auth', 'none', '--listen', '0.0.0.0:0'],
      env: {},
      cwd: '/nonexistent',
      signal: AbortSignal.abort(),
      endWithin: () => {},
      print: () => {},
      printError: (line) => errors.push(line),
    });
    assert.equal(exitCode, 2);
    assert.match(errors.join('\n'), /auth none lets anyone who reaches 0\.0\.0\.0 run code here/);
  });
});
