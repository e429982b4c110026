// Our own routes under /_lambkin/: health is open, logs and isolation take a signature or the bearer token.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { GetFunctionCommand } from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { returning } from '../support/functions.ts';
import { tar } from '../support/tar-writer.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { ADMIN, send } from '../support/wire.ts';

async function bearer(t: TestHost): Promise<Record<string, string>> {
  const token = await readFile(path.join(t.dataDir, 'secrets/token'), 'utf8');
  return { authorization: `Bearer ${token.trim()}` };
}

function keyOf(rights: 'read' | 'invoke') {
  return {
    accessKeyId: `AKIA${rights.toUpperCase()}`,
    secretAccessKey: `theSecretTo${rights}`,
    account: '000000000000',
    principal: `arn:aws:iam::000000000000:user/${rights}`,
    rights,
  };
}

async function addKeys(t: TestHost, keys: readonly ReturnType<typeof keyOf>[]): Promise<void> {
  const file = path.join(t.dataDir, 'secrets/credentials.json');
  await writeFile(file, JSON.stringify(keys), { mode: 0o600 });
  await waitFor('the keys are known', async () => {
    const [key] = keys;
    const { headers } = await send(t.url, { path: '/2015-03-31/functions', key });
    return headers['x-amzn-errortype'] !== 'UnrecognizedClientException';
  });
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
      { ...health, environments: 0, slots: 0, queue: Object(health).queue.running },
      {
        status: 'ok',
        queue: { event: 0, delivery: 0, 'dead-letter': 0 },
        functions: 1,
        environments: 0,
        slots: 0,
        quarantined: 0,
      },
    );
  });

  test('logs and isolation take the bearer token or a signature, and nothing else', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('console.log("hello")'));
    await t.invoke('f');
    const token = await bearer(t);
    for (const route of ['/_lambkin/logs', '/_lambkin/isolation', '/_lambkin/runtimes']) {
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

  test('the bearer token is known however its scheme is spelt', async () => {
    await using t = await startTestHost();
    const { authorization = '' } = await bearer(t);
    for (const scheme of ['bearer', 'BEARER', 'bEaReR ']) {
      const headers = { authorization: authorization.replace('Bearer', scheme) };
      const answer = await send(t.url, { path: '/_lambkin/logs', key: undefined, headers });
      assert.equal(answer.status, 200, scheme);
    }
  });

  test('logs and isolation are for keys that may read, not for those that may only invoke', async () => {
    await using t = await startTestHost();
    const keys = { read: keyOf('read'), invoke: keyOf('invoke') };
    await addKeys(t, Object.values(keys));
    for (const path of ['/_lambkin/logs', '/_lambkin/isolation', '/_lambkin/runtimes']) {
      assert.equal((await send(t.url, { path, key: keys.read })).status, 200, path);
      const { status, headers, json } = await send(t.url, { path, key: keys.invoke });
      assert.deepEqual([status, headers['x-amzn-errortype']], [403, 'AccessDeniedException'], path);
      const principal = keys.invoke.principal;
      assert.deepEqual(json, {
        Message: `User: ${principal} may invoke functions and nothing else`,
      });
    }
  });

  test('what is not there is not found, and what it was asked with is not repeated', async () => {
    await using t = await startTestHost();
    const headers = await bearer(t);
    for (const [method, path] of [
      ['GET', '/_lambkin/queue/nowhere'],
      ['POST', '/_lambkin/health'],
      ['DELETE', '/_lambkin/'],
    ] as const) {
      const answer = await send(t.url, { method, path, key: undefined, headers });
      assert.equal(answer.status, 404, path);
      assert.deepEqual(answer.json, {
        Type: 'User',
        Message: `There is no ${method} ${path} here.`,
      });
    }
  });

  test('runtimes are those that run here, with their versions', async () => {
    await using t = await startTestHost();
    const { json } = await send(t.url, { path: '/_lambkin/runtimes' });
    const [major, minor] = process.versions.node.split('.');
    assert.deepEqual(Object.keys(json as object), [...t.host.runtimes]);
    assert.partialDeepStrictEqual(json, { 'nodejs24.x': `nodejs:${major}.v${minor}` });
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

  test('a package is sent as what it is', async () => {
    await using t = await startTestHost();
    const archive = tar([{ name: 'index.mjs', content: 'export const handler = async () => 1;' }]);
    const noise = randomBytes(200_000).toString('latin1');
    const kinds = [
      ['zip', await zipOf({ ...returning('1'), 'noise.txt': noise }), 'application/zip'],
      ['tgz', gzipSync(archive), 'application/gzip'],
      ['tar', archive, 'application/x-tar'],
    ] as const;
    for (const [name, ZipFile, type] of kinds) {
      await t.deploy(name, {}, { Code: { ZipFile } });
      const { Code } = await t.client.send(new GetFunctionCommand({ FunctionName: name }));
      const response = await fetch(String(Code?.Location));
      assert.equal(response.headers.get('content-type'), type);
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(ZipFile), name);
    }
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
