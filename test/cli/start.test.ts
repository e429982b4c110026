// What an operator reads when a host starts, or cannot: host/cli/start.ts.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { runStart } from '../../host/cli/start.ts';

interface Ended {
  readonly exitCode: number;
  readonly printed: string;
  readonly errors: string;
}

/** Starts a host that ends as soon as it is ready. */
async function startAndEnd(...args: string[]): Promise<Ended> {
  const cwd = await mkdtemp(join(tmpdir(), 'lambkin-start-'));
  const printed: string[] = [];
  const errors: string[] = [];
  try {
    const exitCode = await runStart({
      args: ['--isolation', 'off', ...args],
      env: {},
      cwd,
      signal: AbortSignal.abort(),
      endWithin: () => {},
      print: (line) => printed.push(line),
      printError: (line) => errors.push(line),
    });
    return { exitCode, printed: printed.join('\n'), errors: errors.join('\n') };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function listenAnywhere(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

suite('The start report', () => {
  test('names endpoint and keys when requests must be signed', async () => {
    const { exitCode, printed } = await startAndEnd('--listen', '127.0.0.1:0');
    assert.equal(exitCode, 0);
    assert.match(printed, /export AWS_ENDPOINT_URL_LAMBDA=http:\/\/127\.0\.0\.1:\d+ AWS_REGION=/);
    assert.match(printed, /export AWS_ACCESS_KEY_ID=\S+ AWS_SECRET_ACCESS_KEY=\S+/);
    assert.match(printed, /^Try next: aws lambda list-functions$/m);
  });

  test('names where it listens and what the world is told, when these differ', async () => {
    const there = 'https://lambda.example.org';
    const { printed } = await startAndEnd('--listen', '127.0.0.1:0', '--public-url', there);
    assert.match(printed, /^lambkin is ready at http:\/\/127\.0\.0\.1:[1-9]\d* after/m);
    assert.match(printed, /^ {2}public {5}https:\/\/lambda\.example\.org\b/m);
    assert.match(printed, /AWS_ENDPOINT_URL_LAMBDA=https:\/\/lambda\.example\.org /);
    const { printed: plain } = await startAndEnd('--listen', '127.0.0.1:0');
    assert.doesNotMatch(plain, /^ {2}public/m);
  });

  test('names the endpoint with --auth none too, so that the command to try does not go to AWS', async () => {
    const { printed } = await startAndEnd('--listen', '127.0.0.1:0', '--auth', 'none');
    assert.match(printed, /export AWS_ENDPOINT_URL_LAMBDA=http:\/\/127\.0\.0\.1:\d+ AWS_REGION=/);
    assert.doesNotMatch(printed, /AWS_SECRET_ACCESS_KEY/);
    assert.match(printed, /^Try next: aws lambda list-functions --no-sign-request$/m);
  });
});

suite('A host that cannot start says what to do', () => {
  test('about a port in use', async () => {
    await using taken = await listenAnywhere();
    const { exitCode, errors } = await startAndEnd('--listen', `127.0.0.1:${taken.port}`);
    assert.equal(exitCode, 1);
    const expected = `lambkin cannot start: port ${taken.port} of 127.0.0.1 is in use by another program.`;
    assert.ok(errors.startsWith(expected), errors);
    assert.match(errors, /--listen ADDRESS:OTHER/);
  });

  test('about a certificate that is not there, by the name of its setting', async () => {
    const files = ['--tls-cert', '/nonexistent/cert', '--tls-key', '/nonexistent/key'];
    const { exitCode, errors } = await startAndEnd('--listen', '127.0.0.1:0', ...files);
    assert.equal(exitCode, 1);
    assert.match(errors, /tls\.(cert|key) cannot be read: ENOENT/);
  });
});
