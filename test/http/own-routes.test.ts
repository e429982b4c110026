// Our own routes under /_lambkin/: health is open, logs and isolation take a signature or the bearer token.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { suite, test } from 'node:test';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { ADMIN, send } from '../support/wire.ts';

async function bearer(t: TestHost): Promise<Record<string, string>> {
  const token = await readFile(path.join(t.dataDir, 'secrets/token'), 'utf8');
  return { authorization: `Bearer ${token.trim()}` };
}

suite('Under /_lambkin/', () => {
  test('health is open and says how the host is', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const response = await fetch(`${t.url}/_lambkin/health`);
    assert.equal(response.status, 200);
    const health: unknown = await response.json();
    assert.ok(typeof health === 'object' && health !== null);
    assert.deepEqual(
      { ...health, environments: 0, slots: 0 },
      {
        status: 'ok',
        functions: 1,
        environments: 0,
        slots: 0,
      },
    );
  });

  test('logs and isolation take the bearer token or a signature, and nothing else', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('console.log("hello")'));
    await t.invoke('f');
    const token = await bearer(t);
    for (const route of ['/_lambkin/logs', '/_lambkin/isolation']) {
      const get = { path: route };
      assert.equal((await send(t.url, { ...get, key: undefined, headers: token })).status, 200);
      assert.equal((await send(t.url, get)).status, 200);
      const refused = [
        [{ ...get, key: undefined }, 'MissingAuthenticationTokenException'],
        [{ ...get, key: { ...ADMIN, secretAccessKey: 'x' } }, 'InvalidSignatureException'],
        ...['Bearer wrong', 'Bearer', 'Bearer  ', `Basic ${token['authorization']}`].map(
          (authorization) => [{ ...get, key: undefined, headers: { authorization } }, undefined],
        ),
      ] as const;
      for (const [request, name] of refused) {
        const { status, headers, body } = await send(t.url, request as Parameters<typeof send>[1]);
        assert.equal(status, 403, JSON.stringify(request));
        if (name !== undefined) assert.equal(headers['x-amzn-errortype'], name);
        assert.ok(!body.includes('/aws/lambda'));
      }
    }
    // Refusals are the callers' affair, not the operator's.
    assert.deepEqual(t.reports, []);
  });

  test('logs are those of the function', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('console.log("hello")'));
    await t.invoke('f');
    const headers = await bearer(t);
    const logs = async (query: Record<string, string>) =>
      await send(t.url, { path: '/_lambkin/logs', query, key: undefined, headers });
    assert.match((await logs({})).body, /"\/aws\/lambda\/f"/);
    assert.match((await logs({ group: '/aws/lambda/f' })).body, /hello/);
    const missing = await logs({ group: '/aws/lambda/other' });
    assert.deepEqual(
      [missing.status, missing.headers['x-amzn-errortype']],
      [404, 'ResourceNotFoundException'],
    );
    assert.equal((await logs({ group: '/aws/lambda/f', limit: '-1' })).status, 400);
  });

  test('a package may be left in the middle, and the next one is whole', async () => {
    await using t = await startTestHost();
    const noise = randomBytes(8_000_000).toString('latin1');
    await t.deploy('f', { ...returning('1'), 'noise.txt': noise });
    const { Code } = await t.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
    const location = String(Code?.Location);
    const sent = get(location);
    const [response] = (await once(sent, 'response')) as [IncomingMessage]; // as: what the event carries
    await once(response, 'data');
    response.destroy();
    const whole = await (await fetch(location)).arrayBuffer();
    assert.equal(whole.byteLength, Number(response.headers['content-length']));
    assert.deepEqual(t.reports, []);
  });

  test('other paths and methods are unknown', async () => {
    await using t = await startTestHost();
    for (const [method, route] of [
      ['GET', '/_lambkin/other'],
      ['GET', '/_lambkin/'],
      ['POST', '/_lambkin/health'],
      ['DELETE', '/_lambkin/logs'],
    ] as const)
      assert.equal((await send(t.url, { method, path: route })).status, 404, route);
  });
});
