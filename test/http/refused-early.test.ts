// What a request costs that will be refused: where its headers decide, its body is not waited for, and no package is kept in
// memory for a caller who may not bring one.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { KeyPair } from '../auth/signing.ts';
import { ARN, createRequest } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { waitFor } from '../support/wait-for.ts';
import { ADMIN, send, type WireAnswer, type WireRequest } from '../support/wire.ts';

const create = { method: 'POST', path: '/2015-03-31/functions' };
const unknown = { method: 'POST', path: '/2015-03-31/nothing' };
const forged: KeyPair = { ...ADMIN, secretAccessKey: 'guess' };
const invoker: KeyPair = { accessKeyId: 'AKIAINVOKER', secretAccessKey: 'ofTheInvoker' };
const principal = 'arn:aws:iam::000000000000:user/invoker';

/** A host that knows a key which may invoke and nothing else. */
async function hostWithInvoker(): Promise<TestHost> {
  const t = await startTestHost();
  const entry = { ...invoker, account: '000000000000', principal, rights: 'invoke' };
  const file = path.join(t.dataDir, 'secrets/credentials.json');
  await writeFile(file, JSON.stringify([entry]), { mode: 0o600 });
  await waitFor('the key is known', async () => {
    const answer = await send(t.url, { path: '/2015-03-31/functions', key: invoker });
    return errorOf(answer) !== 'UnrecognizedClientException';
  });
  return t;
}

function errorOf({ headers }: WireAnswer): unknown {
  return headers['x-amzn-errortype'];
}

function deniedOn(resource: string) {
  return {
    Message: `User: ${principal} is not authorized to perform: lambda:CreateFunction on resource: ${resource} because no identity-based policy allows the lambda:CreateFunction action`,
  };
}

// The test fails by its own limit where a body is waited for that never comes.
suite('A body that never comes is not waited for', { timeout: 60_000 }, () => {
  test('from an unknown key, with a signature that does not hold, without the right, or for nothing we have', async ({
    signal,
  }) => {
    await using t = await hostWithInvoker();
    const withheld = { withheldBytes: 70_000_000, signal };
    const stranger = { accessKeyId: 'AKIASTRANGER', secretAccessKey: 'x' };
    const cases: readonly (readonly [WireRequest, number, string])[] = [
      [{ ...create, key: stranger }, 403, 'UnrecognizedClientException'],
      [{ ...create, key: forged }, 403, 'InvalidSignatureException'],
      [{ ...create, region: 'nowhere' }, 403, 'InvalidSignatureException'],
      [{ ...create, key: invoker }, 403, 'AccessDeniedException'],
      [{ ...unknown, key: forged }, 403, 'InvalidSignatureException'],
      [unknown, 404, 'UnknownOperationException'],
    ];
    for (const [request, status, name] of cases) {
      const answer = await send(t.url, { ...request, ...withheld });
      assert.deepEqual([answer.status, errorOf(answer)], [status, name], JSON.stringify(request));
    }
    assert.deepEqual(t.reports, []);
  });
});

suite('Where the signature takes the body,', () => {
  test('an unknown path is told only to a caller whose signature holds', async () => {
    await using t = await startTestHost();
    const hidden = { ...unknown, body: '{}', declaresHash: false };
    const refused = await send(t.url, { ...hidden, key: forged });
    assert.deepEqual([refused.status, errorOf(refused)], [403, 'InvalidSignatureException']);
    const answered = await send(t.url, hidden);
    assert.deepEqual([answered.status, errorOf(answered)], [404, 'UnknownOperationException']);
  });

  test('a package of a caller who may not bring one is hashed and not kept, a small request is read', async () => {
    await using t = await hostWithInvoker();
    const { Code: _, ...small } = await createRequest('g');
    const large = { ...small, Code: { ZipFile: 'A'.repeat(7_000_000) } };
    const post = { ...create, key: invoker, declaresHash: false };
    for (const chunkBytes of [undefined, 1_000_000]) {
      const chunks = chunkBytes === undefined ? {} : { chunkBytes };
      const body = JSON.stringify(large);
      // Nobody has read whose name stands in the body.
      assert.deepEqual((await send(t.url, { ...post, ...chunks, body })).json, deniedOn('*'));
      const key = { ...invoker, secretAccessKey: 'guess' };
      const guessed = await send(t.url, { ...post, ...chunks, body, key });
      assert.equal(errorOf(guessed), 'InvalidSignatureException');
    }
    const named = await send(t.url, { ...post, body: JSON.stringify(small) });
    assert.deepEqual(named.json, deniedOn(`${ARN}:g`));
  });
});
