// Targets that the operator sends to a URL: which files are in order, what is sent and how it is signed, which answers end it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import { SecretFileError } from '../../host/auth/secret-files.ts';
import { invocationRecord } from '../../host/queue/outcomes/record.ts';
import { openWebhooks, type WebhookLookup } from '../../host/queue/outcomes/webhooks.ts';
import { startLocalSqs } from '../support/receivers/sqs.ts';
import { startLocalWebhook } from '../support/receivers/webhook.ts';
import { BUS, closedUrl, createDeliverer, itemFor, never, QUEUE } from './deliveries.ts';
import { outcomeOf } from './outcomes.ts';

const SECRET = 'whsec_c2VjcmV0IG9mIGF0IGxlYXN0IDI0IGJ5dGVz';
const OTHER_SECRET = 'whsec_b3RoZXIgc2VjcmV0IG9mIDI0IGJ5dGVzIQ==';

interface Secrets extends AsyncDisposable {
  readonly problems: readonly string[];
  write(content: unknown): Promise<void>;
  open(): WebhookLookup;
  /** What is written is looked at again after that. */
  later(): void;
}

async function openSecrets(): Promise<Secrets> {
  const secretsDir = await mkdtemp(path.join(tmpdir(), 'lambkin-webhooks-'));
  const problems: string[] = [];
  let nowMs = 0;
  return {
    problems,
    write: (content) => writeFile(path.join(secretsDir, 'webhooks.json'), JSON.stringify(content)),
    open: () =>
      openWebhooks({ secretsDir, now: () => nowMs, onProblem: (text) => problems.push(text) }),
    later: () => {
      nowMs += 1_000;
    },
    [Symbol.asyncDispose]: () => rm(secretsDir, { recursive: true }),
  };
}

async function lookupOf(arn: string, url: string, secret = SECRET): Promise<WebhookLookup> {
  await using secrets = await openSecrets();
  await secrets.write({ [arn]: { url, secret } });
  const lookup = secrets.open();
  const webhook = lookup(arn);
  return (asked) => (asked === arn ? webhook : undefined);
}

suite('webhooks.json', () => {
  test('maps ARNs to https anywhere and to http on this machine, and may be absent', async () => {
    await using secrets = await openSecrets();
    assert.equal(secrets.open()(QUEUE), undefined);
    for (const url of [
      'https://example.org/hooks?x=1',
      'http://127.0.0.1:8080/',
      'http://localhost/a',
      'http://[::1]:1/',
    ]) {
      await secrets.write({ [QUEUE]: { url, secret: SECRET } });
      const lookup = secrets.open();
      assert.equal(lookup(QUEUE)?.url.href, url);
      assert.equal(lookup(BUS), undefined);
    }
  });

  const entry = { url: 'https://example.org/', secret: SECRET };
  for (const [title, content, reason] of [
    ['a list', [], /must be an object from ARN/],
    ['what is no ARN', { queue: entry }, /queue is not the ARN/],
    ['a function', { 'arn:aws:lambda:us-east-1:1:function:f': entry }, /is not the ARN of a queue/],
    ['http elsewhere', { [QUEUE]: { ...entry, url: 'http://example.org/' } }, /must be https/],
    ['no URL', { [QUEUE]: { ...entry, url: 'example.org' } }, /must be https/],
    ['another scheme', { [QUEUE]: { ...entry, url: 'file:///etc/passwd' } }, /must be https/],
    ['a password', { [QUEUE]: { ...entry, url: 'https://a:b@example.org/' } }, /without user/],
    ['a short secret', { [QUEUE]: { ...entry, secret: 'whsec_c2hvcnQ=' } }, /24 to 64 bytes/],
    ['no secret', { [QUEUE]: { url: entry.url } }, /must have url and secret/],
    ['more', { [QUEUE]: { ...entry, method: 'PUT' } }, /must have url and secret/],
    ['null', { [QUEUE]: null }, /must have url and secret/],
  ] as const)
    test(`with ${title} is refused at the start, without a word of its secrets`, async () => {
      await using secrets = await openSecrets();
      await secrets.write(content);
      assert.throws(
        () => secrets.open(),
        (error) => {
          assert(error instanceof SecretFileError);
          assert.match(error.message, reason);
          assert(!/c2hvcnQ|c2VjcmV0/.test(error.message), error.message);
          return true;
        },
      );
    });

  test('counts as it was while an edit of it is not in order', async () => {
    await using secrets = await openSecrets();
    await secrets.write({ [QUEUE]: entry });
    const lookup = secrets.open();
    await secrets.write({ [QUEUE]: { ...entry, url: 'nowhere' } });
    secrets.later();
    assert.equal(lookup(QUEUE)?.url.href, entry.url);
    assert.match(secrets.problems.join(), /must be https.*stays in force/);
    await secrets.write({ [BUS]: entry });
    secrets.later();
    assert.equal(lookup(QUEUE), undefined);
    assert.equal(lookup(BUS)?.url.href, entry.url);
  });
});

suite('A webhook', () => {
  test('gets the record in place of the queue, with a signature that its receiver can verify', async () => {
    await using sqs = await startLocalSqs();
    await using hook = await startLocalWebhook(SECRET);
    await using deliverer = createDeliverer({
      endpoints: { sqs: sqs.url },
      webhookOf: await lookupOf(QUEUE, `${hook.url}/in?from=lambda`),
    });
    const item = itemFor({ onFailure: QUEUE });
    assert.deepEqual(await deliverer.deliver(item, never), { kind: 'delivered' });
    assert.deepEqual(sqs.requests, []);
    const [request] = hook.verified;
    assert(request);
    assert.equal(`${request.method} ${request.path}`, 'POST /in?from=lambda');
    assert.equal(request.headers['content-type'], 'application/json');
    assert.equal(request.headers['webhook-id'], 'item-1');
    assert.equal(request.body.toString(), invocationRecord(outcomeOf()).toString());
  });

  test('gets a dead letter with its attributes as headers', async () => {
    await using hook = await startLocalWebhook(SECRET);
    const webhookOf = await lookupOf(QUEUE, hook.url);
    await using deliverer = createDeliverer({ webhookOf });
    const item = itemFor({ deadLetterQueue: QUEUE }, { errorMessage: 'näh\r\nX: y' });
    assert.deepEqual(await deliverer.deliver(item, never), { kind: 'delivered' });
    const [request] = hook.verified;
    assert.equal(request?.body.toString(), '{"order": 7}');
    const { headers } = request;
    assert.equal(headers['x-lambkin-requestid'], outcomeOf().requestId);
    assert.equal(headers['x-lambkin-errorcode'], '200');
    assert.equal(decodeURIComponent(String(headers['x-lambkin-errormessage'])), 'näh\r\nX: y');
    assert.equal(headers['x'], undefined);
  });

  test('that knows another secret does not take it', async () => {
    await using hook = await startLocalWebhook(OTHER_SECRET);
    await using deliverer = createDeliverer({ webhookOf: await lookupOf(QUEUE, hook.url) });
    const result = await deliverer.deliver(itemFor({ onFailure: QUEUE }), never);
    assert(result.kind === 'notDelivered' && result.isRetryable);
    assert.match(result.reason, /answered 401/);
    assert.deepEqual(hook.verified, []);
  });

  for (const [status, isRetryable] of [
    [302, true],
    [404, true],
    [429, true],
    [500, true],
    [410, false],
    [413, false],
  ] as const)
    test(`that answers ${status} is ${isRetryable ? '' : 'not '}tried again later`, async () => {
      await using elsewhere = await startLocalWebhook(SECRET);
      await using hook = await startLocalWebhook(SECRET);
      hook.fault = { status, headers: { location: elsewhere.url } };
      await using deliverer = createDeliverer({ webhookOf: await lookupOf(QUEUE, hook.url) });
      const result = await deliverer.deliver(itemFor({ onFailure: QUEUE }), never);
      assert(result.kind === 'notDelivered');
      assert.equal(result.isRetryable, isRetryable);
      assert.match(result.reason, new RegExp(`${hook.url}/ answered ${status}`));
      assert.deepEqual(elsewhere.requests, []);
    });

  test('that answers before it has read all, and never ends its answer, has answered', async () => {
    const server = createServer((request, response) => {
      request.once('data', () => {
        response.writeHead(200);
        response.write('and so on');
        setImmediate(() => request.socket.resetAndDestroy());
      });
    });
    await using stack = new AsyncDisposableStack();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stack.defer(() => void server.close());
    const { port } = server.address() as AddressInfo; // as: it listens on TCP
    const webhookOf = await lookupOf(QUEUE, `http://127.0.0.1:${port}/`);
    await using deliverer = createDeliverer({ webhookOf });
    const requestPayload = Buffer.from(JSON.stringify('x'.repeat(1_000_000)));
    const items = Array.from({ length: 20 }, () =>
      itemFor({ onFailure: QUEUE }, { requestPayload }),
    );
    for (const item of items) {
      const result = await deliverer.deliver(item, never);
      // Which of the two arrives first is the kernel's choice; neither may end the process.
      assert(result.kind === 'delivered' || result.isRetryable);
    }
  });

  test('that says nothing, hangs up or is not there is tried again later', async () => {
    await using hook = await startLocalWebhook(SECRET);
    const item = itemFor({ onFailure: QUEUE });
    async function reasonAt(url: string): Promise<string> {
      const webhookOf = await lookupOf(QUEUE, url);
      await using deliverer = createDeliverer({ webhookOf, attemptLimitMs: 400 });
      const result = await deliverer.deliver(item, never);
      assert(result.kind === 'notDelivered' && result.isRetryable);
      return result.reason;
    }
    hook.fault = 'silence';
    assert.match(await reasonAt(hook.url), /TimeoutError/);
    hook.fault = 'hangUp';
    assert.match(await reasonAt(hook.url), /ECONNRESET/);
    assert.match(await reasonAt(await closedUrl()), /ECONNREFUSED/);
  });
});
