// What the keys of secrets/credentials.json may do: everything, invoke, or read.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { KeyPair } from '../auth/signing.ts';
import { ARN, createRequest, returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { send, type WireRequest } from '../support/wire.ts';

const functions = '/2015-03-31/functions';
const secretAccessKey = 'aSecretOfFortyCharactersOrAboutAsManyAsSo';

/** One key for each right, beside the administrator's. */
const rights = ['invoke', 'read', 'admin'] as const;
type Right = (typeof rights)[number];

function keyOf(right: Right): KeyPair {
  return { accessKeyId: `AKIA${right.toUpperCase()}`, secretAccessKey };
}

function principalOf(right: Right): string {
  return `arn:aws:iam::000000000000:user/${right}`;
}

/** Adds the keys to a running host, and a function. */
async function prepare(t: TestHost): Promise<void> {
  const entries = rights.map((right) => ({
    ...keyOf(right),
    account: '000000000000',
    principal: principalOf(right),
    rights: right,
  }));
  const file = path.join(t.dataDir, 'secrets/credentials.json');
  await writeFile(file, JSON.stringify(entries), { mode: 0o600 });
  await waitFor('the keys are known', async () => {
    const { headers } = await send(t.url, { path: functions, key: keyOf('read') });
    return headers['x-amzn-errortype'] !== 'UnrecognizedClientException';
  });
  await t.deploy('f', returning('event'));
}

interface Call {
  readonly action: string;
  readonly resource: string;
  readonly request: WireRequest;
  readonly allowed: readonly Right[];
}

async function calls(): Promise<readonly Call[]> {
  const { Code: _, ...create } = await createRequest('g');
  const f = `${functions}/f`;
  const call = (
    action: string,
    request: WireRequest,
    allowed: readonly Right[],
    resource = `${ARN}:f`,
  ): Call => ({ action, resource, request, allowed });
  const body = '{}';
  return [
    call('GetFunction', { path: f }, ['read', 'admin']),
    call('GetFunctionConfiguration', { path: `${f}/configuration` }, ['read', 'admin']),
    call('ListFunctions', { path: functions }, ['read', 'admin'], '*'),
    call('InvokeFunction', { method: 'POST', path: `${f}/invocations`, body }, ['invoke', 'admin']),
    call(
      'CreateFunction',
      { method: 'POST', path: functions, body: JSON.stringify(create) },
      ['admin'],
      `${ARN}:g`,
    ),
    call('UpdateFunctionCode', { method: 'PUT', path: `${f}/code`, body }, ['admin']),
    call('UpdateFunctionConfiguration', { method: 'PUT', path: `${f}/configuration`, body }, [
      'admin',
    ]),
    call('PublishVersion', { method: 'POST', path: `${f}/versions`, body }, ['admin']),
    call('DeleteFunction', { method: 'DELETE', path: f }, ['admin']),
  ];
}

suite('A key', () => {
  test('may do what its rights say, and is told what it may not do on which resource', async () => {
    await using t = await startTestHost();
    await prepare(t);
    for (const { action, resource, request, allowed } of await calls())
      for (const right of rights) {
        const { status, headers, json } = await send(t.url, { ...request, key: keyOf(right) });
        if (allowed.includes(right)) assert.notEqual(status, 403, `${right} ${action}`);
        else {
          assert.equal(status, 403, `${right} ${action}`);
          assert.equal(headers['x-amzn-errortype'], 'AccessDeniedException');
          assert.deepEqual(json, {
            Message: `User: ${principalOf(right)} is not authorized to perform: lambda:${action} on resource: ${resource} because no identity-based policy allows the lambda:${action} action`,
          });
        }
      }
  });

  test('is forgotten when it leaves the file', async () => {
    await using t = await startTestHost();
    await prepare(t);
    const file = path.join(t.dataDir, 'secrets/credentials.json');
    await writeFile(file, '[]', { mode: 0o600 });
    await waitFor('the key is unknown', async () => {
      const { headers } = await send(t.url, { path: functions, key: keyOf('admin') });
      return headers['x-amzn-errortype'] === 'UnrecognizedClientException';
    });
    // The operator's own pair does not come from the file.
    assert.equal((await send(t.url, { path: functions })).status, 200);
  });
});
