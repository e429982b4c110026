// Bad input of every kind: a documented error, nothing changed, and the host goes on.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../support/bundle-fixtures.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { ADMIN, refusalOf, send, type WireRequest } from '../support/wire.ts';
import { zip } from '../support/zip-writer.ts';

const functions = '/2015-03-31/functions';
const invocations = `${functions}/f/invocations`;

/** Runs with a deployed function `f`, then checks that it is as before, that there is no other, and that the host is well. */
async function unchanged(run: (t: TestHost) => Promise<void>): Promise<void> {
  await using t = await startTestHost();
  await t.deploy('f', returning('event'));
  const get = async () => {
    const { Configuration, Tags } = await t.client.send(
      new GetFunctionCommand({ FunctionName: 'f' }),
    );
    return { Configuration, Tags };
  };
  const before = await get();
  await run(t);
  assert.deepEqual(await get(), before);
  const { Functions } = await t.client.send(new ListFunctionsCommand({}));
  assert.equal(Functions?.length, 1);
  const health = await fetch(`${t.url}/_lambkin/health`);
  assert.equal(health.status, 200);
  assert.match(await health.text(), /"status":"ok"/);
  assert.deepEqual((await t.invoke('f', { still: 'here' })).payload, { still: 'here' });
  // Why a package was refused is for the operator; nothing else is.
  const isRefusal = (text: string) => text.startsWith('a deployment package was refused: ');
  assert.deepEqual(
    t.reports.filter((text) => !isRefusal(text)),
    [],
  );
}

async function told(t: TestHost, request: WireRequest) {
  const { status, headers, json } = await send(t.url, request);
  const { message, Message } = (json ?? {}) as { message?: string; Message?: string };
  return { status, name: headers['x-amzn-errortype'], message: message ?? Message };
}

suite('Bad input changes nothing:', () => {
  test('packages that cannot be unpacked or are not what they say', async () => {
    await unchanged(async (t) => {
      const malformed =
        'Could not unzip uploaded file. Please check your file, then try to upload again.';
      const good = await zipOf(returning('1'));
      const archives: readonly (readonly [Uint8Array, string])[] = [
        [Buffer.from('no zip at all'), malformed],
        [good.subarray(0, good.length - 10), malformed],
        [zip([{ name: '../../etc/cron.d/evil', content: 'x' }]), malformed],
        [zip([{ name: '/absolute', content: 'x' }]), malformed],
        [zip([{ name: 'a', content: 'x', declared: { crc32: 1 } }]), malformed],
        [Buffer.alloc(0), 'Uploaded file must be a non-empty zip'],
        [zip([]), 'Uploaded file must be a non-empty zip'],
      ];
      for (const [ZipFile, message] of archives) {
        const command = new CreateFunctionCommand(await createRequest('g', { Code: { ZipFile } }));
        assert.deepEqual(await refusalOf(t.client.send(command)), {
          status: 400,
          name: 'InvalidParameterValueException',
          message,
        });
      }
    });
  });

  test('bodies that are not JSON, not UTF-8, or of other types', async () => {
    await unchanged(async (t) => {
      const bodies = [
        '{',
        'null,',
        '[]',
        '"text"',
        '{"FunctionName": 7}',
        '{"FunctionName":"g","Code":{"ZipFile":"%%%"}}',
        '{"FunctionName":"g","Code":{"ZipFile":"YQ"}}',
        '{"FunctionName":"g","Timeout":"3"}',
        '{"FunctionName":"g","Timeout":1e99}',
        '{"FunctionName":"g","Tags":[]}',
        Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
      ];
      for (const body of bodies) {
        const { status, name, message } = await told(t, { method: 'POST', path: functions, body });
        assert.deepEqual([status, name], [400, 'SerializationException'], String(body));
        assert.ok(message);
      }
      for (const body of ['', '{}', 'null']) {
        const { status, name } = await told(t, { method: 'POST', path: functions, body });
        assert.deepEqual([status, name], [400, 'ValidationException'], body);
      }
    });
  });

  test('payloads that are not JSON', async () => {
    await unchanged(async (t) => {
      for (const body of ['{', 'foo', '{"a":}', '\u0000', Buffer.from([0x22, 0xff, 0x22])]) {
        const { status, name, message } = await told(t, {
          method: 'POST',
          path: invocations,
          body,
        });
        assert.deepEqual([status, name], [400, 'InvalidRequestContentException'], String(body));
        assert.match(
          String(message),
          /^Could not parse request body into json: Could not parse payload into json: /,
        );
      }
      const empty = await send(t.url, { method: 'POST', path: invocations, body: '' });
      assert.deepEqual([empty.status, empty.body], [200, '{}']);
    });
  });

  test('payloads one byte over the limit, while one at the limit is taken', async () => {
    await unchanged(async (t) => {
      const limit = 6_291_456;
      const body = `"${'x'.repeat(limit - 2)}"`;
      const { status, name, message } = await told(t, {
        method: 'POST',
        path: invocations,
        body: `${body} `,
      });
      assert.deepEqual([status, name], [413, 'RequestEntityTooLargeException']);
      assert.equal(
        message,
        'Request must be smaller than 6291456 bytes for the InvokeFunction operation',
      );
      const taken = await send(t.url, { method: 'POST', path: invocations, body });
      assert.equal(taken.status, 200);
      assert.equal(taken.body.length, limit);
    });
  });

  test('functions that are not there, and names of every length', async () => {
    await unchanged(async (t) => {
      for (const name of ['g', 'n'.repeat(64), 'n'.repeat(256)]) {
        const command = new InvokeCommand({ FunctionName: name });
        assert.deepEqual(await refusalOf(t.client.send(command)), {
          status: 404,
          name: 'ResourceNotFoundException',
          message: `Function not found: ${ARN}:${name}:$LATEST`,
        });
      }
      for (const name of ['n'.repeat(300), 'n'.repeat(100_000), '%00', '..', '%2e%2e%2ff']) {
        const path = `${functions}/${name}/invocations`;
        const { status, name: error } = await told(t, { method: 'POST', path, body: '{}' });
        assert.ok(status === 400 || status === 404 || status === 403, `${status} ${name.length}`);
        assert.ok(error, name.slice(0, 20));
      }
    });
  });

  test('signatures that are wrong, foreign, old or of another time', async () => {
    await unchanged(async (t) => {
      const get = { path: `${functions}/f` };
      const forged = { ...ADMIN, secretAccessKey: 'not the secret' };
      const mismatch = await told(t, { ...get, key: forged });
      assert.deepEqual([mismatch.status, mismatch.name], [403, 'InvalidSignatureException']);
      assert.match(String(mismatch.message), /^The request signature we calculated does not match/);
      const stranger = { ...ADMIN, accessKeyId: 'AKIASTRANGER' };
      assert.deepEqual(await told(t, { ...get, key: stranger }), {
        status: 403,
        name: 'UnrecognizedClientException',
        message: 'The security token included in the request is invalid.',
      });
      assert.deepEqual(await told(t, { ...get, key: undefined }), {
        status: 403,
        name: 'MissingAuthenticationTokenException',
        message: 'Missing Authentication Token',
      });
      const old = await told(t, { ...get, at: Date.now() - 301_000 });
      assert.deepEqual([old.status, old.name], [403, 'InvalidSignatureException']);
      assert.match(String(old.message), /^Signature expired: /);
      const early = await told(t, { ...get, at: Date.now() + 302_000 });
      assert.match(String(early.message), /^Signature not yet current: /);
      const changed = await told(t, { method: 'DELETE', path: `${functions}/f`, key: forged });
      assert.equal(changed.name, 'InvalidSignatureException');
    });
  });

  test('a body that is not the one that was signed', async () => {
    await unchanged(async (t) => {
      const body = '{"Description":"forged"}';
      const { status, name } = await told(t, {
        method: 'PUT',
        path: `${functions}/f/configuration`,
        headers: { 'x-amz-content-sha256': 'a'.repeat(64) },
        body,
      });
      assert.deepEqual([status, name], [403, 'InvalidSignatureException']);
    });
  });

  test('headers of unusual length and content', async () => {
    await unchanged(async (t) => {
      const post = { method: 'POST', path: invocations, body: '{}' };
      const hostile: readonly Readonly<Record<string, string>>[] = [
        { 'x-amzn-trace-id': 'Root=1-x;'.repeat(20_000) },
        { 'x-amzn-trace-id': 'Root=\u00e9\u00ff\t;Parent=<script>' },
        { 'x-amz-client-context': Buffer.from('{}').toString('base64') },
        { 'user-agent': 'x'.repeat(100_000) },
        { 'content-type': 'text/html; charset=utf-7' },
        { 'x-unknown': '\u0080\u00ff' },
      ];
      for (const headers of hostile) {
        const { status, body } = await send(t.url, { ...post, headers });
        assert.deepEqual([status, body], [200, '{}'], Object.keys(headers).join());
      }
      const refused: readonly Readonly<Record<string, string>>[] = [
        { 'x-amz-client-context': 'not base64 of JSON' },
        { 'x-amz-client-context': Buffer.from('7').toString('base64') },
        { 'x-amz-client-context': 'A'.repeat(3584) },
        { 'x-amz-log-type': '__proto__' },
        { 'x-amz-tenant-id': 'tenant' },
        { 'x-amz-durable-execution-name': 'name' },
        { 'x-amzn-requestid': 'no uuid' },
      ];
      for (const headers of refused) {
        const { status, name } = await told(t, { ...post, headers });
        assert.equal(status, 400, Object.keys(headers).join());
        assert.ok(name);
      }
    });
  });
});
