// As whom outcomes are sent: as the function's role where the host has credentials for it, else as the host's process.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { FunctionCredentials } from '../../host/auth/function-credentials.ts';
import { openHostKey } from '../../host/auth/host-key.ts';
import { RoleCredentials } from '../../host/auth/role-credentials.ts';
import type { EventOutcome } from '../../host/queue/outcomes/outcome.ts';
import { handClock, repeatableRandom } from '../auth/temporary.ts';
import { HOST_KEY } from '../support/receivers/host-credentials.ts';
import { type ReceivedRequest, signerOf } from '../support/receivers/receiver.ts';
import { startLocalSqs } from '../support/receivers/sqs.ts';
import { createDeliverer, itemFor, never, QUEUE } from './deliveries.ts';

const MAPPED = 'arn:aws:iam::000000000000:role/mapped';
const real = { accessKeyId: 'AKIAREALROLE', secretAccessKey: 'real', sessionToken: 'session' };

interface Roles extends AsyncDisposable {
  readonly byRole: RoleCredentials;
  map(mappings: unknown): Promise<void>;
}

async function openRoles(mappings: unknown, now = () => Date.now()): Promise<Roles> {
  const secretsDir = await mkdtemp(path.join(tmpdir(), 'lambkin-roles-'));
  const map = (content: unknown) =>
    writeFile(path.join(secretsDir, 'roles.json'), JSON.stringify(content));
  await map(mappings);
  const random = repeatableRandom('roles');
  const hostKey = await openHostKey({ secretsDir, random });
  const byRole = new RoleCredentials({
    secretsDir,
    functionCredentials: new FunctionCredentials({ hostKey, now, random }),
    now,
    onProblem: (problem) => assert.fail(problem),
  });
  return { byRole, map, [Symbol.asyncDispose]: () => rm(secretsDir, { recursive: true }) };
}

/** What arrives of outcomes of functions with these roles. */
async function requestsOf(
  mappings: unknown,
  outcomes: readonly Partial<EventOutcome>[],
): Promise<readonly ReceivedRequest[]> {
  await using roles = await openRoles(mappings);
  await using sqs = await startLocalSqs();
  await using deliverer = createDeliverer({
    endpoints: { sqs: sqs.url },
    credentialsOf: (identity) => roles.byRole.providerFor(identity),
  });
  for (const outcome of outcomes) {
    const result = await deliverer.deliver(itemFor({ onFailure: QUEUE }, outcome), never);
    assert.deepEqual(result, { kind: 'delivered' });
  }
  return sqs.requests;
}

suite('An outcome is sent', () => {
  test('as the role of its function where the role is mapped, as the host otherwise', async () => {
    const requests = await requestsOf({ [MAPPED]: real }, [
      { roleArn: MAPPED },
      {},
      { roleArn: MAPPED },
      { roleArn: '' },
    ]);
    assert.deepEqual(
      requests.map((request) => signerOf(request).accessKeyId),
      [real.accessKeyId, HOST_KEY, real.accessKeyId, HOST_KEY],
    );
    assert.deepEqual(
      requests.map(({ headers }) => headers['x-amz-security-token']),
      [real.sessionToken, undefined, real.sessionToken, undefined],
    );
  });

  test('never as a role of another account than the function', async () => {
    const [request] = await requestsOf({ [MAPPED]: real }, [
      { roleArn: MAPPED, account: '222222222222' },
    ]);
    assert(request);
    assert.equal(signerOf(request).accessKeyId, HOST_KEY);
  });

  test('later, while there are no credentials at all', async () => {
    const { AWS_ACCESS_KEY_ID: id } = process.env;
    await using sqs = await startLocalSqs();
    await using deliverer = createDeliverer({ endpoints: { sqs: sqs.url } });
    delete process.env['AWS_ACCESS_KEY_ID'];
    try {
      const result = await deliverer.deliver(itemFor({ onFailure: QUEUE }), never);
      assert(result.kind === 'notDelivered' && result.isRetryable);
      assert.match(result.reason, /CredentialsProviderError/);
      assert.deepEqual(sqs.requests, []);
    } finally {
      process.env['AWS_ACCESS_KEY_ID'] = id;
    }
    const again = await deliverer.deliver(itemFor({ onFailure: QUEUE }), never);
    assert.deepEqual(again, { kind: 'delivered' });
  });

  test('later, while the profile of a mapped role gives none', async () => {
    await using sqs = await startLocalSqs();
    await using deliverer = createDeliverer({
      endpoints: { sqs: sqs.url },
      credentialsOf: () => () => Promise.reject(new Error('the profile gives no credentials')),
    });
    const result = await deliverer.deliver(itemFor({ onFailure: QUEUE }), never);
    assert(result.kind === 'notDelivered' && result.isRetryable);
    assert.match(result.reason, /the profile gives no credentials/);
  });
});

suite('Credentials for a client of the SDK', () => {
  const identity = { role: MAPPED, account: '000000000000' };

  test('are asked for again after a minute, five before they would expire, and follow edits', async () => {
    const clock = handClock();
    await using roles = await openRoles({ [MAPPED]: real }, clock.now);
    const provider = roles.byRole.providerFor(identity);
    assert(provider);
    assert.deepEqual(await provider(), { ...real, expiration: new Date(clock.now() + 360_000) });
    const rotated = { accessKeyId: 'AKIANEXT', secretAccessKey: 'next' };
    await roles.map({ [MAPPED]: rotated });
    clock.advance(60_000);
    assert.deepEqual(await provider(), { ...rotated, expiration: new Date(clock.now() + 360_000) });
    await roles.map({});
    clock.advance(60_000);
    await assert.rejects(provider(), { message: `role ${MAPPED} is not mapped any more` });
    assert.equal(roles.byRole.providerFor(identity), undefined);
  });
});
